"""When candles open and close: the one place that knows each interval's grid.

All candles of an interval, there or missing, are numbered without a hole. Numbers count and compare candles exactly even where
they are not equally long, as months are. Times are milliseconds since 1970 UTC; each function takes one time or an array of them.
Weeks open on Mondays, months on their first day, and all others at whole multiples of their length since 1970.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypeVar

import numpy as np

from engine.types import INTERVALS, Ints

Times = TypeVar("Times", int, Ints)
MONTH = "1M"
DAY_MS = 86_400_000
EPOCH, MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
ORIGINS = {"1w": 4 * DAY_MS}
"""Where the grid is not counted from 1970-01-01, which was a Thursday."""


def number_candles(interval: str, time: Times) -> Times:
    """The number of the candle in which each time lies."""
    if interval == MONTH:
        months = np.asarray(time).astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
        return months if isinstance(time, np.ndarray) else int(months)
    return (time - ORIGINS.get(interval, 0)) // INTERVALS[interval]


def open_numbers(interval: str, number: Times) -> Times:
    """The open time of the candle of each number."""
    if interval == MONTH:
        opens = np.asarray(number).astype("datetime64[M]").astype("datetime64[ms]").astype(np.int64)
        return opens if isinstance(number, np.ndarray) else int(opens)
    return number * INTERVALS[interval] + ORIGINS.get(interval, 0)


def find_open(interval: str, time: Times) -> Times:
    """The open time of the candle in which each time lies."""
    return open_numbers(interval, number_candles(interval, time))


def find_close(interval: str, time: Times) -> Times:
    """The end of the candle in which each time lies, which is when the next one opens."""
    return open_numbers(interval, number_candles(interval, time) + 1)


def shift_open(interval: str, time: int, count: int) -> int:
    """The open time `count` candles after, or before, that of the candle in which `time` lies."""
    return open_numbers(interval, number_candles(interval, time) + count)


def round_up(interval: str, time: int) -> int:
    """The first open time that is not before `time`."""
    return find_close(interval, time - 1)


def count_opens(interval: str, start: int, end: int) -> int:
    """How many candles open from `start` up to, not including, `end`."""
    return max(0, number_candles(interval, end - 1) - number_candles(interval, start - 1))


def list_opens(interval: str, start: int, end: int) -> Ints:
    """The open times from `start` up to, not including, `end`."""
    first = number_candles(interval, start - 1) + 1
    return open_numbers(interval, np.arange(first, first + count_opens(interval, start, end), dtype=np.int64))


def can_make(interval: str, base: str) -> bool:
    """Whether each candle of `interval` is made of whole candles of `base`; an interval is made of itself."""
    if interval == base or MONTH in (interval, base):
        return interval == base or (interval == MONTH and DAY_MS % INTERVALS[base] == 0)
    length = INTERVALS[base]
    return INTERVALS[interval] % length == 0 and (ORIGINS.get(interval, 0) - ORIGINS.get(base, 0)) % length == 0


def find_shortest(interval: str) -> int:
    """The shortest candle's length in milliseconds."""
    return 28 * DAY_MS if interval == MONTH else INTERVALS[interval]


def find_longest(interval: str) -> int:
    """The longest candle's length in milliseconds."""
    return 31 * DAY_MS if interval == MONTH else INTERVALS[interval]


def count_most(interval: str, base: str) -> int:
    """The most candles of `base` that one candle of `interval` is made of."""
    return find_longest(interval) // INTERVALS[base]


def open_moment(interval: str, moment: datetime) -> datetime:
    """`find_open` of a moment with a zone."""
    return EPOCH + timedelta(milliseconds=find_open(interval, (moment - EPOCH) // MILLISECOND))


def close_moment(interval: str, moment: datetime) -> datetime:
    """`find_close` of a moment with a zone."""
    return EPOCH + timedelta(milliseconds=find_close(interval, (moment - EPOCH) // MILLISECOND))
