"""Stored candles: series, coverage and gaps, the chart's candles, imports."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from access.requests import PageRequest, may_trade
from core import paging
from core.venues import venue_split
from engine.grid import can_make
from engine.types import INTERVALS
from market import selectors, services
from market.coverage import months_by_series
from market.depths import depth_get, spread_bps
from market.models import CandleSeries, Instrument
from market.window import candle_window

PAGE = 50
SHOWN_PROBLEMS = 200
MOST_GAPS = 1_000


@require_GET
def series_list(request: PageRequest) -> HttpResponse:
    """All series, by venue, symbol and interval; `q` filters, `after` (a series' id) continues."""
    query = request.GET.get("q", "").strip()[:64].replace("\x00", "")
    found = match_series(selectors.series_list(), query)
    page = list(after_series(found, request.GET.get("after", ""))[: PAGE + 1])
    shown = page[:PAGE]
    months = months_by_series(shown)
    context: dict[str, Any] = {
        "query": query,
        "rows": [(series, months[series.pk]) for series in shown],
        "after": shown[-1].pk if len(page) > PAGE else None,
        "totals": match_series(CandleSeries.objects.all(), query).aggregate(
            series=Count("pk"), candles=Sum("count"), missing=Sum("missing"), bytes=Sum("bytes")
        ),
    }
    part = request.GET.get("part") if request.htmx else None
    template = {"rows": "market/_series_rows.html", "table": "market/_series_table.html"}.get(part or "", "market/list.html")
    return render(request, template, context)


def match_series(series: QuerySet[CandleSeries], query: str) -> QuerySet[CandleSeries]:
    for word in query.replace("/", "-").replace("_", "-").split():
        series = series.filter(
            Q(instrument__symbol__icontains=word) | Q(instrument__venue__icontains=word) | Q(interval__iexact=word)
        )
    return series.order_by("instrument__venue", "instrument__symbol", "interval")


def after_series(series: QuerySet[CandleSeries], after: str) -> QuerySet[CandleSeries]:
    last = (
        CandleSeries.objects.select_related("instrument").filter(pk=after).first()
        if after.isascii() and after.isdigit() and len(after) < 19
        else None
    )
    if last is None:
        return series
    venue, symbol = last.instrument.venue, last.instrument.symbol
    return series.filter(
        Q(instrument__venue__gt=venue)
        | Q(instrument__venue=venue, instrument__symbol__gt=symbol)
        | Q(instrument__venue=venue, instrument__symbol=symbol, interval__gt=last.interval)
    )


@require_GET
def series_detail(request: PageRequest, pk: int) -> HttpResponse:
    """One series: chart, coverage, gaps, imports. `part=gaps&cursor=...` continues the gaps."""
    series = selectors.series_get(series_id=pk)
    gaps, cursor = paging.read_page(selectors.series_gaps(series), key="first", cursor=request.GET.get("cursor"), limit=PAGE)
    context: dict[str, Any] = {"series": series, "gaps": gaps, "cursor": cursor}
    if request.htmx and request.GET.get("part") == "gaps":
        return render(request, "market/_gap_rows.html", context)
    context |= {
        "months": months_by_series([series])[series.pk],
        "imports": selectors.list_imports().filter(series=series)[:10],
        "files": series.chunks.count(),
        "gap_count": series.gaps.count(),
        "intervals": [name for name in INTERVALS if can_make(name, series.interval)],
        "expected": series.count + series.missing,
    }
    return render(request, "market/detail.html", context | book_of(series.instrument))


def book_of(instrument: Instrument) -> dict[str, Any]:
    """Its depth, where a stream brings that venue's prices."""
    feed = venue_split(instrument.venue)
    if feed not in selectors.list_feeds():
        return {"streamed": False}
    book = depth_get(venue=feed[0], environment=feed[1], symbol=instrument.symbol)
    levels = zip_longest(book["bids"], book["asks"], fillvalue=("", "")) if book else ()
    return {"streamed": True, "book": book, "levels": list(levels), "spread": spread_bps(book) if book else None}


@require_GET
def series_candles(request: PageRequest, pk: int) -> JsonResponse:
    """A window of candles for the chart: at most `limit` that open before `end`, or from `start` on, in `interval`."""
    series = selectors.series_get(series_id=pk)
    given = request.GET
    found = candle_window(
        series, given.get("interval") or series.interval, given.get("start"), given.get("end"), given.get("limit")
    )
    return JsonResponse(found)


@require_POST
def series_delete(request: PageRequest, pk: int) -> HttpResponse:
    may_trade(request)
    series = selectors.series_get(series_id=pk)
    name, count = str(series), series.count
    services.series_delete(series_id=series.pk, user=request.user)
    messages.success(request, f"{name} is deleted: {count:,} candles and their files.")
    return redirect("market:list")
