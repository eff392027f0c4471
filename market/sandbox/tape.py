"""The tape drives the prices: a seeded walk, candles or recorded trades, at any speed. The same seed and steps repeat a day."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from market.sandbox.history import MINUTE, SandboxCandle

PACE = 0.005
"""Seconds between two looks at the clock."""


class TapeTrade(NamedTuple):
    """A trade of others that the tape plays on a venue. `time` in ms."""

    venue: str
    symbol: str
    price: Decimal
    qty: Decimal
    buyer_is_maker: bool
    time: int


class Tape:
    """Plays trades in order of time. `now` is the market's time (ms); only `step` and `run` move it."""

    def __init__(self, ticks: Iterable[TapeTrade], play: Callable[[TapeTrade], None], *, start: int) -> None:
        self.now = start
        self._ticks, self._play = iter(ticks), play
        self._next = next(self._ticks, None)

    @property
    def over(self) -> bool:
        return self._next is None

    def step(self, milliseconds: int) -> None:
        """Plays all trades of the next so many milliseconds."""
        end = self.now + milliseconds
        while (tick := self._next) is not None and tick.time <= end:
            self.now = max(self.now, tick.time)
            self._next = next(self._ticks, None)
            self._play(tick)
        self.now = end

    async def run(self, speed: float, after: Callable[[], None]) -> None:
        """Plays without end at `speed` times real time, or at 0 as fast as possible to the end. Calls `after` every few ms."""
        began, first = time.monotonic(), self.now
        while speed or not self.over:
            self.step(max(0, first + int((time.monotonic() - began) * 1000 * speed) - self.now) if speed else MINUTE)
            after()
            await asyncio.sleep(PACE if speed else 0)


def of_candles(
    venue: str, symbol: str, candles: Iterable[SandboxCandle], *, lot: Decimal, step: int = MINUTE
) -> Iterator[TapeTrade]:
    """Four trades for each candle (of `step` ms), at its open, its extremes and its close, whose volumes sum to the candle's.

    Candles without volume had no trades and give none; those of less than four lots are cut finer than lots.
    """
    for candle in candles:
        rising = candle.close >= candle.open
        middle = (candle.low, candle.high) if rising else (candle.high, candle.low)
        part = candle.volume / 4
        part = part - part % lot or part
        last = candle.open
        for index, price in enumerate((candle.open, *middle, candle.close) if candle.volume else ()):
            qty = part if index < 3 else candle.volume - 3 * part
            yield TapeTrade(venue, symbol, price, qty, price < last, candle.time + index * (step // 4))
            last = price


def of_trades(venue: str, symbol: str, rows: Iterable[tuple[int, Decimal, Decimal, bool]]) -> Iterator[TapeTrade]:
    """Recorded trades: (time ms, price, quantity, buyer is maker), in order of time."""
    for moment, price, qty, buyer_is_maker in rows:
        yield TapeTrade(venue, symbol, price, qty, buyer_is_maker, moment)
