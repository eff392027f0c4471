"""What wallets, venues and the desk are worth: each kind of money by itself, and nothing counted that has no price."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.models import AuditEntry
from core.errors import Forbidden, Invalid
from tests.broker import forget_keys
from tests.wallets.making import account, paper
from tests.wallets.prices import hear, store
from wallets import services
from wallets.models import Reporting, Wallet, WalletBalance
from wallets.selectors import reporting_currency, wallets_list
from wallets.valuation import DeskWorth, sum_desk, value_wallets

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_prices() -> Iterator[None]:
    forget_keys("prices:*")
    yield
    forget_keys("prices:*")


def exchange(environment: str, venue: str = "binance", **amounts: str) -> Wallet:
    row = account(venue=venue, environment=environment)
    wallet = services.wallet_create(name=row.name, kind="exchange", quote="USDT", account=row)
    for asset, amount in amounts.items():
        WalletBalance.objects.create(wallet=wallet, asset=asset, amount=Decimal(amount))
    return wallet


def desk(currency: str = "USD") -> list[DeskWorth]:
    wallets = list(wallets_list())
    return sum_desk(wallets, value_wallets(wallets, currency), currency)


def test_a_wallet_is_worth_what_has_a_price_and_names_the_rest() -> None:
    wallet = paper(opening={"USDT": "100", "BTC": "2", "XYZ": "5", "OLD": "1"})
    hear("BTC-USD", "1000", venue="coinbase")
    hear("USDT-USD", "0.9", venue="coinbase")
    store("OLD-USDT", "10")
    worth = value_wallets(list(wallets_list()), "USD")[wallet.pk]
    assert (worth.value, worth.unpriced, worth.estimated) == (Decimal("2099.0"), ("XYZ",), ("OLD",))
    assert {one.asset: one.value for one in worth.holdings} == {"BTC": 2000, "OLD": 9, "USDT": 90, "XYZ": None}
    own = value_wallets(list(wallets_list()))[wallet.pk]
    assert (own.currency, own.cash, own.unpriced) == ("USDT", Decimal(100), ("XYZ",))


def test_paper_testnet_and_real_money_are_never_added_up() -> None:
    paper(opening={"USDT": "1"})
    exchange("sandbox", USDT="10")
    exchange("testnet", USDT="100")
    exchange("live", USDT="1000")
    exchange("live", "coinbase", USDT="10000", XYZ="3")
    found = {one.money: one for one in desk("USDT")}
    assert {money: one.sum.value for money, one in found.items()} == {"live": 11_000, "testnet": 110, "paper": 1}
    assert [(one.venue, one.sum.value) for one in found["live"].venues] == [
        ("binance", Decimal(1_000)),
        ("coinbase", Decimal(10_000)),
    ]
    assert found["live"].sum.unpriced == ("XYZ",)


def test_play_money_is_not_valued_at_real_prices_nor_real_money_at_those_of_play() -> None:
    exchange("sandbox", BTC="1")
    exchange("live", BTC="1")
    hear("BTC-USD", "5", environment="sandbox")
    assert {one.money: (str(int(one.sum.value)), *one.sum.unpriced) for one in desk()} == {"live": ("0", "BTC"), "testnet": ("5",)}


def test_an_absurd_value_is_left_out_by_name() -> None:
    exchange("live", BTC="9999999999999999", USDT="1")
    hear("BTC-USDT", "99999999999999")
    (found,) = desk("USDT")
    assert (found.sum.value, found.sum.unpriced) == (Decimal(1), ("BTC",))


def test_many_wallets_are_valued_by_the_same_few_queries() -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            desk()
        return len(asked)

    exchange("live", BTC="1")
    few = count()
    for number in range(5):
        exchange("live", **{f"A{number}": "1"})
    assert count() == few == 4


def test_the_reporting_currency_is_chosen_by_who_may() -> None:
    assert reporting_currency() == "USD"
    root, viewer = User.objects.create_superuser("root"), User.objects.create_user("viewer")
    services.reporting_currency_set(currency=" eur ", user=root)
    assert (reporting_currency(), Reporting.objects.get().changed_by) == ("EUR", "root")
    assert AuditEntry.objects.get().act == "change reporting currency"
    with pytest.raises(Forbidden):
        services.reporting_currency_set(currency="USDT", user=viewer)
    for wrong in ("", "A" * 17, "DROP TABLE", "É"):
        with pytest.raises(Invalid) as refused:
            services.reporting_currency_set(currency=wrong)
        assert "currency" in refused.value.fields
    assert reporting_currency() == "EUR"


def test_the_reporting_currency_is_changed_in_the_admin_and_wrong_ones_are_told_at_the_field() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    assert "USD" in client.get("/admin/wallets/reporting/").content.decode()
    assert client.post("/admin/wallets/reporting/1/change/", {"currency": "usdt"}).status_code == 302
    assert (reporting_currency(), Reporting.objects.get().changed_by) == ("USDT", "root")
    assert "must be an asset" in client.post("/admin/wallets/reporting/1/change/", {"currency": "?"}).content.decode()
    assert client.get("/admin/wallets/reporting/add/").status_code == 403
