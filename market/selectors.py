"""Reading: series, imports, the watchlist, pages of candles."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from django.db.models import Count, Prefetch, QuerySet
from django.utils import timezone

from core.errors import Invalid, NotFound
from core.symbols import symbol_normalise, venue_normalise
from core.text import decimal_text, ms_text, utc_text
from core.times import from_ms, to_ms
from engine.grid import find_close
from engine.types import INTERVALS, Candles
from market import candles
from market.models import CandleGap, CandleImport, CandleSeries, FeedIncident, Instrument, VenueStream
from market.prices import Pair, Price

__all__ = [
    "candles_page",
    "gaps_between",
    "import_get",
    "import_report",
    "import_summary",
    "list_feeds",
    "list_imports",
    "list_instruments",
    "list_streams",
    "series_gaps",
    "series_get",
    "series_list",
    "stream_get",
    "stream_incidents",
    "stream_json",
    "stream_silent",
    "stream_state",
    "suggest_symbols",
    "symbol_normalise",
    "symbols_recorded",
    "symbols_traded",
    "tick_json",
    "venue_of",
    "watchlist_entry",
]
MOST_NEAR = 4

SILENT_AFTER = 8.0
"""Seconds without news of a venue after which its prices have stopped. In a quiet market the feed asks REST more often."""


def series_list(*, venue: str = "", symbol: str = "") -> QuerySet[CandleSeries]:
    """All series with their instruments and `gap_count`, by venue, symbol and interval; one query."""
    found = CandleSeries.objects.select_related("instrument").annotate(gap_count=Count("gaps"))
    if venue:
        found = found.filter(instrument__venue=venue_normalise(venue))
    return found.filter(instrument__symbol=symbol_normalise(symbol)) if symbol else found


def series_get(*, series_id: int) -> CandleSeries:
    """One series with its instrument; `NotFound`."""
    try:
        return CandleSeries.objects.select_related("instrument").get(pk=series_id)
    except CandleSeries.DoesNotExist:
        raise NotFound("There is no such series of candles. It may have been deleted.") from None


def series_gaps(series: CandleSeries) -> QuerySet[CandleGap]:
    """A series' gaps; page them by `first`, which no two of them share."""
    return series.gaps.order_by("first")


def list_imports() -> QuerySet[CandleImport]:
    """Every import, newest first, without its reports on rows, which may be long."""
    return CandleImport.objects.select_related("series__instrument", "created_by").defer("problems")


def import_get(*, import_id: int) -> CandleImport:
    """Raises `NotFound`."""
    found = CandleImport.objects.select_related("series__instrument", "created_by").filter(pk=import_id).first()
    if found is None:
        raise NotFound(f"There is no import {import_id}.")
    return found


def list_instruments() -> QuerySet[Instrument]:
    """Instruments that have candles, each with `series` loaded, in two queries however many there are."""
    series = CandleSeries.objects.annotate(gap_count=Count("gaps"))
    return Instrument.objects.filter(series__isnull=False).distinct().prefetch_related(Prefetch("series", queryset=series))


def watchlist_entry(instrument: Instrument) -> dict[str, Any]:
    """One row of the watchlist, JSON-ready, of an instrument from `list_instruments()`."""
    series = sorted(instrument.series.all(), key=lambda item: INTERVALS[item.interval])
    newest = max(series, key=lambda item: find_close(item.interval, to_ms(item.last)))
    return {
        "venue": instrument.venue,
        "symbol": instrument.symbol,
        "base": instrument.base,
        "quote": instrument.quote,
        "last_close": decimal_text(newest.last_close),
        "last_close_at": ms_text(find_close(newest.interval, to_ms(newest.last))),
        "tick_size": decimal_text(instrument.tick_size),
        "lot_size": decimal_text(instrument.lot_size),
        "min_notional": decimal_text(instrument.min_notional),
        "intervals": [
            {
                "interval": item.interval,
                "first": ms_text(to_ms(item.first)),
                "last": ms_text(to_ms(item.last)),
                "count": item.count,
                "missing": item.missing,
                "without_volume": item.without_volume,
                "gaps": vars(item)["gap_count"],  # annotated by `list_instruments`
                "fingerprint": item.fingerprint,
            }
            for item in series
        ],
    }


def venue_of(symbol: str) -> str:
    """The only venue with candles of the symbol; `Invalid` at `venue` where there are several, `NotFound` where there is none."""
    symbol = symbol_normalise(symbol)
    venues = list(Instrument.objects.filter(symbol=symbol, series__isnull=False).distinct().values_list("venue", flat=True))
    if not venues:
        raise NotFound(f"There are no candles of {symbol}. GET market/symbols lists what there is.")
    if len(venues) > 1:
        raise Invalid.at("venue", f"There are candles of {symbol} from {', '.join(sorted(venues))}. Say which venue.")
    return str(venues[0])


def candles_page(
    *, venue: str, symbol: str, interval: str, start: datetime | None, end: datetime | None, limit: int
) -> tuple[Candles, datetime | None]:
    """The first `limit` candles of a span, and the open time of the next one, or None if the span ends there. Raises as
    `load_candles` does."""
    found = candles.load_candles(venue=venue, symbol=symbol, interval=interval, start=start, end=end, limit=limit + 1)
    return found[:limit], from_ms(found.time[limit]) if len(found) > limit else None


def gaps_between(series: CandleSeries, first: datetime, last: datetime) -> list[dict[str, Any]]:
    """The gaps that lie between two candles of a series, JSON-ready."""
    found = series.gaps.filter(first__gt=first, last__lt=last).order_by("first")
    return [{"first": ms_text(to_ms(gap.first)), "last": ms_text(to_ms(gap.last)), "missing": gap.missing} for gap in found]


def import_report(done: CandleImport) -> dict[str, Any]:
    """What came of an import, JSON-ready. `gaps` are those of the series within the file's span, as they are now."""
    series, first, last = done.series, done.first, done.last
    gaps = gaps_between(series, first, last) if series and first and last else []
    return {**import_summary(done), "gaps": gaps, "problems": done.problems}


def import_summary(done: CandleImport) -> dict[str, Any]:
    """The same without what may be long: gaps and faults."""
    return {
        "id": done.pk,
        "status": str(done.status),
        "venue": done.venue,
        "symbol": done.symbol,
        "interval": done.interval,
        "filename": done.filename,
        "format": done.format,
        "rows": done.rows,
        "first": ms_text(to_ms(done.first)) if done.first else None,
        "last": ms_text(to_ms(done.last)) if done.last else None,
        "duplicates": done.duplicates,
        "out_of_order": done.out_of_order,
        "added": done.added,
        "replaced": done.replaced,
        "problem_count": done.problem_count,
        "fingerprint": done.fingerprint,
        "message": done.message,
        "error_code": done.error_code,
        "seconds": done.seconds,
        "progress": read_share(done),
        "created_at": utc_text(done.created_at),
    }


def read_share(done: CandleImport) -> float:
    """How much of the file has been read, from 0 to 1."""
    if not done.under_way:
        return 1.0
    return min(1.0, round(done.bytes_read / done.bytes_total, 4)) if done.bytes_total else 0.0


def list_streams() -> QuerySet[VenueStream]:
    """Every venue's stream, by venue and environment."""
    return VenueStream.objects.order_by("venue", "environment")


def list_feeds() -> list[tuple[str, str]]:
    """(venue, environment) of every stream there is."""
    return list(list_streams().values_list("venue", "environment"))


def stream_get(*, venue: str, environment: str) -> VenueStream:
    """Raises `NotFound` for a stream that no worker and no bot ever named."""
    if found := VenueStream.objects.filter(venue=venue_normalise(venue), environment=environment).first():
        return found
    raise NotFound(f"There is no stream of {venue} ({environment}). GET streams lists those there are.")


def stream_incidents(stream: VenueStream) -> QuerySet[FeedIncident]:
    """Times in which its venue was not heard as it should be, newest first."""
    return stream.incidents.order_by("-id")


def stream_held(stream: VenueStream, now: datetime) -> bool:
    return stream.held_until is not None and stream.held_until > now


def stream_silent(stream: VenueStream, now: datetime) -> bool:
    """Whether the venue has not been heard for a while, or never. A first attempt to connect is given time."""
    connecting = stream.state == VenueStream.State.CONNECTING and not stream.detail
    if connecting and stream_held(stream, now):
        return False
    heard = stream.last_message_at
    return heard is None or (now - heard).total_seconds() > SILENT_AFTER


def stream_state(stream: VenueStream, now: datetime) -> str:
    """The state as it is now, whatever was last written: a worker that died or hangs cannot write it."""
    said = VenueStream.State(stream.state)
    if said == VenueStream.State.PAUSED:
        return said.value
    if not stream_held(stream, now):
        return VenueStream.State.STOPPED.value
    brings = said in (VenueStream.State.LIVE, VenueStream.State.POLLING)
    return VenueStream.State.STALE.value if brings and stream_silent(stream, now) else said.value


def stream_json(stream: VenueStream) -> dict[str, Any]:
    """How a stream is doing now, JSON-ready."""
    now = timezone.now()
    held, state, heard = stream_held(stream, now), stream_state(stream, now), stream.last_message_at
    return {
        "venue": stream.venue,
        "environment": stream.environment,
        "wanted": stream.wanted,
        "state": state,
        "connected": state == VenueStream.State.LIVE,
        "detail": stream.detail,
        "symbols": stream.symbols,
        "connected_at": ms_text(to_ms(stream.connected_at)) if stream.connected_at else None,
        "last_message_at": ms_text(to_ms(heard)) if heard else None,
        "last_message_age_s": max(0.0, (now - heard).total_seconds()) if heard else None,
        "messages_per_second": stream.messages_per_second if held else 0.0,
        "reconnects": stream.reconnects,
        "gaps": stream.gaps,
    }


def tick_json(pair: Pair, price: Price) -> dict[str, Any]:
    """A symbol's newest tick, and how old it is."""
    venue, environment, symbol = pair
    return {
        "venue": venue,
        "environment": environment,
        "symbol": symbol,
        "price": decimal_text(price.price),
        "bid": decimal_text(price.bid),
        "ask": decimal_text(price.ask),
        "time": utc_text(price.time),
        "age_s": round(price.age, 3),
        "stale": price.stale,
    }


def symbols_traded(*, venue: str) -> frozenset[str]:
    """What the venue listed when it was last asked; empty where it was not."""
    listed = Instrument.objects.filter(venue=venue).exclude(venue_symbol="")
    return frozenset(listed.values_list("symbol", flat=True))


def symbols_recorded(*, venue: str) -> frozenset[str]:
    """What there are candles of at the venue."""
    return frozenset(CandleSeries.objects.filter(instrument__venue=venue).values_list("instrument__symbol", flat=True))


def suggest_symbols(symbol: str, known: Collection[str]) -> str:
    """`` Near are BTC-USDT, BTC-USDC.`` with a leading space: the same base in another currency first; or nothing."""
    base, _, quote = symbol.partition("-")
    same = sorted((one for one in known if one.partition("-")[0] == base), key=lambda one: (not one.endswith(quote), one))
    near = [*same, *(one for one in get_close_matches(symbol, sorted(known), n=MOST_NEAR) if one not in same)][:MOST_NEAR]
    return f" Near are {', '.join(near)}." if near else ""
