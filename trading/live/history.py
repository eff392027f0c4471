"""The candles that a running strategy sees: columns that grow, shared by all bots on the same market, and what strategies made of
them.

Candles are appended on the loop. Bots read in their own threads without a lock: a candle is counted once all its columns are there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.live import OHLCV, SignalRow, decide_row
from engine.strategy import Strategy
from engine.types import Candles, Floats, Sizing
from trading.live.threads import ANY, BOT, LOOP, called_from

COLUMNS = ("open", "high", "low", "close", "volume")


@called_from(*ANY)
class CandleHistory:
    """Closed candles of one symbol and interval, oldest first. Appending costs no copy but when the room doubles."""

    def __init__(self, candles: Candles) -> None:
        self.symbol, self.interval = candles.symbol, candles.interval
        self.length, self.volume_known = len(candles), candles.volume_known
        room = max(256, 2 * self.length)
        self.time = np.zeros(room, dtype=np.int64)
        self.time[: self.length] = candles.time
        self.columns: dict[str, Floats] = {}
        for name in COLUMNS:
            self.columns[name] = np.zeros(room)
            self.columns[name][: self.length] = getattr(candles, name)

    def __len__(self) -> int:
        return self.length

    @property
    def last(self) -> int | None:
        """Open time of the newest candle."""
        return int(self.time[self.length - 1]) if self.length else None

    @called_from(LOOP)
    def append(self, time_ms: int, candle: OHLCV) -> bool:
        """False for one that is not newer than the last."""
        if self.last is not None and time_ms <= self.last:
            return False
        if self.length == len(self.time):
            self.time = np.concatenate([self.time, np.zeros_like(self.time)])
            self.columns = {name: np.concatenate([column, np.zeros_like(column)]) for name, column in self.columns.items()}
        self.time[self.length] = time_ms
        for name in COLUMNS:
            self.columns[name][self.length] = getattr(candle, name)
        self.length += 1
        return True

    def at(self, time_ms: int) -> OHLCV | None:
        """The candle that opened then."""
        i = int(np.searchsorted(self.time[: self.length], time_ms))
        if i == self.length or self.time[i] != time_ms:
            return None
        return OHLCV(*(float(self.columns[name][i]) for name in COLUMNS))

    def since(self, time_ms: int) -> list[int]:
        """Open times after `time_ms`."""
        start = int(np.searchsorted(self.time[: self.length], time_ms, side="right"))
        return [int(value) for value in self.time[start : self.length]]

    def candles(self, start: int, last: int) -> Candles:
        """Those that opened from `start` to `last`, both counted; without copying."""
        low, high = np.searchsorted(self.time[: self.length], [start, last + 1])
        part = slice(int(low), int(high))
        columns = (self.columns[name][part] for name in COLUMNS)
        return Candles(self.symbol, self.interval, self.time[part], *columns, volume_known=self.volume_known)


@called_from(BOT)
class Decisions:
    """Equal work for equal bots is done once: what a strategy wants at a close, by all that it depends on. The newest few are
    kept."""

    MOST = 4_096

    def __init__(self) -> None:
        self.known: OrderedDict[tuple[Any, ...], SignalRow | None] = OrderedDict()
        self.computed = self.shared = 0

    def row(
        self, market: str, history: CandleHistory, strategy: Strategy, sizing: Sizing, start: int, time_ms: int
    ) -> SignalRow | None:
        """What `strategy` wants at the close of the candle that opened at `time_ms`, having seen those from `start` on. None in its
        warm-up. `StrategyFailed` where it raises."""
        key = (market, history.symbol, history.interval, strategy.name, sort_items(strategy.values), sizing, start, time_ms)
        if key in self.known:
            self.shared += 1
            return self.known[key]
        row = self.known[key] = decide_row(strategy, history.candles(start, time_ms), sizing)
        self.computed += 1
        while len(self.known) > self.MOST:
            self.known.popitem(last=False)
        return row


def sort_items(values: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(values.items()))
