"""Live candles into the candle store, a few at a time, and back out of it: what a bot has seen can be replayed.

Candles are added on the loop and written in a database thread; the lock is between these two. The functions that read and write
candles are called in a database thread, `load_history` on the loop.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from core.times import from_ms, to_ms
from engine.grid import find_close, open_moment
from engine.types import Candles
from market import candles as store
from market.exchanges.base import Candle, Exchange
from market.models import CandleSeries
from market.services import instrument_ensure
from trading.live.history import CandleHistory
from trading.live.threads import DESK, LOOP, called_from

logger = logging.getLogger(__name__)


@called_from(LOOP)
class Recorder:
    """Closed candles of one venue that wait to be written. A write that fails (a full disk) keeps them for the next."""

    MOST = 200_000

    def __init__(self, key: str) -> None:
        self.key = key
        self.waiting: dict[tuple[str, str], list[Candle]] = {}
        self.guard = threading.Lock()
        self.fault = ""

    def add(self, candle: Candle) -> None:
        with self.guard:
            self.waiting.setdefault((candle.symbol, candle.interval), []).append(candle)

    @called_from(DESK)
    def flush(self) -> None:
        with self.guard:
            waiting, self.waiting = self.waiting, {}
        for market, candles in waiting.items():
            try:
                candles_keep(self.key, *market, candles)
                self.fault = ""
            except OSError as error:
                self.fault = f"Candles cannot be written: {error.strerror or error}. They are kept in memory."
                logger.error("%s", self.fault)
                with self.guard:
                    self.waiting[market] = (candles + self.waiting.get(market, []))[-self.MOST :]


def candles_keep(key: str, symbol: str, interval: str, candles: Sequence[Candle]) -> None:
    """Stores them, but for those off the interval's grid, which some venues have given after an outage."""
    fitting = [one for one in candles if open_moment(interval, one.time) == one.time]
    if fitting:
        store.write_candles(instrument_ensure(venue=key, symbol=symbol), make_candles(symbol, interval, fitting))


def make_candles(symbol: str, interval: str, candles: Sequence[Candle]) -> Candles:
    """In order, without doubles."""
    rows = {to_ms(one.time): one for one in candles}
    times = sorted(rows)
    values = ([float(getattr(rows[moment], name)) for moment in times] for name in ("open", "high", "low", "close", "volume"))
    return Candles(symbol, interval, np.array(times, dtype=np.int64), *(np.array(column, dtype=np.float64) for column in values))


async def load_history(
    exchange: Exchange, key: str, symbol: str, interval: str, since: int, until: datetime, in_thread: Callable[..., Awaitable[Any]]
) -> CandleHistory:
    """The candles from `since` (ms) to `until`: from the store, and what it lacks from the venue, into the store first."""
    series = await in_thread(find_series, key, symbol, interval)
    first = since
    if series is not None and to_ms(series.first) <= since:
        first = max(since, find_close(interval, to_ms(series.last)))
    fetched = await exchange.candles(symbol, interval, from_ms(first), until)
    await in_thread(candles_keep, key, symbol, interval, [one for one in fetched if one.closed])
    return CandleHistory(await in_thread(load_stored, key, symbol, interval, since))


def load_stored(key: str, symbol: str, interval: str, since: int) -> Candles:
    series = find_series(key, symbol, interval)
    if series is None or to_ms(series.last) < since:
        empty = np.array([], dtype=np.float64)
        return Candles(symbol, interval, np.array([], dtype=np.int64), *(empty for _ in range(5)))
    return store.load_candles(venue=key, symbol=symbol, interval=interval, start=from_ms(since), end=None)


def find_series(key: str, symbol: str, interval: str) -> CandleSeries | None:
    return CandleSeries.objects.filter(instrument__venue=key, instrument__symbol=symbol, interval=interval).first()
