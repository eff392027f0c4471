"""Candles of an interval that a venue does not have, or counts in its own way, made of its shorter ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from engine.grid import MILLISECOND, close_moment, open_moment
from market.exchanges.base import Candle

Ask = Callable[[datetime, datetime], Awaitable[Sequence[Candle]]]


async def make_longer(interval: str, start: datetime, end: datetime, now: datetime, ask: Ask) -> list[Candle]:
    """The whole, closed candles that open from `start` to before `end`, of the shorter ones that `ask` gives for a span."""
    first = close_moment(interval, start - MILLISECOND)
    stop = min(close_moment(interval, end - MILLISECOND), open_moment(interval, now))
    return merge_candles(await ask(first, stop), interval) if first < stop else []


def merge_candles(parts: Sequence[Candle], interval: str) -> list[Candle]:
    """Candles of a longer interval, made of sorted shorter ones."""
    result: list[Candle] = []
    for part in parts:
        time = open_moment(interval, part.time)
        if not result or result[-1].time != time:
            prices = (part.open, part.high, part.low, part.close)
            result.append(Candle(part.venue, part.symbol, interval, time, *prices, part.volume, True))
            continue
        bar = result[-1]
        high, low, volume = max(bar.high, part.high), min(bar.low, part.low), bar.volume + part.volume
        result[-1] = Candle(bar.venue, part.symbol, interval, time, bar.open, high, low, part.close, volume, True)
    return result
