"""Movements over the API, on the wallet's page and in the admin: filters, pages, few queries, and why one does not count."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from rest_framework.test import APIClient

from market.exchanges.base import UnreadRow
from market.exchanges.movements import Movement as VenueMovement
from market.exchanges.movements import MovementLeg
from tests.wallets.making import HTMX, account, queries
from tests.wallets.test_movements import OPENED, moved, take
from wallets import services
from wallets.models import MovementCursor, Wallet

pytestmark = pytest.mark.django_db
ADDRESS = "0x94df8b352de7f46f64b01d3666bf6e936e44ce60"


@pytest.fixture
def wallet() -> Wallet:
    made = services.wallet_create(name="main", kind="exchange", quote="USDT", account=account())
    services.ledger_opening_from_venue(wallet=made, balances=[], ts=OPENED)
    return made


def row(number: int, **changes: object) -> VenueMovement:
    legs = (MovementLeg("BTC", Decimal(-1)), MovementLeg("ETH", Decimal(20)))
    at = OPENED + timedelta(hours=number)
    return replace(moved(f"c-{number}", kind="conversion", time=at, moved_at=at), legs=legs, **changes)  # type: ignore[arg-type]


def test_the_api_tells_each_movement_filtered_and_page_by_page(wallet: Wallet, api: APIClient) -> None:
    deposit = moved(fee=Decimal("0.1"), fee_asset="BTC", network="ETH", address=ADDRESS)
    take(
        wallet, deposit, *(row(number) for number in range(1, 6)), replace(deposit, reference="p-1", state="pending", moved_at=None)
    )
    path = f"/api/v1/wallets/{wallet.wallet_id}/movements"
    first = api.get(f"{path}?limit=4").json()
    rest = api.get(first["next"]).json()
    told = [*first["results"], *rest["results"]]
    assert [one["reference"] for one in told] == ["c-5", "c-4", "c-3", "c-2", "p-1", "c-1", "d-1"]
    assert rest["next"] is None
    one = told[-1]
    assert (one["address"], one["fee"], one["booked"], one["why"]) == (ADDRESS, "0.1", "booked", "Booked")
    assert one["transaction"] == wallet.transactions.get(kind="deposit").pk
    assert [(leg["asset"], leg["amount"]) for leg in told[0]["legs"]] == [("BTC", "-1"), ("ETH", "20")]
    assert [each["reference"] for each in api.get(f"{path}?state=pending").json()["results"]] == ["p-1"]
    assert len(api.get(f"{path}?kind=conversion").json()["results"]) == 5
    since = (OPENED + timedelta(hours=4)).isoformat().replace("+00:00", "Z")
    assert [each["reference"] for each in api.get(f"{path}?since={since}").json()["results"]] == ["c-5", "c-4"]


@pytest.mark.parametrize("query", ["kind=loan", "state=maybe", "since=yesterday", "limit=0", "cursor=x"])
def test_a_query_that_cannot_be_used_is_told_by_field(wallet: Wallet, api: APIClient, query: str) -> None:
    answer = api.get(f"/api/v1/wallets/{wallet.wallet_id}/movements?{query}")
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [query.partition("=")[0]])


def test_api_page_and_admin_take_a_fixed_number_of_queries(wallet: Wallet, api: APIClient, root: Client) -> None:
    take(wallet, row(1), moved())
    asks = {
        "api": lambda: api.get(f"/api/v1/wallets/{wallet.wallet_id}/movements"),
        "page": lambda: root.get(f"/wallets/{wallet.wallet_id}/"),
        "rows": lambda: root.get(f"/wallets/{wallet.wallet_id}/movements/", headers=HTMX),
        "admin": lambda: root.get("/admin/wallets/movement/"),
    }
    few = {name: queries(ask) for name, ask in asks.items()}
    take(wallet, *(row(number) for number in range(2, 40)))
    assert {name: queries(ask) for name, ask in asks.items()} == few


def test_the_page_says_of_each_whether_it_counts_and_why_not(wallet: Wallet, root: Client) -> None:
    deposit = moved(network="ETH", address=ADDRESS, txid="Internal transfer 1234")
    unread = UnreadRow("binance", "movement", '{"id": "<b>7</b>"}', "KeyError")
    take(wallet, deposit, replace(deposit, reference="d-2"), row(1, state="pending"), unread)
    take(wallet, moved("d-0", time=OPENED - timedelta(days=1), moved_at=OPENED - timedelta(days=1)))
    now = datetime.now(UTC)
    MovementCursor.objects.create(wallet=wallet, listed="rewards", since=now, asked_at=now)
    MovementCursor.objects.create(wallet=wallet, listed="dust", since=now, problem="No such thing.", offered=False)
    MovementCursor.objects.create(wallet=wallet, listed="transfers", since=now, problem="Busy.")
    page = root.get(f"/wallets/{wallet.wallet_id}/").content.decode()
    words = ("the venue has not done it", "the opening of the books holds it already", "tells it under another id too")
    assert all(text in page for text in (*words, "0x94df8b…44ce60", "Internal transfer 1234", "the desk does not know what it is"))
    assert "Dust: not offered here. No such thing." in page
    assert "The transfers were not read: Busy." in page
    assert "&lt;b&gt;7&lt;/b&gt;" in page
    assert "<b>7</b>" not in page


def test_more_rows_are_loaded_where_the_page_ends(wallet: Wallet, root: Client) -> None:
    take(wallet, *(row(number) for number in range(60)))
    page = root.get(f"/wallets/{wallet.wallet_id}/").content.decode()
    assert page.count("Conversion<div") == 50
    cursor = page.split(f"/wallets/{wallet.wallet_id}/movements/?cursor=")[1].split('"')[0]
    rest = root.get(f"/wallets/{wallet.wallet_id}/movements/?cursor={cursor}", headers=HTMX).content.decode()
    assert rest.count("Conversion<div") == 10
    assert root.get(f"/wallets/{wallet.wallet_id}/movements/").url == f"/wallets/{wallet.wallet_id}/"  # type: ignore[attr-defined]


def test_movements_are_for_reading_in_the_admin(wallet: Wallet, root: Client) -> None:
    (kept,) = take(wallet, moved())
    assert root.get(f"/admin/wallets/movement/{kept.pk}/change/").status_code == 200
    assert root.get("/admin/wallets/movement/add/").status_code == 403
    assert root.post(f"/admin/wallets/movement/{kept.pk}/delete/", {"post": "yes"}).status_code == 403
    assert root.get("/admin/wallets/movementcursor/").status_code == 200
