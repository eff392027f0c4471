"""The depth of books: it is kept for pages that open, and pushed only to pages that show it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import reverse

from core.broker import broker_client
from market import candles as store
from market.depths import LEVELS, depth_get, depth_json, depths_key, depths_put
from market.exchanges.base import Depth
from market.models import CandleSeries
from market.services import instrument_ensure
from tests.backtests.fixtures import make_candles, storage_folder
from tests.core.sockets.clients import Client
from tests.core.sockets.test_market import MARKET, Headers, batch, payloads, tick
from tests.trading.live.fixtures import Rows, clear_prices

__all__ = ["storage_folder"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]
SANDBOX = {"venue": "binance", "environment": "sandbox"}


def book(best: str = "100", symbol: str = "ETH-BTC", levels: int = 12) -> dict[str, Any]:
    steps = [(Decimal(best) - number, Decimal("0.5")) for number in range(levels)]
    return depth_json(Depth("binance", symbol, datetime(2026, 1, 1, tzinfo=UTC), tuple(steps), tuple(steps)))


@pytest.fixture
def empty() -> None:
    clear_prices()
    broker_client(0.5).delete(depths_key("binance", "sandbox"))


def test_the_newest_book_is_kept(empty: None) -> None:
    assert depth_get(**SANDBOX, symbol="ETH-BTC") is None
    depths_put(**SANDBOX, books=[book("99"), book("1", "BTC-USDT")])
    depths_put(**SANDBOX, books=[book("100")])
    found = depth_get(**SANDBOX, symbol="ETH-BTC")
    assert found is not None
    assert (found["bids"][0], len(found["bids"]), found["stale"]) == (["100", "0.5"], LEVELS, False)
    assert (found["venue"], found["environment"], found["time"]) == ("binance", "sandbox", "2026-01-01T00:00:00Z")


async def test_a_book_goes_to_those_that_asked_for_books(headers: Headers) -> None:
    told = SANDBOX | book()
    async with Client(MARKET, headers) as reader, Client(MARKET, headers) as other:
        await reader.ask(action="subscribe", symbols=["binance-sandbox:ETH-BTC"], books=True)
        await other.ask(action="subscribe", symbols=["binance-sandbox:ETH-BTC"])
        await reader.until_heard(1)
        await other.until_heard(1)
        await batch(depths=[told], ticks=[tick(1, "ETH-BTC", environment="sandbox")])
        await reader.until_heard(3)
        await other.until_heard(2)
        assert payloads(reader, "depth") == [told]
        assert payloads(other, "depth") == []
        await reader.ask(action="unsubscribe", symbols=["binance-sandbox:ETH-BTC"])
        await reader.until_heard(4)
        await batch(depths=[told], streams=[SANDBOX | {"state": "live"}])
        await reader.until_heard(5)
        assert payloads(reader, "depth") == [told]


def test_the_instruments_page_shows_the_book(empty: None, rows: Rows, storage_folder: None) -> None:
    store.write_candles(instrument_ensure(venue="binance-sandbox", symbol="ETH-BTC"), make_candles(count=30))
    browser, series = Browser(), CandleSeries.objects.get()
    browser.force_login(User.objects.create_user("viewer"))
    page = reverse("market:detail", args=[series.pk])
    assert "Depth of book" not in browser.get(page).content.decode()  # nobody streams that venue
    rows.stream("binance", "sandbox")
    assert "no book heard yet" in browser.get(page).content.decode()
    depths_put(**SANDBOX, books=[book("123.4")])
    shown = browser.get(page).content.decode()
    assert "123.4" in shown
    assert 'data-name="binance-sandbox:ETH-BTC"' in shown
