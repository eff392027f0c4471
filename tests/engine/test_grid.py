"""The grids of candles: no time lies in two candles or in none, and the calendar's own lengths are kept."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import grid
from engine.resample import last_closed, resample
from engine.types import INTERVALS, Candles, Floats, Ints
from market.candles.merge import find_gaps
from tests.market.files import START, candles, picked

DAY = 86_400_000
intervals = st.sampled_from(list(INTERVALS))
times = st.integers(-(10**13), 10**13)
FAR = 1 << 61


@given(intervals, times)
def test_each_time_lies_in_exactly_one_candle(interval: str, time: int) -> None:
    number = grid.number_candles(interval, time)
    opened, closes = grid.find_open(interval, time), grid.find_close(interval, time)
    assert opened <= time < closes
    assert grid.open_numbers(interval, number) == opened
    assert grid.open_numbers(interval, number + 1) == closes
    assert grid.number_candles(interval, closes - 1) == number
    assert grid.find_shortest(interval) <= closes - opened <= grid.find_longest(interval)


@given(intervals, st.lists(times, min_size=1))
def test_arrays_get_what_single_times_get(interval: str, some: list[int]) -> None:
    for function in (grid.number_candles, grid.find_open, grid.find_close):
        assert function(interval, np.array(some)).tolist() == [function(interval, time) for time in some]


@given(intervals, times, st.integers(-50, 50), st.integers(0, 999))
def test_counts_lists_and_shifts_agree(interval: str, time: int, count: int, off: int) -> None:
    there = grid.shift_open(interval, time, count)
    start, end = sorted((grid.find_open(interval, time), there))
    listed = grid.list_opens(interval, start, end)
    assert len(listed) == abs(count) == grid.count_opens(interval, start, end)
    assert np.diff(grid.number_candles(interval, listed)).tolist() == [1] * (len(listed) - 1)
    assert grid.round_up(interval, start) == start
    assert grid.round_up(interval, start + 1 + off) == grid.shift_open(interval, start, 1)
    assert grid.count_opens(interval, start + 1 + off, end + 1 + off) == len(listed)


@given(st.sampled_from([(one, other) for one in INTERVALS for other in INTERVALS if grid.can_make(one, other)]), times)
def test_no_candle_reaches_over_the_edge_of_one_that_is_made_of_it(pair: tuple[str, str], time: int) -> None:
    interval, base = pair
    assert grid.find_open(interval, time) <= grid.find_open(base, time)
    assert grid.find_close(base, time) <= grid.find_close(interval, time)


def test_what_cannot_be_made_of_what() -> None:
    for interval, base in (("1w", "3d"), ("1M", "1w"), ("1M", "3d"), ("12h", "8h"), ("1w", "1M"), ("3d", "1w"), ("1h", "1d")):
        assert not grid.can_make(interval, base)


@given(intervals, st.sampled_from([-FAR, FAR]))
def test_times_that_stand_for_ever_are_not_wrapped(interval: str, time: int) -> None:
    assert abs(grid.round_up(interval, time) - time) <= grid.find_longest(interval)


def test_months_are_as_long_as_the_calendar_says() -> None:
    opens = grid.list_opens("1M", START, START + 400 * 366 * DAY)[:4800]
    lengths = (grid.find_close("1M", opens) - opens) // DAY
    assert lengths.tolist() == [monthrange(2022 + month // 12, month % 12 + 1)[1] for month in range(4800)]
    assert lengths.sum() * DAY == 4800 * INTERVALS["1M"]


def test_weeks_open_on_mondays_as_venues_say() -> None:
    """The opens of Binance's first weeks and months of BTCUSDT, and two of its days of eight hours."""
    assert [grid.find_open("1w", moment) for moment in (1_502_942_400_000, 1_503_100_000_000)] == [1_502_668_800_000] * 2
    assert grid.find_open("1M", 1_502_942_400_000) == 1_501_545_600_000
    for open_time in grid.list_opens("1w", START, START + 100 * DAY).tolist():
        assert datetime.fromtimestamp(open_time / 1000, UTC).strftime("%A %H:%M") == "Monday 00:00"
    assert grid.list_opens("8h", START, START + DAY).tolist() == [START, START + DAY // 3, START + 2 * DAY // 3]


@given(st.lists(st.booleans(), min_size=1, max_size=200).filter(any), st.integers(0, 800))
def test_months_of_days_are_numpy_s_months(there: list[bool], first: int) -> None:
    base = picked(candles(len(there), interval="1d", start=START + first * DAY), there)
    found = resample(base, "1M")
    months = base.time.astype("datetime64[ms]").astype("datetime64[M]")
    whole = [month for month in np.unique(months) if (month + 1).astype("datetime64[ms]").astype(np.int64) <= base.time[-1] + DAY]
    assert found.time.tolist() == [int(month.astype("datetime64[ms]").astype(np.int64)) for month in whole]
    for index, month in enumerate(whole):
        inside = months == month
        assert (found.open[index], found.close[index]) == (base.open[inside][0], base.close[inside][-1])
        assert (found.high[index], found.low[index]) == (base.high[inside].max(), base.low[inside].min())


def test_a_day_sees_only_months_that_have_closed() -> None:
    base = candles(60, interval="1d", start=START)
    seen: Ints = last_closed(base, resample(base, "1M"))
    assert seen.tolist() == [-1] * 30 + [0] * 28 + [1] * 2


@pytest.mark.parametrize("interval", ["3d", "1w", "1M"])
def test_gaps_are_counted_in_candles(interval: str) -> None:
    opens = grid.list_opens(interval, START, START + 900 * DAY)
    first, last, missing = find_gaps(np.delete(opens, [3, 4, 7]), interval)
    assert (first.tolist(), last.tolist(), missing.tolist()) == ([opens[3], opens[7]], [opens[4], opens[7]], [2, 1])


def test_a_month_s_drawdown_lasts_to_the_end_of_the_month() -> None:
    from engine.metrics import measure
    from engine.types import Account, Simulation, Table
    from tests.engine.test_metrics import fills, trades

    equity: Floats = np.array([100.0, 90.0, 95.0])
    time = grid.list_opens("1M", START, START + 90 * DAY)
    flat = np.full(3, 100.0)
    series = Candles("AAA-USD", "1M", time, flat, flat, flat, flat, flat)
    found = measure(Simulation(time, equity, Table({}), fills(), trades(), 95.0), [series], Account(100.0))
    assert found.max_drawdown_duration_s == (28 + 31) * 86_400
    assert [row["month"] for row in found.monthly_returns] == ["2022-01", "2022-02", "2022-03"]
    assert [row["return"] for row in found.monthly_returns] == pytest.approx([0, -0.1, 5 / 90])
