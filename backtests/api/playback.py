"""Playback: candles with indicators, and the state at a moment."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, query_parameter
from backtests import selectors
from backtests.api import shapes
from backtests.api.parameters import read_moments, read_number, read_words
from backtests.selectors.playback import CANDLES, MOST_CANDLES
from core.errors import Invalid
from core.fields import Fields
from core.shapes import MOMENT_ASKED, asked_text, count_shape

CANDLE_RANGE = [
    query_parameter("start", "Open times from here on.", MOMENT_ASKED),
    query_parameter("end", "Open times before this.", MOMENT_ASKED),
    query_parameter("symbol", "One of the run's; the first where left out.", asked_text()),
    query_parameter("limit", f"{CANDLES} candles where left out.", count_shape(1, MOST_CANDLES)),
]


class PlaybackCandlesView(APIView):
    @describe_endpoint(
        summary="The candles that the run saw, with its indicators and fills",
        description="`next` is the address of the candles after the last one here.",
        scope="read",
        answer=shapes.CANDLES,
        parameters=CANDLE_RANGE,
        beyond=["symbol"],
        errors=[404, 409],
    )
    def get(self, request: Request, run_id: str) -> Response:
        span, symbol = read_moments(request, "start", "end"), read_words(request, "symbol")["symbol"]
        limit = read_number(request, "limit", CANDLES, high=MOST_CANDLES)
        run = selectors.run_get(run_id)
        found = selectors.playback_candles(run, start=span["start"], end=span["end"], symbol=symbol, limit=limit)
        return Response({**found, "next": next_candles_url(request, found["next"])})


def next_candles_url(request: Request, start: str | None) -> str | None:
    if start is None:
        return None
    asked = request.query_params.copy()
    asked["start"] = start
    return request.build_absolute_uri(f"{request.path}?{asked.urlencode()}")


class PlaybackStateView(APIView):
    @describe_endpoint(
        summary="Cash, positions, open orders and equity at a moment",
        description="As they stand at the close of the candle that is open at that moment, with the newest fill, order and "
        "refusal up to then and their reasons.",
        scope="read",
        answer=shapes.STATE,
        beyond=["timestamp"],
        errors=[400, 404, 409],
    )
    def get(self, request: Request, run_id: str, timestamp: str) -> Response:
        run = selectors.run_get(run_id)
        form = Fields({"timestamp": timestamp})
        moment = form.moment("timestamp")
        if moment is None:
            raise Invalid("The timestamp cannot be read.", fields=form.faults)
        return Response(selectors.playback_state(run, moment))
