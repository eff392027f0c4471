"""Writing: instruments, imports of candles, deletion, demonstration data."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import PurePath
from typing import IO, Any

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.utils import timezone

from market import candles
from market.candles import checks, readers
from market.demo import DEMO
from market.models import CandleImport, CandleSeries, Instrument
from market.selectors import series_get
from market.symbols import symbol_normalise, venue_normalise
from market.times import from_ms
from trading.engine.errors import Invalid
from trading.engine.types import interval_ms

SHOWN_FAULTS = 20


def instrument_ensure(*, venue: str, symbol: str, **rules: Decimal | str | None) -> Instrument:
    """The instrument, made if it is new; `rules` (tick_size, lot_size, min_notional, venue_symbol) count only then."""
    venue, symbol = venue_normalise(venue), symbol_normalise(symbol)
    base, quote = symbol.split("-")
    defaults: dict[str, Any] = {"base": base, "quote": quote, **rules}
    return Instrument.objects.get_or_create(venue=venue, symbol=symbol, defaults=defaults)[0]


def candles_import(
    *,
    file: IO[bytes],
    filename: str,
    venue: str,
    symbol: str,
    interval: str,
    skip_bad_rows: bool = False,
    user: User | AnonymousUser | None = None,
) -> CandleImport:
    """Read, check and merge a file of candles; all of it or nothing.

    Arguments and files that cannot be used as a whole (empty, cut short, no candles, a column missing) raise `Invalid` at
    `venue`, `symbol`, `interval` or `file`, and leave nothing. A file whose rows are at fault leaves an import with status
    `refused` and the report, and no candle; with `skip_bad_rows` the bad rows are left out, and reported all the same.
    """
    started = time.monotonic()
    venue, symbol = venue_normalise(venue), symbol_normalise(symbol)
    interval_ms(interval)
    rows = readers.read(file)
    checked = checks.check(rows, symbol, interval, timezone.now(), skip_bad_rows=skip_bad_rows)
    done = CandleImport(
        venue=venue,
        symbol=symbol,
        interval=interval,
        filename=_stored_name(filename),
        format=rows.format,
        rows=checked.rows,
        duplicates=checked.duplicates,
        out_of_order=checked.out_of_order,
        problems=checked.problems.first(),
        problem_count=checked.problems.count,
        created_by=user if isinstance(user, User) else None,
    )
    with transaction.atomic():
        if checked.refusal:
            done.status, done.message = CandleImport.Status.REFUSED, checked.refusal
        else:
            _store(done, checked)
        done.seconds = round(time.monotonic() - started, 3)
        done.save()
    return done


def _store(done: CandleImport, checked: checks.Checked) -> None:
    written = candles.write(instrument_ensure(venue=done.venue, symbol=done.symbol), checked.candles)
    done.status, done.series = CandleImport.Status.COMPLETED, written.series
    done.added, done.replaced = written.added, written.replaced
    done.first, done.last = from_ms(checked.candles.time[0]), from_ms(checked.candles.time[-1])
    done.fingerprint = written.series.fingerprint
    notes = [f"{len(checked.candles):,} candles read, {written.added:,} of them new."]
    if written.replaced:
        notes.append(f"{written.replaced:,} replaced one that had other values.")
    if checked.duplicates:
        notes.append(f"{checked.duplicates:,} stood in the file more than once.")
    if checked.out_of_order:
        notes.append(f"{checked.out_of_order:,} were out of order and are sorted in.")
    if checked.unclosed:
        notes.append(f"{checked.unclosed:,} had not closed yet and were left out.")
    if checked.problems.count:
        notes.append(f"Bad rows were left out: {checked.problems.count:,} faults.")
    done.message = " ".join(notes)


def import_refusal(done: CandleImport) -> Invalid:
    """A refused import as the error that programs get: the first faults at `file`."""
    faults = [f"Row {item['row']}, {item['field']}: {item['message']}" for item in done.problems[:SHOWN_FAULTS]]
    return Invalid(done.message, code="import_refused", fields={"file": faults or [done.message]})


def series_delete(*, series_id: int) -> None:
    """Delete a series and its files for good; `NotFound`. Imports and backtest runs keep what they recorded, but a run can only be
    repeated, byte for byte, once the same candles are imported again."""
    candles.delete(series_get(series_id=series_id))


def demo_data_load() -> list[CandleSeries]:
    """Made-up candles of three instruments of the venue `sandbox`, where there are none yet; the series that were made.

    The span and the seed are fixed, not relative to today, so that a demonstration gives the same results on every desk and day.
    """
    made = []
    for demo in DEMO:
        instrument = instrument_ensure(venue="sandbox", symbol=demo.symbol, **demo.rules)
        there = set(instrument.series.values_list("interval", flat=True))
        made += [candles.write(instrument, part).series for part in demo.candles(there)]
    return made


def _stored_name(filename: str) -> str:
    """The name alone, in characters that a database takes."""
    name = PurePath(filename.replace("\\", "/")).name.replace("\0", "")
    return name.encode("utf-8", "replace").decode()[:255] or "unnamed"
