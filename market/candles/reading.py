"""From rows of the database to arrays."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
from django.core.files.storage import default_storage

from core.errors import Conflict, Invalid, NotFound
from core.storage import asking_storage
from core.symbols import symbol_normalise, venue_normalise
from core.text import ms_text
from core.times import from_ms, to_ms
from engine.grid import can_make, count_most, find_close, round_up
from engine.resample import resample
from engine.types import INTERVALS, Candles, interval_ms
from market.candles import codec
from market.models import CandleChunk, CandleSeries

FOREVER = 1 << 62


def load_candles(
    *,
    venue: str,
    symbol: str,
    interval: str,
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int | None = None,
) -> Candles:
    """The candles whose open time is from `start` up to, not including, `end`; at most the first `limit` of them.

    If the interval is not stored but a lower one that it is made of is, the candles are made of the highest such interval, closed
    ones only. `NotFound` says what there is; `Invalid` at `start` says which span there is.
    """
    interval_ms(interval)
    series = find_source(venue=venue, symbol=symbol, interval=interval)
    low = to_ms(start) if start else -FOREVER
    high = to_ms(end) if end else FOREVER
    if low >= high:
        raise Invalid.at("end", "The end must be after the start.")
    if series.interval == interval:
        candles = read_span(series, low, high, limit)
    else:
        candles = _resample_span(series, interval, round_up(interval, low), round_up(interval, high), limit)
    if not len(candles):
        raise Invalid.at("start", _explain_empty(series, interval, low, high))
    return candles


def find_source(*, venue: str, symbol: str, interval: str) -> CandleSeries:
    """The series that candles of this interval come from: the interval's own, or that of the highest lower one that it is
    made of."""
    interval_ms(interval)
    symbol, venue = symbol_normalise(symbol), venue_normalise(venue)
    stored = CandleSeries.objects.filter(instrument__venue=venue, instrument__symbol=symbol).select_related("instrument")
    usable = [series for series in stored if can_make(interval, series.interval)]
    if usable:
        return max(usable, key=lambda series: INTERVALS[series.interval])
    raise NotFound(_explain_missing(venue, symbol, interval, [series.interval for series in stored]))


def read_span(series: CandleSeries, start: int, end: int, limit: int | None = None) -> Candles:
    """The series' own candles of a span (ms). There may be none. It stops at `limit`, without opening more files."""
    for _ in range(8):
        chunks = list(series.chunks.filter(last__gte=_as_datetime(start), first__lt=_as_datetime(end)))
        try:
            return _join_chunks(series, chunks, start, end, limit)
        except FileNotFoundError:
            # A write swapped the rows and deleted this file after we had read the rows: read the new ones.
            continue
    raise damaged_series(series)


def _join_chunks(series: CandleSeries, chunks: Sequence[CandleChunk], start: int, end: int, limit: int | None) -> Candles:
    parts: list[Candles] = []
    wanted = limit or FOREVER
    for chunk in chunks:
        if wanted <= 0:
            break
        part = read_chunk(series, chunk, start, end)[: min(wanted, chunk.count)]
        parts.append(part)
        wanted -= len(part)
    if len(parts) == 1:
        return parts[0]
    columns = (np.concatenate([getattr(part, name) for part in parts] or [_empty_column(name)]) for name in codec.COLUMNS)
    return Candles(series.instrument.symbol, series.interval, *columns, volume_known=all(part.volume_known for part in parts))


def read_chunk(series: CandleSeries, chunk: CandleChunk, start: int = -FOREVER, end: int = FOREVER) -> Candles:
    """One file's candles of a span. Raises `Conflict` if the file is not what its row says."""
    with asking_storage(), default_storage.open(chunk.file) as file:
        data = file.read()
    if len(data) != chunk.bytes:
        raise damaged_series(series)
    try:
        return codec.decode_candles(data, series.instrument.symbol, series.interval, start, end)
    except pa.ArrowInvalid:
        raise damaged_series(series) from None


def _resample_span(series: CandleSeries, interval: str, start: int, end: int, limit: int | None) -> Candles:
    ratio = count_most(interval, series.interval)
    base = read_span(series, start, end, limit and (limit + 1) * ratio)
    cut = limit is not None and len(base) == (limit + 1) * ratio
    # If the series goes on after the span, a gap at the span's end does not leave its last candle open.
    until = None if cut else min(end, find_close(series.interval, to_ms(series.last)))
    return resample(base, interval, until=until)[: limit if limit else len(base)]


def damaged_series(series: CandleSeries) -> Conflict:
    return Conflict(
        f"A file of {series} is missing or damaged in the storage. Delete the series and import it again.",
        code="candles_damaged",
    )


def _explain_missing(venue: str, symbol: str, interval: str, intervals: Sequence[str]) -> str:
    """Says what is missing, what there is, and what may have been meant."""
    asked = f"{symbol} {interval} from {venue} is not here"
    if intervals:
        return f"{asked}; there is {symbol} in {', '.join(sorted(intervals, key=INTERVALS.__getitem__))}."
    rows = CandleSeries.objects.values_list("instrument__venue", "instrument__symbol", "interval")
    names = [f"{name} from {place} ({_list_intervals(group)})" for (place, name), group in groupby(rows, key=lambda row: row[:2])]
    if not names:
        return f"{asked}; there are no candles at all yet. Import some first."
    near = difflib.get_close_matches(f"{symbol} from {venue}", names, n=1, cutoff=0.4)
    listed = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    return f"{asked}; there is {listed}." + (f" Did you mean {near[0]}?" if near else "")


def _list_intervals(rows: Iterable[tuple[str, str, str]]) -> str:
    return ", ".join(sorted((row[2] for row in rows), key=INTERVALS.__getitem__))


def _explain_empty(series: CandleSeries, interval: str, low: int, high: int) -> str:
    made = "" if series.interval == interval else f" (made of {series.interval} candles)"
    first, last = ms_text(to_ms(series.first)), ms_text(to_ms(series.last))
    span = f"from {ms_text(low) if low > -FOREVER else 'the beginning'} to {ms_text(high) if high < FOREVER else 'the end'}"
    return f"There is no candle of {series.instrument.symbol} {interval}{made} {span}; there are candles from {first} to {last}."


def _as_datetime(milliseconds: int) -> datetime:
    """The time as a datetime. Times beyond the range of datetimes become its ends."""
    return from_ms(min(max(milliseconds, -62_135_596_800_000), 253_402_300_799_000))


def _empty_column(name: str) -> Any:
    return np.empty(0, dtype=np.int64 if name == "time" else np.float64)
