"""An asset's price in any currency: of now before an old one, by whatever path leads there, with its source and age; or none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from market.price_book import AssetPrice, PriceBook
from tests.broker import forget_keys
from tests.wallets.prices import hear, store

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def no_prices() -> Iterator[None]:
    forget_keys("prices:*")
    yield
    forget_keys("prices:*")


def find(asset: str, currency: str = "USD", environment: str = "live") -> AssetPrice:
    return PriceBook(environment, {asset, currency}).price(asset, currency)


def path_of(found: AssetPrice) -> str:
    return " ".join(f"{one.venue}:{one.symbol}" for one in found.path)


def test_a_price_goes_over_both_venues_and_says_how() -> None:
    hear("XYZ-USDT", "6")
    hear("USDT-USD", "0.5", venue="coinbase")
    found = find("XYZ")
    assert (found.price, found.state, path_of(found)) == (Decimal(3), "live", "binance:XYZ-USDT coinbase:USDT-USD")
    assert found.age < timedelta(seconds=10)


def test_a_tether_is_no_dollar_where_nothing_says_what_it_costs() -> None:
    hear("XYZ-USDT", "6")
    assert (find("XYZ").price, find("USDT").state) == (None, "missing")
    assert (find("USDT", "USDT").price, find("USDT", "USDT").state) == (Decimal(1), "live")


def test_prices_of_another_environment_never_come_in() -> None:
    hear("XYZ-USD", "6", environment="sandbox")
    store("XYZ-USD", "5", venue="binance-sandbox")
    store("ABC-USD", "5")
    assert find("XYZ").state == find("XYZ", environment="testnet").state == "missing"
    assert (find("XYZ", environment="sandbox").price, find("ABC", environment="sandbox").price) == (Decimal(6), None)


def test_a_price_of_now_comes_before_an_older_one_and_that_before_a_very_old_one() -> None:
    store("XYZ-USD", "1", ago=400 * DAY)
    found = find("XYZ")
    assert (found.price, found.state, found.age.days) == (Decimal(1), "stored", 400)
    hear("XYZ-USD", "2", ago=9 * 86_400)
    assert (find("XYZ").price, find("XYZ").state) == (Decimal(2), "old")
    store("XYZ-USD", "3", venue="coinbase", ago=DAY / 2)
    assert (find("XYZ").price, find("XYZ").state) == (Decimal(3), "stored")
    hear("XYZ-USDT", "8", ago=90)
    hear("USDT-USD", "0.5", venue="coinbase")
    assert find("XYZ").price == 3, "both are of today, and the shorter path is taken"
    hear("XYZ-USDT", "8")
    assert (find("XYZ").price, find("XYZ").state) == (Decimal(4), "live")


def test_the_age_is_that_of_the_oldest_price_on_the_path() -> None:
    hear("XYZ-USDT", "6")
    hear("USDT-USD", "0.5", venue="coinbase", ago=3_600)
    found = find("XYZ")
    assert (found.state, round(found.age.total_seconds(), -2)) == ("old", 3_600)


def test_two_venues_that_both_hear_a_symbol_take_no_turns() -> None:
    hear("XYZ-USD", "6", ago=30)
    hear("XYZ-USD", "7", venue="coinbase")
    assert (find("XYZ").price, path_of(find("XYZ"))) == (Decimal(6), "binance:XYZ-USD")
    hear("XYZ-USD", "6", ago=70)
    assert find("XYZ").price == 7


@pytest.mark.parametrize("price", ["0", "-5", "NaN", "Infinity", "1e30", "1e-30"])
def test_an_absurd_price_is_none(price: str) -> None:
    hear("XYZ-USD", price, ago=1)
    assert find("XYZ").price is None
    store("XYZ-USD", "4")
    assert find("XYZ").price == 4


def test_prices_that_are_absurd_together_are_none() -> None:
    hear("XYZ-USDT", "1e14")
    hear("USDT-USD", "1e14")
    assert (find("XYZ").price, find("XYZ").state) == (None, "missing")


def test_five_thousand_assets_cost_one_query_and_those_unknown_are_said_to_be() -> None:
    names = [f"A{number}" for number in range(5_000)]
    hear("A7-USD", "2")
    with CaptureQueriesContext(connection) as asked:
        book = PriceBook("live", {*names, "USD"})
        states = [book.price(name, "USD").state for name in names]
    assert len(asked) == 1
    assert (states.count("missing"), states[7]) == (4_999, "live")
    assert book.price("never heard of", "USD").price is None
    assert book.price("A7", "A8").price is None


def test_what_prices_of_now_tell_asks_the_database_nothing() -> None:
    hear("XYZ-USD", "2")
    with CaptureQueriesContext(connection) as asked:
        assert find("XYZ").price == Decimal(2)
    assert not asked
