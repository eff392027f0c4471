"""Writes new candles into a series: new files first, then a swap of the rows, all or nothing."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction

from core.storage import asking_storage
from core.times import from_ms, to_ms
from engine.grid import number_candles
from engine.types import Candles, Ints
from market.candles import codec
from market.candles.merge import Merged, find_gaps, merge_candles
from market.candles.reading import read_chunk
from market.models import CandleChunk, CandleGap, CandleSeries, Instrument

ROOT = "candles"
COPY_GAPS = f"COPY {CandleGap._meta.db_table} (series_id, first, last, missing) FROM STDIN"


@dataclass(frozen=True, slots=True)
class Written:
    series: CandleSeries
    added: int
    replaced: int


def write_candles(instrument: Instrument, candles: Candles) -> Written:
    """Merge `candles` (in order, no duplicates, at least one) into the instrument's series of their interval.

    Writers of one instrument wait for each other. If anything goes wrong, the series stays as it was.
    """
    saved: list[str] = []
    with transaction.atomic():
        _lock_instrument(instrument)
        try:
            return _swap_chunks(instrument, candles, saved)
        except BaseException:
            # Only before the commit: if the answer to the commit was lost, these files may already be the series.
            _remove_files(saved)
            raise


def delete_series(series: CandleSeries) -> None:
    """Delete the series' rows, then its files."""
    with transaction.atomic():
        _lock_instrument(series.instrument)
        files = list(series.chunks.values_list("file", flat=True))
        series.delete()
        _remove_on_commit(files)


def sweep_orphans() -> int:
    """Delete every file of the store that no row names, as a crash leaves it. Says how many there were."""
    swept = 0
    for venue in _list_folder(ROOT)[0]:
        for symbol in _list_folder(f"{ROOT}/{venue}")[0]:
            with transaction.atomic():
                for instrument in Instrument.objects.filter(venue=venue, symbol=symbol):
                    _lock_instrument(instrument)
                for interval in _list_folder(f"{ROOT}/{venue}/{symbol}")[0]:
                    orphans = _find_orphans(f"{ROOT}/{venue}/{symbol}/{interval}")
                    _remove_files(orphans)
                    swept += len(orphans)
    return swept


def _lock_instrument(instrument: Instrument) -> None:
    Instrument.objects.select_for_update(no_key=True).get(pk=instrument.pk)


def _swap_chunks(instrument: Instrument, candles: Candles, saved: list[str]) -> Written:
    """Merges year by year, writes the files of the years that changed, and swaps their rows. Call it in a transaction; `saved` gets
    the names of the new files."""
    series = CandleSeries.objects.filter(instrument=instrument, interval=candles.interval).first()
    series = series or CandleSeries(instrument=instrument, interval=candles.interval)
    series.instrument = instrument
    chunks = {chunk.first.year: chunk for chunk in series.chunks.all()} if series.pk else {}
    _remove_on_commit(_find_orphans(_series_folder(instrument, candles.interval)))
    merged = {
        year: merge_candles(read_chunk(series, chunks[year]) if year in chunks else None, part)
        for year, part in codec.split_years(candles)
    }
    changed = {year: part for year, part in merged.items() if part.added or part.replaced}
    if changed:
        old = [chunks[year].pk for year in changed if year in chunks]
        _remove_on_commit([chunks[year].file for year in changed if year in chunks])
        chunks |= {year: _save_chunk(instrument, part.candles, saved) for year, part in changed.items()}
        _save_series(series, [chunks[year] for year in sorted(chunks)], changed, old)
    added, replaced = (sum(getattr(part, name) for part in merged.values()) for name in ("added", "replaced"))
    return Written(series, added, replaced)


def _save_chunk(instrument: Instrument, candles: Candles, saved: list[str]) -> CandleChunk:
    """Write a new file, and make sure that it is on disk. Its row is not saved yet."""
    data = codec.encode_candles(candles)
    first = from_ms(candles.time[0])
    name = f"{_series_folder(instrument, candles.interval)}/{first.year}-{uuid.uuid4().hex}.parquet"
    saved.append(name)
    with asking_storage():
        name = saved[-1] = default_storage.save(name, ContentFile(data))
        _sync_file(name)
    digest = codec.digest_candles(candles).hex()
    last = from_ms(candles.time[-1])
    unknown = int(np.isnan(candles.volume).sum())
    sizes = {"count": len(candles), "without_volume": unknown, "bytes": len(data)}
    return CandleChunk(file=name, first=first, last=last, fingerprint=digest, **sizes)


def _save_series(series: CandleSeries, chunks: Sequence[CandleChunk], changed: dict[int, Merged], old: Iterable[int]) -> None:
    """Save the series' sums, its chunk rows and its gaps."""
    first, last = to_ms(chunks[0].first), to_ms(chunks[-1].last)
    series.first, series.last = chunks[0].first, chunks[-1].last
    series.count = sum(chunk.count for chunk in chunks)
    series.without_volume = sum(chunk.without_volume for chunk in chunks)
    series.bytes = sum(chunk.bytes for chunk in chunks)
    series.missing = number_candles(series.interval, last) - number_candles(series.interval, first) + 1 - series.count
    series.fingerprint = codec.combine_digests(bytes.fromhex(chunk.fingerprint) for chunk in chunks)
    if newest := changed.get(chunks[-1].first.year):
        series.last_close = Decimal(repr(float(newest.candles.close[-1])))
    series.save()
    CandleChunk.objects.filter(pk__in=list(old)).delete()
    for chunk in chunks:
        chunk.series = series
    CandleChunk.objects.bulk_create([chunk for chunk in chunks if chunk.pk is None])
    for index, chunk in enumerate(chunks):
        if part := changed.get(chunk.first.year):
            before = [to_ms(other.last) for other in chunks[:index][-1:]]
            after = [to_ms(other.first) for other in chunks[index + 1 :][:1]]
            _save_gaps(series, np.concatenate((before, part.candles.time, after)).astype(np.int64))


def _save_gaps(series: CandleSeries, times: Ints) -> None:
    """Find the gaps from the first to the last of these open times again."""
    series.gaps.filter(last__gt=from_ms(times[0]), first__lt=from_ms(times[-1])).delete()
    first, last, missing = find_gaps(times, series.interval)
    texts = (np.datetime_as_string(moments.astype("datetime64[ms]"), unit="ms", timezone="UTC") for moments in (first, last))
    rows = "".join(f"{series.pk}\t{low}\t{high}\t{count}\n" for low, high, count in zip(*texts, missing, strict=True))
    if rows:
        # A thinly traded symbol has a hundred thousand gaps in a year of minutes. COPY writes them in under a second.
        with connection.cursor() as cursor, cursor.copy(COPY_GAPS) as copy:
            copy.write(rows)


def _series_folder(instrument: Instrument, interval: str) -> str:
    """Months are `1mo` there: some disks cannot tell `1M` from `1m`, and what no row names in a folder is deleted."""
    return f"{ROOT}/{instrument.venue}/{instrument.symbol}/{interval.replace('M', 'mo')}"


def _find_orphans(folder: str) -> list[str]:
    """Files in a series' folder that no row names. Under the instrument's lock no other writer is about to name them."""
    files = [f"{folder}/{name}" for name in _list_folder(folder)[1]]
    named = set(CandleChunk.objects.filter(file__in=files).values_list("file", flat=True)) if files else set()
    return [name for name in files if name not in named]


def _list_folder(folder: str) -> tuple[list[str], list[str]]:
    """(folders, files) in a folder. A storage that cannot list has nothing to sweep."""
    try:
        with asking_storage():
            return default_storage.listdir(folder)
    except (FileNotFoundError, NotImplementedError):
        return [], []


def _remove_on_commit(files: Sequence[str]) -> None:
    if files:
        transaction.on_commit(lambda: _remove_files(files), robust=True)


def _remove_files(files: Iterable[str]) -> None:
    """Delete files. One that cannot be deleted now is an orphan, which the next write sweeps."""
    for name in files:
        with suppress(OSError), asking_storage():
            default_storage.delete(name)


def _sync_file(name: str) -> None:
    """Sync a local file, which must outlive a power cut before its row is committed and the old file is deleted."""
    try:
        handle = os.open(default_storage.path(name), os.O_RDONLY)
    except (NotImplementedError, FileNotFoundError):
        return  # not on this machine's disk
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
