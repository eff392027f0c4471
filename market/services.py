"""Writing: instruments, imports of candles, deletion, demonstration data."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import PurePath
from typing import IO, Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from access.audit import audit_record
from access.limits import require_unlimited
from access.people import Person, signed_in_user
from access.rights import require_right
from core.errors import Invalid, NotFound
from core.fields import DIRECTIONS
from core.push import push_message
from core.symbols import symbol_normalise, venue_normalise
from core.times import from_ms
from core.venues import venue_key, venue_split
from engine.types import interval_ms
from market import candles
from market.candles import checks, readers
from market.demo import DEMO
from market.exchanges.base import InstrumentRules, UnreadRow
from market.models import CandleImport, CandleSeries, FeedIncident, Instrument, VenueStream
from market.selectors import series_get
from market.size_rules import limits_json

IMPORT_RIGHT = "market.add_candleimport"
SHOWN_FAULTS = 20
HOLD_SECONDS = 8
"""How long a stream worker may be silent before another takes over its sockets."""


def instrument_ensure(*, venue: str, symbol: str, **rules: Decimal | str | None) -> Instrument:
    """The instrument, made if it is new. `rules` (tick_size, lot_size, min_notional, venue_symbol) count only then."""
    venue, symbol = venue_normalise(venue), symbol_normalise(symbol)
    base, quote = symbol.split("-")
    defaults: dict[str, Any] = {"base": base, "quote": quote, **rules}
    return Instrument.objects.get_or_create(venue=venue, symbol=symbol, defaults=defaults)[0]


def instruments_note(*, key: str, listed: Iterable[InstrumentRules]) -> None:
    """Write what a venue lists now into the rows: the rules that orders must keep."""
    rows = [
        Instrument(
            venue=key,
            symbol=one.symbol,
            venue_symbol=one.venue_symbol,
            base=one.base,
            quote=one.quote,
            tick_size=one.tick_size,
            lot_size=one.lot_size,
            min_notional=one.min_notional,
            takes_stops="stop_limit" in one.order_types,
            limits=limits_json(one),
        )
        for one in listed
    ]
    rules = ["venue_symbol", "tick_size", "lot_size", "min_notional", "takes_stops", "limits"]
    Instrument.objects.bulk_create(rows, update_conflicts=True, unique_fields=["venue", "symbol"], update_fields=rules)


def products_unread_note(*, key: str, products: Iterable[UnreadRow]) -> None:
    """Write down which products of a venue's newest list could not be read. The desk does not trade them."""
    venue, environment = venue_split(key)
    names = sorted(one.symbol or "unnamed" for one in products)
    VenueStream.objects.filter(venue=venue, environment=environment).update(unread_products=names)


def candles_import(
    *,
    file: IO[bytes],
    filename: str,
    venue: str,
    symbol: str,
    interval: str,
    skip_bad_rows: bool = False,
    user: Person = None,
) -> CandleImport:
    """Read, check and merge a file of candles: all of it or nothing.

    Raises `Invalid` at `venue`, `symbol`, `interval` or `file` for arguments and files that cannot be used as a whole (empty,
    cut short, no candles, a missing column), and leaves nothing. A file with bad rows leaves an import with status `refused` and
    a report, and no candle. With `skip_bad_rows` the bad rows are left out, and reported all the same.
    """
    done = import_new(filename=filename, venue=venue, symbol=symbol, interval=interval, skip_bad_rows=skip_bad_rows, user=user)
    started = time.monotonic()
    checked = import_read(done, file)
    with transaction.atomic():
        import_store(done, checked)
        done.seconds = round(time.monotonic() - started, 3)
        done.save()
    return done


def import_new(
    *, filename: str, venue: str, symbol: str, interval: str, skip_bad_rows: bool = False, user: Person = None
) -> CandleImport:
    """An import that is not stored yet; `Invalid` at `venue`, `symbol` or `interval`."""
    require_right(user, IMPORT_RIGHT)
    interval_ms(interval)
    return CandleImport(
        venue=venue_normalise(venue),
        symbol=symbol_normalise(symbol),
        interval=interval,
        skip_bad_rows=skip_bad_rows,
        filename=_stored_name(filename),
        created_by=signed_in_user(user),
    )


def import_read(done: CandleImport, file: IO[bytes]) -> checks.Checked:
    """Reads and checks the file, and notes in the import what was found. `Invalid` at `file` for one that cannot be used."""
    rows = readers.read_rows(file, done.symbol)
    checked = checks.check_rows(rows, done.symbol, done.interval, timezone.now(), skip_bad_rows=done.skip_bad_rows)
    done.format, done.rows = rows.format, checked.rows
    done.duplicates, done.out_of_order = checked.duplicates, checked.out_of_order
    done.problems, done.problem_count = checked.problems.first(), checked.problems.count
    return checked


def import_store(done: CandleImport, checked: checks.Checked) -> None:
    """Stores the candles, or the reason why they may not be. Call it in a transaction, and save the import."""
    if not checked.refusal:
        return _store_candles(done, checked)
    done.status, done.error_code = CandleImport.Status.REFUSED, "import_refused"
    done.message = " ".join([checked.refusal, *checked.notes])
    return None


def _store_candles(done: CandleImport, checked: checks.Checked) -> None:
    """Writes what was checked, and notes in the import what came of it."""
    written = candles.write_candles(instrument_ensure(venue=done.venue, symbol=done.symbol), checked.candles)
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
    done.message = " ".join([*notes, *checked.notes])


def import_refusal(done: CandleImport) -> Invalid:
    """A refused import as the error that programs get: the first faults at `file`."""
    faults = [f"Row {item['row']}, {item['field']}: {item['message']}" for item in done.problems[:SHOWN_FAULTS]]
    return Invalid(done.message, code=done.error_code, fields={"file": faults or [done.message]})


def series_delete(*, series_id: int, user: Person = None) -> None:
    """Delete a series and its files for good; `NotFound`. Imports and backtest runs keep what they recorded, but a run can only be
    repeated, byte for byte, once the same candles are imported again."""
    require_right(user, "market.delete_candleseries")
    series = series_get(series_id=series_id)
    audit_record(user, "delete candles", str(series), candles=series.count, fingerprint=series.fingerprint)
    candles.delete_series(series)


def demo_data_load() -> list[CandleSeries]:
    """Made-up candles of three instruments of the venue `sandbox`, where there are none yet; the series that were made.

    The span and the seed are fixed, not relative to today, so that a demonstration gives the same results on every desk and day.
    """
    made = []
    for demo in DEMO:
        instrument = instrument_ensure(venue="sandbox", symbol=demo.symbol, **demo.rules)
        there = set(instrument.series.values_list("interval", flat=True))
        made += [candles.write_candles(instrument, part).series for part in demo.candles(there)]
    return made


def stream_ensure(*, venue: str, environment: str) -> VenueStream:
    return VenueStream.objects.get_or_create(venue=venue, environment=environment)[0]


def stream_switch(*, venue: str, environment: str, wanted: bool, user: Person = None) -> VenueStream:
    """Note whether a person wants this stream. One that is not wanted is closed by the worker that holds it, and its bots decide
    nothing. Raises `NotFound`."""
    require_right(user, "market.change_venuestream")
    require_unlimited(user)
    found = VenueStream.objects.filter(venue=venue, environment=environment).first()
    if found is None:
        raise NotFound(f"There is no stream of {venue} ({environment}).")
    with transaction.atomic():
        VenueStream.objects.filter(pk=found.pk).update(wanted=wanted)
        audit_record(user, "start stream" if wanted else "stop stream", venue_key(venue, environment))
        transaction.on_commit(partial(push_message, "desk", "changed", stream=venue_key(venue, environment)))
    found.wanted = wanted
    return found


def stream_hold(*, stream_id: int, holder: str) -> int | None:
    """Take or keep the hold on a venue's sockets for HOLD_SECONDS. Answers the fencing token, or None while another worker has the
    hold.

    The token grows with each new holder. Whatever needs the hold compares holder and token in the database, so that a worker
    that was away for too long can do nothing with an old token.
    """
    now = timezone.now()
    until = now + timedelta(seconds=HOLD_SECONDS)
    if VenueStream.objects.filter(pk=stream_id, holder=holder, held_until__gt=now).update(held_until=until):
        return VenueStream.objects.values_list("token", flat=True).get(pk=stream_id)
    before = VenueStream.objects.filter(pk=stream_id).first()
    if before is None:
        return None
    free = VenueStream.objects.filter(pk=stream_id, token=before.token).exclude(held_until__gt=now)
    if not free.update(holder=holder, held_until=until, token=F("token") + 1):
        return None
    _end_incidents(before, now)
    return before.token + 1


def _end_incidents(before: VenueStream, now: datetime) -> None:
    """End the incidents that the last holder could not end itself. Its silent end is one more."""
    before.incidents.filter(ended_at=None).update(ended_at=now)
    if before.holder and before.state != VenueStream.State.STOPPED:
        incident_note(
            stream_id=before.pk,
            kind="downtime",
            began_at=before.updated_at,
            ended_at=now,
            detail="The stream worker that had it was gone.",
        )


def stream_release(*, stream_id: int, holder: str) -> None:
    """Give up the hold in an orderly way, so that a standby does not have to wait until it runs out."""
    VenueStream.objects.filter(pk=stream_id, holder=holder).update(held_until=timezone.now(), state=VenueStream.State.STOPPED)


def stream_note(*, stream_id: int, holder: str, **state: Any) -> None:
    """Write what the holder knows of its sockets. It has no effect for a worker that no longer holds them."""
    VenueStream.objects.filter(pk=stream_id, holder=holder).update(updated_at=timezone.now(), **state)


def incident_note(
    *, stream_id: int, kind: str, symbol: str = "", began_at: datetime, ended_at: datetime | None = None, detail: str = ""
) -> None:
    """Write an incident as one row, which is told when it begins and again when it has ended."""
    FeedIncident.objects.update_or_create(
        stream_id=stream_id, kind=kind, symbol=symbol, began_at=began_at, defaults={"ended_at": ended_at, "detail": detail[:300]}
    )


def _stored_name(filename: str) -> str:
    """The file's name without folders, in characters that a database takes and that make it look like no other one."""
    name = PurePath(filename.replace("\\", "/")).name.encode("utf-8", "replace").decode()
    return "".join(one for one in name if one.isprintable() and one not in DIRECTIONS)[:255] or "unnamed"
