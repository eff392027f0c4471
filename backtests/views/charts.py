"""What a run's chart and playback fetch. Figures are numbers and not decimal text here: they are only drawn."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from backtests import selectors
from backtests.selectors.charting import BARS, MOST_BARS, candle_number, run_chart
from backtests.selectors.playback import playback_event, playback_states
from core.fields import Fields

LATEST = 10**10
MOST_STATES = 300


@require_GET
def chart_candles(request: HttpRequest, run_id: str) -> HttpResponse:
    """`symbol`, `start`, `end` (seconds), `bars`: a window of candles, indicators, equity and marks."""
    form = Fields(request.GET.dict())
    start, end = (form.integer(name, high=LATEST) if name in request.GET else None for name in ("start", "end"))
    bars, symbol = form.integer("bars", BARS, low=10, high=MOST_BARS), form.text("symbol")
    form.refuse("The chart cannot show this.")
    found = run_chart(selectors.run_get(run_id), symbol=symbol, start=start, end=end, bars=bars)
    return HttpResponse(orjson.dumps(found, option=orjson.OPT_SERIALIZE_NUMPY), content_type="application/json")


@require_GET
def chart_states(request: HttpRequest, run_id: str) -> JsonResponse:
    """The states of `count` candles from number `first` on, or around the candle at the moment `at` (seconds)."""
    form = Fields(request.GET.dict())
    count = form.integer("count", 60, low=1, high=MOST_STATES)
    first, at = form.integer("first", high=10**12), form.integer("at", high=LATEST)
    form.refuse("Playback cannot show this.")
    run = selectors.run_get(run_id)
    number = candle_number(run, at) if "at" in request.GET else first
    begin = max(0, number - count // 2) if "at" in request.GET else first
    return JsonResponse({"number": number, "states": playback_states(run, first=begin, count=count)})


@require_GET
def chart_event(request: HttpRequest, run_id: str) -> JsonResponse:
    """The number of the nearest candle from `index` on in which something happened: `kind` fill or any, `way` next or previous."""
    form = Fields(request.GET.dict())
    index = form.integer("index", high=10**12)
    way, kind = form.choice("way", "next", ("next", "previous")), form.choice("kind", "any", ("fill", "any"))
    form.refuse("Playback cannot go there.")
    found: Any = playback_event(selectors.run_get(run_id), index=index, forward=way == "next", fills_only=kind == "fill")
    return JsonResponse({"index": found})
