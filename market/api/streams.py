"""REST: the newest ticks, and the streams that bring them."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, query_parameter
from core.fields import Fields
from core.symbols import symbol_normalise, venue_normalise
from market import selectors, services
from market.prices import prices_all

ENVIRONMENTS = ("live", "testnet", "sandbox")
MOST_SYMBOLS = 500
TICK = {
    "venue": "binance",
    "environment": "live",
    "symbol": "BTC-USDT",
    "price": "64250.12",
    "bid": "64250.11",
    "ask": "64250.12",
    "time": "2026-11-21T09:00:00.123000Z",
    "age_s": 0.4,
    "stale": False,
}
STREAM = {
    "venue": "binance",
    "environment": "live",
    "wanted": True,
    "state": "live",
    "connected": True,
    "detail": "",
    "symbols": ["BTC-USDT", "ETH-USDT"],
    "connected_at": "2026-11-21T08:00:00Z",
    "last_message_at": "2026-11-21T09:00:00Z",
    "last_message_age_s": 0.4,
    "messages_per_second": 41.5,
    "reconnects": 1,
    "gaps": 0,
}
SWITCH: dict[str, Any] = {
    "type": "object",
    "required": ["venue"],
    "additionalProperties": False,
    "properties": {"venue": {"type": "string"}, "environment": {"type": "string", "enum": list(ENVIRONMENTS), "default": "live"}},
}
SWITCH_EXAMPLE = {"venue": "binance", "environment": "live"}
TICKS = [
    query_parameter("symbols", f"With commas between, at most {MOST_SYMBOLS}; all where left out."),
    query_parameter("venue", "One venue's."),
    query_parameter("environment", "One environment's.", values=ENVIRONMENTS),
]


class TicksView(APIView):
    @describe_endpoint(
        summary="The newest tick of each symbol",
        description="As stream workers last heard them. `stale`: not heard of for a minute. What no stream ever had is left out.",
        scope="read",
        example={"results": [TICK], "next": None},
        parameters=TICKS,
        errors=[400],
    )
    def get(self, request: Request) -> Response:
        form = Fields(request.query_params.dict())
        venue, listed = form.text("venue"), form.text("symbols", longest=32 * MOST_SYMBOLS)
        environment = form.choice("environment", "", ENVIRONMENTS) if form.take("environment") else ""
        form.refuse("A query parameter cannot be used.")
        symbols = {symbol_normalise(symbol) for symbol in listed.split(",") if symbol.strip()}
        venue = venue_normalise(venue) if venue else ""
        feeds = [feed for feed in selectors.list_feeds() if venue in ("", feed[0]) and environment in ("", feed[1])]
        found = prices_all(feeds)
        rows = [selectors.tick_json(pair, price) for pair, price in found.items() if not symbols or pair[2] in symbols]
        return Response({"results": rows, "next": None})


class StreamsView(APIView):
    @describe_endpoint(
        summary="Streams: connected or not, and how fresh",
        description="One for each venue and environment. `state` is live, connecting, polling, stale (not heard for 8 s), "
        "paused or stopped.",
        scope="read",
        example={"results": [STREAM], "next": None},
    )
    def get(self, request: Request) -> Response:
        return Response({"results": [selectors.stream_json(stream) for stream in selectors.list_streams()], "next": None})


class Switch(APIView):
    wanted: bool

    def switch(self, request: Request) -> Response:
        form = Fields(request.data)
        venue, environment = form.text("venue"), form.choice("environment", "live", ENVIRONMENTS)
        if not venue and "venue" not in form.faults:
            form.fault("venue", "is required.")
        form.close()
        form.refuse("The request has fields that cannot be used.")
        stream = selectors.stream_get(venue=venue, environment=environment)
        services.stream_switch(venue=stream.venue, environment=environment, wanted=self.wanted, user=request.user)
        return Response(selectors.stream_json(selectors.stream_get(venue=venue, environment=environment)))


class StreamStartView(Switch):
    wanted = True

    @describe_endpoint(
        summary="Switch a stream on",
        description="A stream worker takes it up within seconds.",
        scope="trade",
        example=STREAM,
        body=SWITCH,
        body_example=SWITCH_EXAMPLE,
        errors=[400, 404],
    )
    def post(self, request: Request) -> Response:
        return self.switch(request)


class StreamStopView(Switch):
    wanted = False

    @describe_endpoint(
        summary="Switch a stream off",
        description="No prices come any more: bots that live on them hold, and send no orders.",
        scope="trade",
        example={**STREAM, "wanted": False},
        body=SWITCH,
        body_example=SWITCH_EXAMPLE,
        errors=[400, 404],
    )
    def post(self, request: Request) -> Response:
        return self.switch(request)
