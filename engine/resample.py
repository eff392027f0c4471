"""Candles of a higher interval made of those of a lower one, closed candles only.

A higher candle is made of whatever base candles lie in its span: the first one's open, the highest high, the lowest low, the
last one's close, the sum of the volumes. A gap in the base therefore narrows what the higher candle saw; a span without any
base candle has no higher candle. A higher candle is closed, and only then there, when the base data reach its end. Its volume is
unknown (NaN) where that of one of its base candles is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.errors import Invalid
from engine.grid import can_make, find_close, number_candles, open_numbers
from engine.types import Candles, Ints, interval_ms, read_column


def resample(candles: Candles, interval: str, *, until: int | None = None) -> Candles:
    """The closed candles of `interval` within `candles`.

    `until` is the time (ms) up to which the base is known to be complete; by default the close of its last candle.
    `Invalid` at `interval` where the one is not made of whole ones of the other.
    """
    interval_ms(interval)
    if not can_make(interval, candles.interval):
        raise Invalid.at("interval", f"{interval} candles cannot be made of {candles.interval} candles.")
    if interval == candles.interval or not len(candles):
        return type(candles)(candles.symbol, interval, *_list_columns(candles), volume_known=candles.volume_known)
    span = number_candles(interval, candles.time)
    starts = np.flatnonzero(np.diff(span, prepend=span[0] - 1))
    merged = aggregate_candles(candles, starts, interval)
    times = open_numbers(interval, span[starts])
    end = find_close(candles.interval, int(candles.time[-1])) if until is None else until
    closed = slice(0, int(np.searchsorted(find_close(interval, times), end, side="right")))
    return type(candles)(candles.symbol, interval, times, *_list_columns(merged)[1:], volume_known=candles.volume_known)[closed]


def aggregate_candles(candles: Candles, starts: Ints, interval: str | None = None) -> Candles:
    """One candle for each run of candles; run k begins at index `starts[k]` (rising from 0) and keeps its first open time."""
    last = np.append(starts[1:], len(candles)) - 1
    return type(candles)(
        candles.symbol,
        interval or candles.interval,
        candles.time[starts],
        candles.open[starts],
        np.maximum.reduceat(candles.high, starts),
        np.minimum.reduceat(candles.low, starts),
        candles.close[last],
        np.add.reduceat(read_column(candles, "volume"), starts),
        volume_known=candles.volume_known,
    )


def last_closed(base: Candles, higher: Candles) -> Ints:
    """For each base candle the index of the last higher candle closed at that base candle's close; -1 where there is none."""
    ends, now = find_close(higher.interval, higher.time), find_close(base.interval, base.time)
    closes = np.searchsorted(ends, now, side="right")
    return np.asarray(closes, dtype=np.int64) - 1


def _list_columns(candles: Candles) -> tuple[Any, ...]:
    return candles.time, candles.open, candles.high, candles.low, candles.close, read_column(candles, "volume")
