"""The candle store: merging, reading, what survives a crash, what happens to two writers at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import FileSystemStorage, InMemoryStorage, default_storage
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.errors import Conflict, Invalid, NotFound
from core.times import from_ms, to_ms
from engine.resample import resample
from engine.types import Candles
from market import services
from market.candles import fingerprint_candles, load_candles, sweep_orphans, write_candles
from market.models import CandleChunk, CandleGap, CandleImport, CandleSeries
from tests.market.files import START, candles, csv, picked, same, take

COLUMNS = ("time", "open", "high", "low", "close", "volume")
symbols = (f"S{number}-USD" for number in count())
QUIET = hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NEW_YEAR = to_ms(datetime(2022, 1, 1, tzinfo=UTC))


def loaded(symbol: str = "AAA-USD", interval: str = "1m", **span: Any) -> Candles:
    return load_candles(venue="test", symbol=symbol, interval=interval, **span)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def named() -> set[str]:
    return set(CandleChunk.objects.values_list("file", flat=True))


# ---------------------------------------------------------------- merging


@pytest.mark.django_db
@QUIET
@given(data=st.data())
def test_parts_in_any_order_make_the_series_that_one_import_makes(data: st.DataObject) -> None:
    """Overlapping parts of candles with gaps, across New Year, in any order."""
    there = data.draw(st.lists(st.booleans(), min_size=60, max_size=60).filter(lambda flags: sum(flags) > 3))
    whole = picked(candles(60, start=NEW_YEAR - 30 * 60_000), there)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), min_size=1, max_size=4)))
    edges = zip([0, *cuts], [*cuts, len(whole)], strict=True)
    overlap = data.draw(st.integers(0, 5))
    parts = [whole[max(0, low - overlap) : high] for low, high in edges]
    one, other = next(symbols), next(symbols)
    write_candles(services.instrument_ensure(venue="test", symbol=one), whole)
    instrument = services.instrument_ensure(venue="test", symbol=other)
    written = [write_candles(instrument, part) for part in data.draw(st.permutations(parts)) if len(part)]

    assert same(loaded(one), loaded(other))
    assert same(loaded(other), Candles(other, "1m", *(getattr(whole, name) for name in COLUMNS)))
    expected, found = (CandleSeries.objects.get(instrument__symbol=symbol) for symbol in (one, other))
    names = ("first", "last", "count", "missing", "fingerprint", "last_close")
    assert [getattr(expected, name) for name in names] == [getattr(found, name) for name in names]
    gaps = [list(series.gaps.values_list("first", "last", "missing")) for series in (expected, found)]
    assert gaps[0] == gaps[1]
    assert sum(missing for *_, missing in gaps[1]) == found.missing == 60 - len(whole) - lost_at_the_ends(there)
    assert sum(part.added for part in written) == len(whole)
    assert found.fingerprint == fingerprint_candles(whole)


def lost_at_the_ends(there: list[bool]) -> int:
    return there.index(True) + there[::-1].index(True)


@pytest.mark.django_db
def test_new_values_replace_old_ones_and_are_counted() -> None:
    part = candles(100)
    take(csv(part))
    close = part.close.copy()
    close[10:13] = part.low[10:13]
    changed = Candles(part.symbol, "1m", part.time, part.open, part.high, part.low, close, part.volume)
    expected = int(np.count_nonzero(close != part.close))
    done = take(csv(changed))
    assert (done.added, done.replaced) == (0, expected)
    assert same(loaded(), changed)


@pytest.mark.django_db
def test_importing_the_same_again_writes_nothing(storage_folder: Path) -> None:
    take(csv(candles(100)))
    before = files(storage_folder)
    done = take(csv(candles(100)))
    assert (done.added, done.replaced) == (0, 0)
    assert files(storage_folder) == before == named()


@pytest.mark.django_db
def test_adding_a_day_rewrites_only_its_year(storage_folder: Path, django_capture_on_commit_callbacks: Any) -> None:
    hours = candles(3 * 365 * 24, interval="1h", start=to_ms(datetime(2021, 1, 1, tzinfo=UTC)))
    take(csv(hours[:-24]), "1h")
    old = {chunk.first.year: chunk.file for chunk in CandleChunk.objects.all()}
    with django_capture_on_commit_callbacks(execute=True):
        take(csv(hours[-48:]), "1h")
    new = {chunk.first.year: chunk.file for chunk in CandleChunk.objects.all()}
    assert [year for year in new if new[year] != old[year]] == [2023]
    assert files(storage_folder) == named()
    assert same(loaded(interval="1h"), hours)
    assert CandleSeries.objects.get().fingerprint == fingerprint_candles(hours)


# ---------------------------------------------------------------- reading


@pytest.mark.django_db
def test_start_is_inclusive_and_end_exclusive() -> None:
    part = candles(100)
    take(csv(part))
    start, end = from_ms(part.time[10]), from_ms(part.time[20])
    assert same(loaded(start=start, end=end), part[10:20])
    assert same(loaded(start=start.replace(tzinfo=None), end=end), part[10:20])
    assert same(loaded(start=start + timedelta(seconds=1), end=end + timedelta(seconds=1)), part[11:21])
    assert same(loaded(start=start, limit=7), part[10:17])
    assert same(loaded(end=end), part[:20])


@pytest.mark.django_db
def test_a_higher_interval_is_made_of_the_highest_lower_one() -> None:
    minutes = candles(24 * 60)
    take(csv(minutes))
    quarters = resample(minutes, "15m")
    take(csv(quarters), "15m")
    hours = loaded(interval="1h")
    assert same(hours, resample(quarters, "1h"))
    assert same(loaded(interval="1h", start=from_ms(START + 1), limit=3), hours[1:4])
    assert same(loaded(interval="1h", start=from_ms(hours.time[5]), end=from_ms(hours.time[9] + 1)), hours[5:10])
    assert loaded(interval="5m").interval == "5m"
    assert len(loaded(interval="1d")) == 1


@pytest.mark.django_db
def test_a_gap_at_the_end_of_a_span_does_not_hide_a_closed_candle() -> None:
    minutes = candles(180)
    there = np.ones(180, dtype=bool)
    there[110:125] = False
    take(csv(picked(minutes, there)))
    whole = loaded(interval="1h")
    assert len(whole) == 3
    assert same(loaded(interval="1h", end=from_ms(START + 120 * 60_000)), whole[:2])


@pytest.mark.django_db
def test_what_is_not_there_is_told_with_what_is() -> None:
    with pytest.raises(NotFound, match="no candles at all yet"):
        loaded()
    take(csv(candles(10)), symbol="ETH-BTC", venue="binance")
    take(csv(candles(40, interval="5m")), "5m", symbol="LTC-BTC", venue="binance")
    with pytest.raises(NotFound, match=r"ETH-BTS 1m from binance is not here.*Did you mean ETH-BTC from binance \(1m\)\?"):
        load_candles(venue="binance", symbol="ETH-BTS", interval="1m")
    with pytest.raises(NotFound, match="LTC-BTC 1m from binance is not here; there is LTC-BTC in 5m"):
        load_candles(venue="binance", symbol="LTC/BTC", interval="1m")
    with pytest.raises(Invalid, match="there are candles from 2022-01-01T00:00:00Z to 2022-01-01T00:09:00Z") as caught:
        load_candles(venue="binance", symbol="ETH-BTC", interval="1m", start=datetime(2030, 1, 1, tzinfo=UTC))
    assert "start" in caught.value.fields
    with pytest.raises(Invalid) as caught:
        load_candles(venue="binance", symbol="ETH-BTC", interval="1m", start=from_ms(START + 60_000), end=from_ms(START))
    assert "end" in caught.value.fields


@pytest.mark.django_db
def test_loading_asks_the_database_a_fixed_number_of_questions() -> None:
    hours = candles(4 * 365 * 24, interval="1h", start=to_ms(datetime(2020, 1, 1, tzinfo=UTC)))
    take(csv(hours[:24]), "1h")
    with CaptureQueriesContext(connection) as one:
        loaded(interval="1h")
    take(csv(hours), "1h")
    with CaptureQueriesContext(connection) as four:
        loaded(interval="1h")
    assert len(one) == len(four) <= 2


# ---------------------------------------------------------------- storage


@pytest.mark.django_db(transaction=True)
def test_candles_live_in_a_storage_that_has_no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    storage_is(monkeypatch, InMemoryStorage())
    part = candles(500, start=NEW_YEAR - 200 * 60_000)
    take(csv(part[:300]))
    take(csv(part[200:]))
    assert same(loaded(), part)
    services.series_delete(series_id=CandleSeries.objects.get().pk)
    assert default_storage.listdir("candles/test/AAA-USD/1m") == ([], [])


class FullDisk(FileSystemStorage):
    """Saves once, then no more."""

    saved = 0

    def _save(self, name: str, content: Any) -> str:
        self.saved += 1
        if self.saved > 1:
            raise OSError(28, "No space left on device")
        return str(super()._save(name, content))  # type: ignore[misc] # the stubs leave it out


def storage_is(monkeypatch: pytest.MonkeyPatch, storage: Any) -> None:
    monkeypatch.setattr(default_storage, "_wrapped", storage)


@pytest.mark.django_db(transaction=True)
def test_a_storage_that_fails_in_mid_write_leaves_the_old_candles(monkeypatch: pytest.MonkeyPatch, storage_folder: Path) -> None:
    old = candles(100, start=NEW_YEAR - 50 * 60_000)
    take(csv(old))
    before = files(storage_folder)
    with monkeypatch.context() as patch:
        storage_is(patch, FullDisk(location=storage_folder))
        with pytest.raises(OSError, match="No space"):
            take(csv(candles(200, start=NEW_YEAR - 100 * 60_000, seed=2)))
    assert same(loaded(), old)
    assert files(storage_folder) == before == named()
    assert CandleImport.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_files_that_a_crash_left_are_swept_by_the_next_write_and_by_sweep(storage_folder: Path) -> None:
    take(csv(candles(100)))
    left = storage_folder / "candles" / "test" / "AAA-USD" / "1m" / "2022-dead.parquet"
    left.write_bytes(b"half")
    take(csv(candles(120)))
    assert not left.exists()
    left.write_bytes(b"half")
    gone = storage_folder / "candles" / "nowhere" / "OLD-USD" / "5m" / "2020-dead.parquet"
    gone.parent.mkdir(parents=True)
    gone.write_bytes(b"half")
    assert sweep_orphans() == 2
    assert files(storage_folder) == named()
    assert len(loaded()) == 120


@pytest.mark.django_db
@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        lambda path: path.write_bytes(bytes(path.stat().st_size)),
    ],
)
def test_a_damaged_file_is_told_and_never_read_as_candles(storage_folder: Path, harm: Callable[[Path], None]) -> None:
    take(csv(candles(100)))
    harm(storage_folder / CandleChunk.objects.get().file)
    with pytest.raises(Conflict, match="missing or damaged") as caught:
        loaded()
    assert caught.value.code == "candles_damaged"


@pytest.mark.django_db
def test_deleting_a_series_deletes_its_files(storage_folder: Path, django_capture_on_commit_callbacks: Any) -> None:
    done = take(csv(candles(100, start=NEW_YEAR - 50 * 60_000)))
    assert done.series is not None
    with django_capture_on_commit_callbacks(execute=True):
        services.series_delete(series_id=done.series.pk)
    assert files(storage_folder) == set()
    assert not CandleChunk.objects.exists()
    assert not CandleGap.objects.exists()
    assert CandleImport.objects.get().series is None
    with pytest.raises(NotFound):
        services.series_delete(series_id=done.series.pk)


# ---------------------------------------------------------------- several at once


def at_once(*works: Callable[[], object]) -> list[BaseException]:
    """All of them in threads of their own, begun together; what they raised."""
    gate = threading.Barrier(len(works))
    errors: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        gate.wait(10)
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return errors


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_imports_of_one_series_at_once_come_to_their_union(storage_folder: Path) -> None:
    whole = candles(4000)
    parts = [whole[low : low + 1300] for low in range(0, 4000, 900)]
    errors = at_once(*(lambda part=part: take(csv(part)) for part in parts))
    assert errors == []
    assert same(loaded(), whole)
    assert files(storage_folder) == named()
    assert CandleGap.objects.count() == 0


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_readers_never_see_half_a_write() -> None:
    old, new = candles(3000, seed=1), candles(3000, seed=2)
    take(csv(old))
    stop = threading.Event()
    seen: list[bool] = []

    def write() -> None:
        try:
            for part in (new, old) * 8:
                take(csv(part))
        finally:
            stop.set()

    def read() -> None:
        while not stop.is_set():
            found = loaded()
            seen.append(same(found, old) or same(found, new))

    assert at_once(write, read) == []
    assert seen
    assert all(seen)


# ---------------------------------------------------------------- demonstration data


@pytest.mark.django_db
def test_demo_data_are_made_once_and_always_the_same(storage_folder: Path) -> None:
    made = services.demo_data_load()
    assert [(series.instrument.symbol, series.interval) for series in made] == [
        ("BTC-USD", "1m"),
        ("BTC-USD", "1h"),
        ("ETH-USD", "1m"),
        ("SOL-USD", "1m"),
    ]
    prints = [series.fingerprint for series in made]
    assert services.demo_data_load() == []
    services.series_delete(series_id=made[1].pk)
    (again,) = services.demo_data_load()
    assert again.fingerprint == prints[1]
    assert [(gap.series.instrument.symbol, gap.missing) for gap in CandleGap.objects.all()] == [("SOL-USD", 47)]
    hours, minutes = (load_candles(venue="sandbox", symbol="BTC-USD", interval=interval) for interval in ("1h", "1m"))
    assert len(hours) == 730 * 24
    assert hours.close[-1] == minutes.close[-1]
