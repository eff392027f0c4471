"""What wallets are worth over the API and on their pages: the same figures, few queries, and a word on what has no price."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from tests.broker import forget_keys
from tests.wallets.making import paper, queries
from tests.wallets.prices import hear, store
from wallets import services
from wallets.models import ValueSnapshot, Wallet, WalletBalance

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_prices(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.MEDIA_ROOT = tmp_path / "media"
    forget_keys("prices:*")
    yield
    forget_keys("prices:*")


@pytest.fixture
def api() -> APIClient:
    cache.clear()  # throttles
    client = APIClient()
    client.force_authenticate(User.objects.create_superuser("ada"))
    return client


def three_assets() -> Wallet:
    """One with a price of now, one with a stored one of long ago, one with none."""
    hear("BTC-USD", "1000", venue="coinbase")
    store("OLD-USD", "3", ago=timedelta(days=400))
    return paper(name="three", quote="USD", opening={"BTC": "2", "OLD": "5", "XYZ": "7"})


def history(wallet: Wallet, *values: int) -> None:
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    for hours, value in enumerate(reversed(values)):
        at = now - timedelta(hours=hours)
        ValueSnapshot.objects.create(wallet=wallet, currency="USD", ts=at, value=value, paid_in=100)


def test_wallets_tell_their_worth_and_what_is_not_in_it(api: APIClient) -> None:
    wallet = three_assets()
    (listed,) = api.get("/api/v1/wallets").json()["results"]
    assert listed["worth"] == {"currency": "USD", "value": "2015", "estimated": ["OLD"], "unpriced": ["XYZ"]}
    found = api.get(f"/api/v1/wallets/{wallet.wallet_id}/value").json()
    assert {name: found[name] for name in listed["worth"]} == listed["worth"]
    btc, old, xyz = found["holdings"]
    assert (btc["price_state"], btc["path"][0]["venue"], btc["value"]) == ("live", "coinbase", "2000")
    assert (old["price_state"], old["price_age_s"] // 86_400, old["path"][0]["source"]) == ("stored", 400, "stored")
    assert (xyz["price_state"], xyz["price"], xyz["value"], xyz["path"]) == ("missing", None, None, [])
    in_old = api.get(f"/api/v1/wallets/{wallet.wallet_id}/value?currency=old").json()
    assert (in_old["currency"], in_old["holdings"][1]["value"]) == ("OLD", "5")


def test_the_reporting_currency_is_told_and_chosen(api: APIClient) -> None:
    address = "/api/v1/wallets/reporting-currency"
    assert api.get(address).json() == {"currency": "USD"}
    assert api.post(address, {"currency": "btc"}, format="json").json() == {"currency": "BTC"}
    assert api.get(address).json() == {"currency": "BTC"}
    assert "currency" in api.post(address, {"currency": "no currency"}, format="json").json()["error"]["fields"]
    api.force_authenticate(User.objects.create_user("viewer"))
    assert api.post(address, {"currency": "EUR"}, format="json").status_code == 403


def test_a_history_is_paged_by_time_and_cut(api: APIClient) -> None:
    wallet = paper(quote="USD")
    history(wallet, 1, 2, 3, 4, 5)
    address = f"/api/v1/wallets/{wallet.wallet_id}/history"
    first = api.get(f"{address}?limit=2").json()
    assert [row["value"] for row in first["results"]] == ["1", "2"]
    assert [row["value"] for row in api.get(first["next"]).json()["results"]] == ["3", "4"]
    since = first["results"][1]["ts"]
    assert [row["value"] for row in api.get(address, {"start": since, "end": since}).json()["results"]] == ["2"]
    assert api.get(f"{address}?currency=EUR").json() == {"results": [], "next": None}
    for wrong in ("start=never", "cursor=x", "cursor=2000-01-01", "limit=0"):
        assert api.get(f"{address}?{wrong}").status_code == 400
    assert api.get("/api/v1/wallets/nothing/history").status_code == 404


def test_the_api_takes_a_fixed_number_of_queries(api: APIClient) -> None:
    wallet = three_assets()
    paths = ["", f"/{wallet.wallet_id}", f"/{wallet.wallet_id}/value", f"/{wallet.wallet_id}/history"]
    few = [queries(lambda path=path: api.get(f"/api/v1/wallets{path}")) for path in paths]  # type: ignore[misc]
    assert few == [5, 6, 5, 5]
    for number in range(5):
        more = paper(opening={f"A{number}": "1", "BTC": "1"})
        history(more, 1, 2)
    history(wallet, *range(200))
    assert [queries(lambda path=path: api.get(f"/api/v1/wallets{path}")) for path in paths] == few  # type: ignore[misc]


def test_the_list_and_the_wallets_page_show_worth_states_and_paths(viewer: Client) -> None:
    wallet = three_assets()
    listed = viewer.get("/wallets/").content.decode()
    assert "2,015.00 USD" in listed
    assert "no price of XYZ" in listed
    shown = viewer.get(f"/wallets/{wallet.wallet_id}/").content.decode()
    for words in ("2,015.00 USD", "2,000.00", "no price", "stored", "BTC-USD 1,000 at coinbase"):
        assert words in shown


def test_the_chart_has_the_history_and_what_there_is_now(viewer: Client) -> None:
    wallet = three_assets()
    history(wallet, 1, 2)
    found = viewer.get(f"/wallets/{wallet.wallet_id}/values/").json()
    assert [row[1:] for row in found["rows"]] == [[1.0, 100.0], [2.0, 100.0]]
    assert found["currency"] == "USD"


def test_a_wallet_of_very_many_assets_shows_those_worth_most_in_the_list(viewer: Client) -> None:
    wallet = paper(name="many", quote="USD", opening={"USD": "1"})
    rows = [WalletBalance(wallet=wallet, asset=f"A{number}", amount=Decimal(1)) for number in range(300)]
    WalletBalance.objects.bulk_create(rows)
    hear("A77-USD", "9")
    shown = viewer.get("/wallets/").content.decode()
    assert "A77" in shown
    assert "and 296 more" in shown
    assert "A299" not in shown
    services.wallet_archive(wallet=wallet)
    assert "10.00 USD" in viewer.get("/wallets/?archived=1").content.decode()
