"""Longer candles are made of closed base candles only."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from engine.resample import aggregate_candles, last_closed, resample
from engine.types import INTERVALS, Candles
from tests.market.files import START, candles, picked, same

flags = st.lists(st.booleans(), min_size=1, max_size=400).filter(any)
offsets = st.integers(0, 90)


def plain(base: Candles, interval: str) -> list[tuple[float, ...]]:
    """The definition again, candle by candle."""
    step = INTERVALS[interval]
    end = int(base.time[-1]) + base.step
    out: list[tuple[float, ...]] = []
    for open_time in range(int(base.time[0]) // step * step, end, step):
        inside = [index for index, time in enumerate(base.time) if open_time <= time < open_time + step]
        if inside and open_time + step <= end:
            first, last = inside[0], inside[-1]
            high, low = (max(base.high[index] for index in inside), min(base.low[index] for index in inside))
            out.append((open_time, base.open[first], high, low, base.close[last], sum(base.volume[index] for index in inside)))
    return out


def gappy(there: list[bool], offset: int) -> Candles:
    return picked(candles(len(there), start=START + offset * 60_000), there)


@given(flags, offsets, st.sampled_from(["3m", "5m", "15m", "1h"]))
def test_resampling_is_what_the_definition_says(there: list[bool], offset: int, interval: str) -> None:
    base = gappy(there, offset)
    found = resample(base, interval)
    rows = plain(base, interval)
    prices = zip(found.time, found.open, found.high, found.low, found.close, strict=True)
    assert list(prices) == [row[:5] for row in rows]
    np.testing.assert_allclose(found.volume, [row[5] for row in rows], rtol=1e-12)
    assert found.interval == interval


@given(st.integers(1, 500), offsets)
def test_resampling_in_two_steps_is_resampling_in_one(count: int, offset: int) -> None:
    base = candles(count, start=START + offset * 60_000)
    direct, twice = resample(base, "1h"), resample(resample(base, "15m"), "1h")
    for name in ("time", "open", "high", "low", "close"):
        assert getattr(direct, name).tolist() == getattr(twice, name).tolist()
    np.testing.assert_allclose(direct.volume, twice.volume, rtol=1e-12)


@given(flags, st.integers(1, 400), offsets)
def test_what_comes_later_changes_no_closed_candle(there: list[bool], cut: int, offset: int) -> None:
    base = gappy(there, offset)
    early = resample(base[:cut], "5m")
    assert same(early, resample(base, "5m")[: len(early)])


@given(flags, offsets)
def test_a_higher_candle_is_seen_at_its_close_and_not_before(there: list[bool], offset: int) -> None:
    base = gappy(there, offset)
    higher = resample(base, "5m")
    for index, seen in enumerate(last_closed(base, higher)):
        now = base.time[index] + base.step
        closed = [number for number, time in enumerate(higher.time) if time + higher.step <= now]
        assert seen == (closed[-1] if closed else -1)


def test_only_whole_multiples_can_be_made() -> None:
    with pytest.raises(Invalid, match="5m candles cannot be made of 3m candles"):
        resample(candles(10, interval="3m"), "5m")
    with pytest.raises(Invalid, match="Unknown interval"):
        resample(candles(10), "7m")


def test_the_same_interval_and_no_candles_stay_what_they_are() -> None:
    base = candles(10)
    assert same(resample(base, "1m"), base)
    assert len(resample(base[:0], "1h")) == 0


def test_until_says_that_the_base_is_complete_up_to_then() -> None:
    base = candles(7)
    assert len(resample(base, "5m")) == 1
    assert len(resample(base, "5m", until=START + 600_000)) == 2


def test_aggregate_keeps_the_extremes() -> None:
    base = candles(100)
    thin = aggregate_candles(base, np.arange(0, 100, 7))
    assert len(thin) == 15
    assert thin.high.max() == base.high.max()
    assert thin.low.min() == base.low.min()
    assert thin.volume.sum() == pytest.approx(base.volume.sum())
