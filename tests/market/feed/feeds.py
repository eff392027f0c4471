"""A feed that runs beside a test, and everything that it reported."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any

from market.exchanges.base import Candle, MarketEvent, StreamGap, Tick
from market.feed import Feed, FeedStatus, Incident, Subscription, Timing
from market.feed.subscription import Key
from tests.market.exchanges.venues import SYMBOLS, Desk, Venue, until

QUICK = Timing(
    backoff=(0.05,), silence=0.3, settle=0.1, poll=0.05, late=0.5, again=0.05, stale=0.3, change=0.01, tend=0.02, report=0.05
)


@dataclass
class Running:
    """What a feed handed on and reported. The handler waits while `gate` is closed."""

    wanted: Subscription
    events: list[MarketEvent] = field(default_factory=list)
    statuses: list[FeedStatus] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, event: MarketEvent) -> None:
        await self.gate.wait()
        self.events.append(event)

    def on_report(self, said: FeedStatus | Incident) -> None:
        if isinstance(said, Incident):
            self.incidents.append(said)
        else:
            self.statuses.append(said)

    @property
    def state(self) -> str:
        return self.statuses[-1].state if self.statuses else ""

    @property
    def states(self) -> list[str]:
        """The states in order, each once for as long as it lasted."""
        names = [status.state for status in self.statuses]
        return [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]

    @property
    def gaps(self) -> list[StreamGap]:
        return [event for event in self.events if isinstance(event, StreamGap)]

    def prices(self, symbol: str) -> list[Decimal]:
        return [event.price for event in self.events if isinstance(event, Tick) and event.symbol == symbol]

    def closed_candles(self, symbol: str, interval: str = "1m") -> list[Candle]:
        candles = [event for event in self.events if isinstance(event, Candle) and event.closed]
        return [candle for candle in candles if (candle.symbol, candle.interval) == (symbol, interval)]

    async def until_state(self, state: str) -> None:
        await until(lambda: self.state == state, f"a feed that is {state}")

    async def until_price(self, symbol: str, price: str) -> None:
        await until(lambda: Decimal(price) in self.prices(symbol), f"{symbol} at {price}")

    def over(self, kind: str) -> list[Incident]:
        return [each for each in self.incidents if each.kind == kind and each.end]


@asynccontextmanager
async def running_feed(
    desk: Desk,
    venue: Venue,
    *,
    symbols: Sequence[str] = (),
    intervals: Sequence[str] = ("1m",),
    timing: Timing = QUICK,
    closed: dict[Key, datetime] | None = None,
) -> AsyncIterator[Running]:
    """Runs a feed by the clock of the sandbox's market."""
    exchange = await desk.connect(venue)
    running = Running(Subscription(symbols or [SYMBOLS[venue]], intervals, closed=closed))
    running.gate.set()
    task = asyncio.create_task(
        Feed(
            exchange,
            running.wanted,
            running.handle,
            on_status=running.on_report,
            clock=lambda: desk.sandbox.sandbox.tape.now / 1000,
            random=Random(1),
            timing=timing,
        ).run()
    )
    try:
        yield running
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert running.state == "stopped"


def patient(**changes: Any) -> Timing:
    """Short times, except for those that are given."""
    return replace(QUICK, **changes)
