"""The candles that a chart shows: a window of a series, in its own interval or a higher one."""

from __future__ import annotations

import math
from typing import Any

from core.errors import Invalid
from core.times import to_ms
from engine.grid import can_make, find_close, find_longest, find_open, round_up, shift_open
from engine.resample import resample
from engine.types import Candles, interval_ms
from market.candles.reading import read_span
from market.models import CandleSeries

DEFAULT, MOST = 1_000, 5_000


def candle_window(series: CandleSeries, interval: str, start: str | None, end: str | None, limit: str | None) -> dict[str, Any]:
    """`rows` of [seconds, open, high, low, close, volume or null], and whether the series goes on `before` and `after` them.

    The window spans `limit` intervals, from `start` on or else up to `end` (in seconds; by default the series' end). In a gap it
    has fewer rows, or none; `from` and `to` (seconds) say what it spans. Raises `Invalid` at the parameter that cannot be used.
    """
    interval_ms(interval)
    if not can_make(interval, series.interval):
        raise Invalid.at("interval", f"{interval} candles cannot be made from {series.interval} candles.")
    count = parse_whole("limit", limit, DEFAULT)
    if not 1 <= count <= MOST:
        raise Invalid.at("limit", f"Ask for 1 to {MOST:,} candles.")
    first, stop = to_ms(series.first), find_close(series.interval, to_ms(series.last))
    if start is not None:
        low = find_open(interval, max(parse_whole("start", start, 0) * 1000, first))
    else:
        low = shift_open(interval, round_up(interval, min(parse_whole("end", end, stop // 1000) * 1000, stop)), -count)
    high = shift_open(interval, low, count)
    return {
        "interval": interval,
        "step": find_longest(interval) // 1000,
        "rows": window_rows(load_window(series, interval, max(low, find_open(interval, first)), min(high, stop))),
        "from": low // 1000,
        "to": high // 1000,
        "before": low > first,
        "after": high < stop,
    }


def parse_whole(name: str, text: str | None, default: int) -> int:
    if text is None or text == "":
        return default
    try:
        number = int(float(text))
    except (ValueError, OverflowError):
        raise Invalid.at(name, f"{text[:40]!r} is not a whole number.") from None
    if not 0 <= number < 10**11:
        raise Invalid.at(name, f"{text[:40]!r} is out of range.")
    return number


def load_window(series: CandleSeries, interval: str, low: int, high: int) -> Candles | None:
    """The candles that open in [low, high) milliseconds; None where there are none."""
    if low >= high:
        return None
    base = read_span(series, low, high)
    return base if interval == series.interval else resample(base, interval, until=high)


def window_rows(found: Candles | None) -> list[list[float | None]]:
    if found is None:
        return []
    columns: list[list[float | None]] = [column.tolist() for column in (found.open, found.high, found.low, found.close)]
    volume = found.volume.tolist()
    columns.append(volume if found.volume_known else [None if math.isnan(value) else value for value in volume])
    return [[time // 1000, *values] for time, *values in zip(found.time.tolist(), *columns, strict=True)]
