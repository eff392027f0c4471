"""Candles made of trades, because the venue streams only five-minute ones. They are exact, because the venue makes its own of the
same trades."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from core.times import EPOCH
from engine.grid import close_moment, open_moment
from market.exchanges.base import Candle, Tick
from market.exchanges.coinbase.frames import VENUE

LATE = timedelta(seconds=1)
"""How long after a candle's end its last trades may still arrive."""


@dataclass(slots=True)
class Bar:
    time: datetime
    end: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal

    def add(self, price: Decimal, quantity: Decimal) -> None:
        self.high, self.low = max(self.high, price), min(self.low, price)
        self.close = price
        self.volume += quantity


class Bars:
    """Candles of one symbol and interval. A candle is handed on as closed only if all of its trades were seen. Those that began
    before `since` are left to whoever asks the venue."""

    def __init__(self, symbol: str, interval: str) -> None:
        self.symbol, self.interval = symbol, interval
        self.since: datetime | None = None
        """From this time on every trade was seen."""
        self._bar: Bar | None = None
        self._done = EPOCH

    def trades(self, ticks: Sequence[Tick]) -> Iterator[Candle]:
        """Takes trades in the venue's order. Gives the candles that they end, then the one that still grows."""
        for tick in ticks:
            if self._bar and tick.time >= self._bar.end:
                yield from self._close()
            if tick.time < (self._bar.time if self._bar else self._done):
                continue
            if self._bar is None:
                time = open_moment(self.interval, tick.time)
                self._bar = Bar(time, close_moment(self.interval, time), tick.price, tick.price, tick.price, tick.price, Decimal(0))
            self._bar.add(tick.price, tick.quantity or Decimal(0))
        if self._bar is not None and ticks and self._whole(self._bar):
            yield self._candle(self._bar, ticks[-1].received, closed=False)

    def close_until(self, now: datetime) -> Iterator[Candle]:
        """Ends the candles that are over at `now`, by the venue's clock: a candle can end without a trade after it."""
        if self._bar is not None and now >= self._bar.end + LATE:
            yield from self._close()

    def _close(self) -> Iterator[Candle]:
        bar, self._bar = self._bar, None
        if bar is None:
            return
        self._done = bar.end
        if self._whole(bar):
            yield self._candle(bar, 0.0, closed=True)

    def _whole(self, bar: Bar) -> bool:
        return self.since is not None and bar.time >= self.since

    def _candle(self, bar: Bar, received: float, *, closed: bool) -> Candle:
        prices = (bar.open, bar.high, bar.low, bar.close)
        return Candle(VENUE, self.symbol, self.interval, bar.time, *prices, bar.volume, closed, received)
