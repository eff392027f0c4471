"""What waits for a slow handler: only the newest of what is superseded, all of the rest, in an order that misleads nobody."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from market.exchanges.base import Candle, Depth, MarketEvent, StreamGap, Tick
from market.feed.backlog import Backlog
from market.feed.ending import end_tasks

START = datetime(2026, 1, 1, tzinfo=UTC)
ONE = Decimal(1)
symbols = st.sampled_from(["A-B", "C-D"])
kinds = st.sampled_from(["tick", "closed", "growing", "depth", "gap"])


def event(number: int, kind: str, symbol: str) -> MarketEvent:
    time = START + timedelta(minutes=number)
    if kind == "tick":
        return Tick("v", symbol, Decimal(number + 1), time)
    if kind == "depth":
        return Depth("v", symbol, time, (), ())
    if kind == "gap":
        return StreamGap("v", "why", time, symbol)
    return Candle("v", symbol, "1m", time, ONE, ONE, ONE, ONE, Decimal(number), kind == "closed")


async def drain(events: list[MarketEvent]) -> tuple[list[MarketEvent], Backlog]:
    backlog = Backlog()
    for each in events:
        backlog.put(each)
    return [await backlog.get() for _ in range(len(backlog))], backlog


@given(st.lists(st.tuples(kinds, symbols), max_size=40))
def test_facts_are_kept_and_prices_are_the_newest(rows: list[tuple[str, str]]) -> None:
    events = [event(number, kind, symbol) for number, (kind, symbol) in enumerate(rows)]
    got, backlog = asyncio.run(drain(events))
    assert len(got) + backlog.coalesced == len(events)
    facts = [each for each in events if isinstance(each, StreamGap) or (isinstance(each, Candle) and each.closed)]
    assert [each for each in got if each in facts] == facts
    for symbol in ("A-B", "C-D"):
        ticks = [each for each in events if isinstance(each, Tick) and each.symbol == symbol]
        out = [each for each in got if isinstance(each, Tick) and each.symbol == symbol]
        assert out[-1:] == ticks[-1:]
        closed = [each for each in events if isinstance(each, Candle) and each.symbol == symbol and each.closed]
        for candle in closed:
            before = {tick.price for tick in out if got.index(tick) < got.index(candle)}
            assert all(price <= candle.volume + 1 for price in before)  # no tick overtakes the candle that it came behind
        assert len(out) <= len(closed) + 1


async def test_a_task_that_loses_its_first_cancellation_ends_all_the_same() -> None:
    async def deaf() -> None:
        for _ in range(2):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await end_tasks([task])
    assert task.done()
