"""Candles of 8h, 3d, 1w and 1M: files, gaps, what they are made of, and the windows that charts show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.grid import find_longest
from engine.resample import resample
from engine.types import Candles
from market import candles as store
from market.coverage import months_by_series
from market.forms import guess_series
from market.models import CandleChunk, CandleSeries
from market.window import candle_window
from tests.market.files import COLUMNS, START, candles, csv, picked, same, take

pytestmark = pytest.mark.django_db
DAY = 86_400_000
LONG = ["8h", "3d", "1w", "1M"]
DAILY = candles(600, interval="1d", start=START)


def make_series(interval: str) -> Candles:
    """Whole candles of 600 days."""
    base = DAILY if interval != "8h" else candles(600, interval="8h", start=START)
    return resample(base, interval)[1:]


def load(interval: str, **more: Any) -> Candles:
    return store.load_candles(venue="test", symbol="AAA-USD", interval=interval, **more)


@pytest.mark.parametrize("interval", LONG)
def test_a_file_comes_back_with_its_gap(interval: str) -> None:
    whole = make_series(interval)
    part = picked(whole, np.delete(np.arange(len(whole)), [4, 5]))
    done = take(csv(part), interval)
    assert done.status == "completed", done.message
    assert same(load(interval), part)
    series = CandleSeries.objects.get()
    assert series.missing == 2
    assert [(gap.first.timestamp() * 1000, gap.missing) for gap in series.gaps.all()] == [(whole.time[4], 2)]
    assert sum(month.expected for month in months_by_series([series])[series.pk]) == len(whole)
    assert sum(month.count for month in months_by_series([series])[series.pk]) == len(part)


@pytest.mark.parametrize(("interval", "words"), [("1w", "is not a Monday at"), ("1M", "is not the first of a month")])
def test_a_candle_that_opens_at_another_time_is_a_fault_of_its_row(interval: str, words: str) -> None:
    part = make_series(interval)
    time = part.time.copy()
    time[3] += DAY
    done = take(csv(Candles(part.symbol, interval, time, *(getattr(part, name) for name in COLUMNS[1:]))), interval)
    assert done.status == "refused"
    assert [problem["row"] for problem in done.problems] == [5]
    assert words in done.problems[0]["message"]


def test_three_days_counted_from_a_listing_are_refused_with_advice_that_works() -> None:
    part = make_series("3d")
    moved = Candles(part.symbol, "3d", part.time + DAY, *(getattr(part, name) for name in COLUMNS[1:]))
    done = take(csv(moved), "3d")
    assert done.status == "refused"
    assert "import daily candles, of which these are made" in done.problems[0]["message"]
    take(csv(DAILY), "1d")
    assert same(load("3d")[1:], part)


@pytest.mark.parametrize(("interval", "other"), [("1d", "1M"), ("1d", "1w"), ("1w", "1M"), ("1M", "1w"), ("8h", "1d")])
def test_a_file_of_another_interval_is_named(interval: str, other: str) -> None:
    done = take(csv(make_series(other) if other != "1d" else DAILY), interval)
    assert done.status == "refused"
    assert f"these look like {other} candles, not {interval}" in done.message


@pytest.mark.parametrize("interval", LONG)
def test_they_are_made_of_stored_days(interval: str) -> None:
    hourly = candles(24 * 100, interval="1h", start=START)
    take(csv(hourly), "1h")
    assert same(load(interval), resample(hourly, interval))
    found = load(interval, limit=2)
    assert same(found, resample(hourly, interval)[:2])


@pytest.mark.parametrize("interval", LONG)
def test_windows_go_back_without_a_hole_or_a_repetition(interval: str) -> None:
    take(csv(DAILY if interval != "8h" else candles(600, interval="8h")), "8h" if interval == "8h" else "1d")
    series = CandleSeries.objects.get()
    rows: list[list[float]] = []
    window = candle_window(series, interval, None, None, "7")
    while True:
        rows = window["rows"] + rows
        assert window["step"] * 1000 == find_longest(interval)
        if not window["before"]:
            break
        window = candle_window(series, interval, None, str(window["from"]), "7")
    whole = resample(load(series.interval), interval)
    assert [row[0] * 1000 for row in rows] == whole.time.tolist()


def test_months_and_minutes_are_told_apart_where_a_disk_does_not() -> None:
    take(csv(candles(10)), "1m")
    take(csv(make_series("1M")), "1M")
    folders = {name.rsplit("/", 2)[1].lower() for name in CandleChunk.objects.values_list("file", flat=True)}
    assert len(folders) == 2


@pytest.mark.parametrize(
    ("name", "interval"),
    [("BTCUSDT-1mo-2023-05.zip", "1M"), ("BTC-USDT-1M.csv", "1M"), ("BTC-USDT-1m.csv", "1m"), ("BTCUSDT-1w-2023-05.csv", "1w")],
)
def test_names_of_files_tell_months_from_minutes(name: str, interval: str) -> None:
    assert guess_series(name)["interval"] == interval
