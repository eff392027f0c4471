"""A part of a feed that fails in a way that nobody foresaw costs the other symbols nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from market.exchanges.base import Alive, Candle, MarketEvent, Tick
from market.feed import Feed, Subscription
from market.feed.gates import CandleGates
from market.feed.intake import Intake
from market.feed.polling import Polling
from tests.market.feed.feeds import QUICK

NOW = datetime(2026, 3, 4, 12, 0, 30, tzinfo=UTC)
SYMBOLS = ("BTC-USDT", "ETH-USDT")


def tick(symbol: str, price: int) -> Tick:
    return Tick("binance", symbol, Decimal(price), NOW)


class Venue:
    """Its stream says what it is given and then nothing; of candles it has none, and trips over those of the first symbol."""

    venue, skipped_frames = "binance", 0

    def __init__(self, *said: MarketEvent) -> None:
        self.said, self.asked, self.opened = said, list[str](), 0

    async def market_stream(self, symbols: Sequence[str], intervals: Sequence[str], *, depth: bool = False) -> AsyncIterator[Any]:
        self.opened += 1
        yield Alive("binance", NOW)
        for event in self.said:
            yield event
        await asyncio.Event().wait()

    async def candles(self, symbol: str, interval: str, start: datetime, end: datetime) -> list[Candle]:
        self.asked.append(symbol)
        if symbol == SYMBOLS[0]:
            raise ZeroDivisionError
        return []

    async def tickers(self, symbols: Sequence[str]) -> list[Tick]:
        return []


async def turn_loop() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_a_back_fill_that_fails_here_is_asked_again_after_its_wait_and_holds_up_no_other() -> None:
    venue, timing = Venue(), replace(QUICK, again=1_000.0)
    gates = CandleGates(venue, lambda _: None, timing)  # type: ignore[arg-type]
    gates.want([(symbol, "1m") for symbol in SYMBOLS], {}, NOW)
    for seconds in (60, 61, 62):
        gates.tend(NOW + timedelta(seconds=seconds))
        await turn_loop()
    assert sorted(venue.asked) == list(SYMBOLS)
    await gates.close()


async def feeding(venue: Venue, handle: Any) -> asyncio.Task[None]:
    wanted = Subscription(SYMBOLS, ("1m",))
    feed = Feed(venue, wanted, handle, on_status=lambda _: None, clock=NOW.timestamp, timing=QUICK)  # type: ignore[arg-type]
    return asyncio.create_task(feed.run())


async def test_an_event_that_cannot_be_taken_in_costs_no_other_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    take, came, over = Intake.take, list[Tick](), asyncio.Event()

    def trip(self: Intake, event: Any, symbols: Any) -> None:
        if event.symbol == SYMBOLS[0]:
            raise ZeroDivisionError
        take(self, event, symbols)

    async def handle(event: MarketEvent) -> None:
        assert isinstance(event, Tick)
        came.append(event)
        over.set()

    monkeypatch.setattr(Intake, "take", trip)
    venue = Venue(tick(SYMBOLS[0], 1), tick(SYMBOLS[0], 2), tick(SYMBOLS[1], 3))
    task = await feeding(venue, handle)
    async with asyncio.timeout(30):
        await over.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert (came, venue.opened) == ([tick(SYMBOLS[1], 3)], 1)
    assert caplog.text.count("could not be taken in") == 1


async def test_a_part_that_fails_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, again = list[int](), asyncio.Event()

    async def run(_: Polling) -> None:
        begun.append(1)
        if len(begun) > 1:
            again.set()
            await asyncio.Event().wait()
        raise ZeroDivisionError

    async def handle(event: MarketEvent) -> None: ...

    monkeypatch.setattr(Polling, "run", run)
    venue = Venue()
    task = await feeding(venue, handle)
    async with asyncio.timeout(30):
        await again.wait()
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert venue.opened == 1
