"""Prices as they come: the watchlist, and how the streams do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from access.requests import PageRequest, Part, may_trade, parts_answer, parts_asked
from core.errors import NotFound
from core.venues import venue_key
from market import selectors, services
from market.models import CandleSeries, FeedIncident
from market.prices import prices_all

SHOWN_INCIDENTS = 50


@require_GET
def watchlist(request: PageRequest) -> HttpResponse:
    """The newest price of every symbol that a stream brings; the page's script keeps them moving."""
    parts: Mapping[str, Part] = {"watchlist": ("market/_watchlist.html", watchlist_part)}
    if parts_asked(request):
        return parts_answer(request, parts)
    return render(request, "market/watchlist.html", watchlist_part())


def watchlist_part() -> dict[str, Any]:
    """What the watchlist shows: each known price, with the chart of its symbol."""
    feeds = selectors.list_feeds()
    prices = prices_all(feeds)
    charts = charts_by_symbol()
    rows = [
        {
            "name": ":".join(pair),
            "symbol": pair[2],
            "venue": venue_key(*pair[:2]),
            "price": price,
            "chart": charts.get((venue_key(*pair[:2]), pair[2])),
        }
        for pair, price in prices.items()
    ]
    return {"rows": rows, "feeds": feeds}


def charts_by_symbol() -> dict[tuple[str, str], int]:
    """The series with the shortest interval of each instrument: the one that grows live."""
    rows = CandleSeries.objects.order_by("-count").values_list("instrument__venue", "instrument__symbol", "pk")
    found: dict[tuple[str, str], int] = {}
    for venue, symbol, pk in rows:
        found.setdefault((venue, symbol), pk)
    return found


@require_GET
def streams(request: PageRequest) -> HttpResponse:
    """Every venue's sockets with their health, and when a venue was not heard as it should be."""
    parts: Mapping[str, Part] = {"streams": ("market/_streams.html", streams_part)}
    if parts_asked(request):
        return parts_answer(request, parts)
    return render(request, "market/streams.html", streams_part())


def streams_part() -> dict[str, Any]:
    rows = [(stream, selectors.stream_json(stream)) for stream in selectors.list_streams()]
    return {"streams": rows, "incidents": FeedIncident.objects.select_related("stream").order_by("-id")[:SHOWN_INCIDENTS]}


@require_POST
def stream_switch(request: PageRequest) -> HttpResponse:
    may_trade(request)
    venue, environment = request.POST.get("venue", "")[:32], request.POST.get("environment", "")[:8]
    wanted = request.POST.get("wanted") == "true"
    try:
        services.stream_switch(venue=venue, environment=environment, wanted=wanted, user=request.user)
    except NotFound as error:
        messages.error(request, str(error))
    else:
        does = (
            "starts as soon as a stream worker takes it." if wanted else "stops; its bots decide nothing until it is started again."
        )
        messages.success(request, f"The stream of {venue} ({environment}) {does}")
    return redirect("market:streams")
