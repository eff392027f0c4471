"""Files that cannot be imported: the report is clear and names the rows, and nothing is half-written."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest

from core.errors import Invalid
from core.text import ms_text
from core.times import to_ms
from engine.types import Candles
from market.candles import load_candles
from market.candles.codec import VALUES
from market.models import CandleChunk, CandleImport, CandleSeries
from tests.market.files import START, candles, csv, lines, same, take, text
from tests.market.test_reading_files import kline, zipped

pytestmark = pytest.mark.django_db
GOOD = candles(60)


def packed(columns: dict[str, Any], kind: str) -> bytes:
    sink = io.BytesIO()
    what = pa.table(columns)
    parquet.write_table(what, sink) if kind == "parquet" else feather.write_feather(what, sink, compression="zstd")
    return sink.getvalue()


WHOLE = {
    "empty": (b"", "empty"),
    "blank": (b"\n \n", "empty"),
    "header only": (text([]), "no rows"),
    "words": (b"this is not a table\nat all\n", "no columns"),
    "missing columns": (b"time,open,close\n1,2,3\n", "lacks the column high, low. It has"),
    "no time": (b"open,high,low,close,volume\n1,2,3,4,5\n", "open_time or timeopen"),
    "no header": (b"1640995200,1,2,3\n", "no header, and 4 columns"),
    "rows of an unknown order": (b"time,open,high,low,vwap,volume\n1640995200,1,2,1,2,5\n", "lacks the column close"),
    "json rows": (b"[[1640995200000, 1, 2, 1, 2, 5]]", "JSON, which is not read"),
    "json object": (b'{"candles": [{"start": "1640995200"}]}', "JSON, which is not read"),
    "binary": (b"\0\1\2\3" * 500, "neither text nor"),
    "random": (np.random.default_rng(0).bytes(20_000), "neither text nor"),
    "not utf-8": ("time,open,höhe\n1,2,3\n".encode("latin-1"), "UTF-8"),
    "utf-16": (csv(GOOD).decode().encode("utf-16"), "UTF-16 text. Save it"),
    "gzip cut short": (gzip.compress(csv(GOOD))[:-30], "cut short or damaged"),
    "gzip of nothing": (gzip.compress(b""), "empty"),
    "gzip damaged": (gzip.compress(csv(GOOD))[:40] + b"xxxx" + gzip.compress(csv(GOOD))[44:], "cut short or damaged"),
    "zip cut short": (zipped(csv(GOOD), "a.csv")[:-40], "zip file cannot be read"),
    "zip of two": (zipped(csv(GOOD), "a.csv", "b.csv"), "holds 2 files"),
    "zip of none": (zipped(b"", "a/"), "holds 0 files"),
    "parquet cut short": (packed({"time": GOOD.time, "open": GOOD.open}, "parquet")[:-50], "cannot be read"),
    "parquet without columns": (packed({"time": GOOD.time, "open": GOOD.open}, "parquet"), "lacks the column"),
    "parquet of words": (packed({"time": ["x"], **{name: [["y"]] for name in VALUES}}, "parquet"), "not numbers"),
    "feather cut short": (packed({"time": GOOD.time}, "feather")[:-20], "cut short or damaged"),
    "feather without columns": (packed({"time": GOOD.time}, "feather"), "lacks the column"),
    "feather of version 1": (b"FEA1" + b"\0" * 100, "version 1"),
    "one endless line": (b"time,open,high,low,close,volume\n" + b"1" * (20 << 20), "line of several megabytes"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_that_is_no_file_of_candles_is_told_at_file(name: str) -> None:
    data, message = WHOLE[name]
    with pytest.raises(Invalid, match=message) as caught:
        take(data)
    assert list(caught.value.fields) == ["file"]
    assert not CandleSeries.objects.exists()
    assert not CandleImport.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"interval": "7m"}, "interval"),
        ({"symbol": "BTCUSD"}, "symbol"),
        ({"symbol": "../etc"}, "symbol"),
        ({"venue": "../../tmp"}, "venue"),
        ({"venue": ""}, "venue"),
    ],
)
def test_arguments_that_cannot_be_used_are_named(change: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        take(csv(GOOD), **change)
    assert list(caught.value.fields) == [field]


def bombs() -> dict[str, bytes]:
    zeros = b"0" * (8 << 20)
    columns = {name: np.zeros(3_000_000) for name in ("open", "high", "low", "close", "volume")}
    return {
        "gzip": gzip.compress(csv(GOOD) + zeros),
        "zip": zipped(csv(GOOD) + zeros, "a.csv"),
        "parquet": packed({"time": np.zeros(3_000_000, np.int64), **columns}, "parquet"),
        "feather": packed({"time": np.zeros(3_000_000, np.int64), **columns}, "feather"),
        "plain": csv(GOOD) + zeros,
    }


@pytest.mark.parametrize("name", ["gzip", "zip", "parquet", "feather", "plain"])
def test_what_unpacks_to_more_than_the_limit_is_refused(settings: Any, name: str) -> None:
    data = bombs()[name]
    settings.IMPORT_MAX_BYTES = 4 << 20
    if name != "plain":
        assert len(data) < 1 << 20
    with pytest.raises(Invalid, match="more than 4 MB"):
        take(data)


def spoiled(change: str, at: int = 30) -> bytes:
    rows = lines(GOOD)
    fields = dict(zip(("time", "open", "high", "low", "close", "volume"), rows[at].split(","), strict=True))
    name, value = change.split("=")
    rows[at] = ",".join((fields | {name: value}).values())
    return text(rows)


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ("open=abc", "open", "'abc' is not a number."),
        ("open=", "open", "An empty cell is not a number."),
        ("close=1_000", "close", "'1_000' is not a number."),
        ("close=nan", "close", "'nan' is not a number."),
        ("high=inf", "high", "The value is infinite."),
        ("high=1e999", "high", "The value is infinite."),
        ("low=-inf", "low", "The value is infinite."),
        ("low=0", "low", "0.0 must be above zero."),
        ("close=-5", "close", "-5.0 must be above zero."),
        ("volume=-0.5", "volume", "-0.5 must not be negative."),
        ("volume=1e300", "volume", "1e+300 is too large to be true."),
        ("high=1", "high", "The high 1.0 is below the low"),
        ("low=500", "high", "is below the low 500.0"),
        ("open=500", "high", "is below the open or close, 500.0."),
        ("open=0.5", "low", "is above the open or close, 0.5."),
        ("time=yesterday", "time", "'yesterday' is not a time."),
        ("time=2022-02-30T00:00:00Z", "time", "'2022-02-30T00:00:00Z' is not a time."),
        ("time=1999-01-01T00:00:00Z", "time", "1999-01-01T00:00:00Z is outside the years 2009 to 2100."),
        ("time=2022-01-01T00:30:07Z", "time", "2022-01-01T00:30:07Z is not a whole multiple of 1m, when a candle opens."),
        ("time=99999999999999999999999", "time", "'99999999999999999999999' is not a time."),
        ("time=2022-01-01T00:29:00Z", "time", "2022-01-01T00:29:00Z has another, different candle in row 31."),
    ],
)
def test_a_bad_row_refuses_the_file_and_is_named(change: str, field: str, message: str) -> None:
    done = take(spoiled(change))
    assert done.status == CandleImport.Status.REFUSED
    assert done.problem_count == 1
    (problem,) = done.problems
    assert (problem["row"], problem["field"]) == (32, field)
    assert message in problem["message"]
    assert not CandleSeries.objects.exists()
    assert CandleImport.objects.get(pk=done.pk).problems == done.problems


def test_bad_rows_can_be_left_out_and_are_reported_all_the_same() -> None:
    done = take(spoiled("close=nan"), skip_bad_rows=True)
    assert (done.status, done.added, done.problem_count) == ("completed", 59, 1)
    assert done.series is not None
    assert [gap.missing for gap in done.series.gaps.all()] == [1]


def test_a_file_of_bad_rows_only_is_refused_even_when_they_may_be_left_out() -> None:
    done = take(text(["x,1,1,1,1,1", "y,1,1,1,1,1"]), skip_bad_rows=True)
    assert (done.status, done.problem_count) == ("refused", 2)
    assert "No row of the file is a closed candle" in done.message


def test_rows_of_another_width_are_named_by_their_line() -> None:
    rows = lines(GOOD)
    rows[10] = "1,2,3"
    rows.insert(20, "")
    rows[30] += ",7"
    done = take(text(rows))
    assert [(problem["row"], problem["field"]) for problem in done.problems] == [(12, "row"), (32, "row")]
    assert "3 columns where there should be 6" in done.problems[0]["message"]


def test_two_hundred_faults_are_kept_and_all_are_counted() -> None:
    rows = [line.rsplit(",", 1)[0] + ",-1" for line in lines(candles(5000))]
    done = take(text(rows))
    assert done.problem_count == 5000
    assert [problem["row"] for problem in done.problems] == list(range(2, 202))
    assert done.message == "5,000 faults in 5,000 rows. Nothing was imported."


def test_repeated_and_unordered_rows_are_sorted_dropped_and_counted() -> None:
    rows = lines(GOOD)
    shuffled = [*rows[30:], *rows[:30], rows[5], rows[50]]
    done = take(text(shuffled))
    assert (done.status, done.rows, done.added, done.duplicates) == ("completed", 62, 60, 2)
    assert done.out_of_order == 32
    assert same(load_candles(venue="test", symbol="AAA-USD", interval="1m"), GOOD)


@pytest.mark.parametrize(
    ("data", "declared", "looks"),
    [
        (csv(candles(50, interval="5m")), "1m", "look like 5m candles, not 1m"),
        (csv(candles(50)), "5m", "look like 1m candles, not 5m"),
        (csv(candles(50, interval="1h")), "1d", "look like 1h candles, not 1d"),
        (kline(1), "1h", "look like 1m candles, not 1h"),
        (text(lines(candles(40)) + lines(candles(20, interval="5m", start=START + 40 * 60_000))), "1m", "mixes 1m and 5m candles"),
        (text(lines(candles(40)) + lines(candles(90, interval="5m", start=START + 40 * 60_000))), "5m", "mixes 5m and 1m candles"),
    ],
)
def test_a_wrong_or_mixed_interval_is_refused_by_name(data: bytes, declared: str, looks: str) -> None:
    done = take(data, declared, skip_bad_rows=True)
    assert done.status == "refused"
    assert looks in done.message
    assert not CandleSeries.objects.exists()


def test_gaps_are_not_taken_for_another_interval() -> None:
    """Thin trade leaves minutes out at random: for long, most candles may be two or five minutes apart."""
    random = np.random.default_rng(7)
    rows = [line for line, there in zip(lines(candles(20_000)), random.random(20_000) < 0.4, strict=True) if there]
    done = take(text(rows))
    assert (done.status, done.added) == ("completed", len(rows))


def test_a_candle_that_has_not_closed_is_left_out() -> None:
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    part = candles(30, start=to_ms(minute - timedelta(minutes=20)))
    done = take(csv(part))
    assert done.status == "completed"
    assert 20 <= done.added <= 21  # a minute may end while the test runs
    assert f"{30 - done.added} had not closed yet" in done.message
    assert done.last == minute + timedelta(minutes=done.added - 21)


def test_candles_of_the_future_only_are_refused() -> None:
    done = take(csv(candles(30, start=to_ms(datetime(2090, 1, 1, tzinfo=UTC)))))
    assert (done.status, done.added) == ("refused", 0)


def test_a_refused_file_leaves_the_series_as_it_was() -> None:
    before = take(csv(GOOD))
    assert before.series is not None
    later = candles(120)
    rows = lines(later)
    rows[100] = rows[100].replace(rows[100].split(",")[1], "nonsense", 1)
    assert take(text(rows)).status == "refused"
    assert same(load_candles(venue="test", symbol="AAA-USD", interval="1m"), GOOD)
    assert CandleChunk.objects.count() == 1
    assert CandleSeries.objects.get().fingerprint == before.fingerprint


def test_a_hostile_file_name_is_only_text() -> None:
    done = take(csv(GOOD), filename="../../etc/\0passwd\udcff" + "x" * 400)
    assert done.filename.startswith("passwd?")
    assert len(done.filename) <= 255


def test_reports_name_times_as_they_are_written_everywhere() -> None:
    done = take(spoiled("time=1640995207"))
    assert done.problems[0]["message"].startswith(ms_text(START + 7000))


def test_candles_keep_their_type() -> None:
    take(csv(GOOD))
    found = load_candles(venue="test", symbol="AAA-USD", interval="1m")
    assert isinstance(found, Candles)
    assert found.time.dtype == np.int64
    assert {getattr(found, name).dtype for name in ("open", "high", "low", "close", "volume")} == {np.dtype(np.float64)}
