"""The trades of one symbol, and candles made of them. Candles from before its first trade can be loaded."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter

from market.sandbox.events import PublicTrade
from market.sandbox.orders import ZERO

MINUTE = 60_000
DAY = 86_400_000
INTERVALS: dict[str, int] = {
    "1m": MINUTE,
    "3m": 3 * MINUTE,
    "5m": 5 * MINUTE,
    "15m": 15 * MINUTE,
    "30m": 30 * MINUTE,
    "1h": 60 * MINUTE,
    "2h": 120 * MINUTE,
    "4h": 240 * MINUTE,
    "6h": 360 * MINUTE,
    "8h": 480 * MINUTE,
    "12h": 720 * MINUTE,
    "1d": DAY,
    "3d": 3 * DAY,
    "1w": 7 * DAY,
    "1M": 31 * DAY,
}
"""Lengths in ms, of months the longest."""
ORIGINS = {"3d": DAY, "1w": 4 * DAY}
"""Where the grid is not counted from 1970. Binance counts three days from a symbol's listing: this is BTCUSDT's grid."""
KEPT_TRADES, KEPT_MINUTES = 10_000, 50_000


def open_at(interval: str, time: int) -> int:
    """When the candle opened in which `time` (ms) lies."""
    if interval == "1M":
        day = datetime.fromtimestamp(time / 1000, UTC)
        return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()) * 1000
    return time - (time - ORIGINS.get(interval, 0)) % INTERVALS[interval]


def end_of(interval: str, time: int) -> int:
    """When the candle ends that opened at `time`."""
    end = time + INTERVALS[interval]
    return open_at(interval, end) if interval == "1M" else end  # 31 days after its first, every month is over


@dataclass(slots=True)
class SandboxCandle:
    """`time` is its open time (ms). Volumes in base, values in quote; the `taker_` ones are what buyers took from the book."""

    time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO
    value: Decimal = ZERO
    trades: int = 0
    taker_volume: Decimal = ZERO
    taker_value: Decimal = ZERO
    first_trade: int = -1
    last_trade: int = -1

    def add(self, other: SandboxCandle) -> None:
        """Adds a candle or trade that comes after it in the same interval."""
        self.high, self.low, self.close = max(self.high, other.high), min(self.low, other.low), other.close
        self.volume += other.volume
        self.value += other.value
        self.trades += other.trades
        self.taker_volume += other.taker_volume
        self.taker_value += other.taker_value
        self.first_trade = other.first_trade if self.first_trade < 0 else self.first_trade
        self.last_trade = max(self.last_trade, other.last_trade)


class TradeHistory:
    """The newest trades and minutes. `next_id` is the id of the next trade, from 1. A minute without trades has no candle."""

    def __init__(self) -> None:
        self.next_id = 1
        self.trades: deque[PublicTrade] = deque(maxlen=KEPT_TRADES)
        self.minutes: deque[SandboxCandle] = deque(maxlen=KEPT_MINUTES)
        self._growing: dict[str, SandboxCandle] = {}

    def load_minutes(self, minutes: Iterable[SandboxCandle]) -> None:
        """Adds one-minute candles from before the first trade, in order of time."""
        self.minutes.extend(minutes)

    def add(self, trade: PublicTrade) -> None:
        """Adds the next trade. Its time is not before the last one's."""
        self.next_id = trade.id + 1
        self.trades.append(trade)
        one = _candle_of(trade)
        open_ = trade.time - trade.time % MINUTE
        if self.minutes and self.minutes[-1].time >= open_:
            self.minutes[-1].add(one)
        else:
            self.minutes.append(replace(one, time=open_))
        for interval, candle in self._growing.items():
            start = open_at(interval, trade.time)
            if candle.time >= start:
                candle.add(one)
            else:
                self._growing[interval] = replace(one, time=start)

    def candle(self, interval: str) -> SandboxCandle | None:
        """The newest candle of an interval, still growing. The history keeps it up to date from the first call on."""
        if interval == "1m":
            return self.minutes[-1] if self.minutes else None
        if interval not in self._growing and (found := self.candles(interval, limit=1)):
            self._growing[interval] = found[-1]
        return self._growing.get(interval)

    def candles(self, interval: str, *, start: int | None = None, end: int | None = None, limit: int = 500) -> list[SandboxCandle]:
        """Candles that open from `start` to `end` (ms, both included): the first `limit` of them with a start, else the last."""
        step = INTERVALS[interval]
        minutes = list(self.minutes)
        if start is not None:
            first = open_at(interval, start)
            first = first if first == start else end_of(interval, first)
            minutes = minutes[bisect_left(minutes, first, key=attrgetter("time")) :]
        if end is not None:
            minutes = minutes[: bisect_left(minutes, end_of(interval, open_at(interval, end)), key=attrgetter("time"))]
        span = limit * step // MINUTE + step // MINUTE
        if start is None and len(minutes) > span:
            minutes = minutes[-span:]
            cut = end_of(interval, open_at(interval, minutes[0].time))
            minutes = minutes[bisect_left(minutes, cut, key=attrgetter("time")) :]
        grouped = _group_minutes(minutes, interval)
        return grouped[:limit] if start is not None else grouped[-limit:]


def _candle_of(trade: PublicTrade) -> SandboxCandle:
    """A trade as a candle of its own moment."""
    value = trade.price * trade.qty
    taken = not trade.buyer_is_maker
    return SandboxCandle(
        time=trade.time,
        open=trade.price,
        high=trade.price,
        low=trade.price,
        close=trade.price,
        volume=trade.qty,
        value=value,
        trades=1,
        taker_volume=trade.qty if taken else ZERO,
        taker_value=value if taken else ZERO,
        first_trade=trade.id,
        last_trade=trade.id,
    )


def _group_minutes(minutes: list[SandboxCandle], interval: str) -> list[SandboxCandle]:
    """Candles of a longer interval, made of one-minute candles."""
    out: list[SandboxCandle] = []
    for minute in minutes:
        open_ = open_at(interval, minute.time)
        if out and out[-1].time == open_:
            out[-1].add(minute)
        else:
            out.append(replace(minute, time=open_))
    return out
