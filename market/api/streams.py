"""REST: the newest ticks, and the streams that bring them."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, query_parameter
from access.queries import read_query, refuse_query
from core.fields import Fields
from core.shapes import (
    COUNT,
    DECIMAL,
    FLAG,
    MOMENT,
    NUMBER,
    SYMBOL_GIVEN,
    TEXT,
    VENUE_GIVEN,
    allow_null,
    choice_shape,
    list_shape,
    name_object,
    name_page,
    name_shape,
    note_reader,
)
from core.symbols import symbol_normalise, venue_normalise
from market import selectors, services
from market.models import VenueStream
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
TICKS = name_page(
    name_object(
        "Tick",
        TICK,
        venue=TEXT,
        environment=TEXT,
        symbol=TEXT,
        price=DECIMAL,
        bid=allow_null(DECIMAL),
        ask=allow_null(DECIMAL),
        time=MOMENT,
        age_s=NUMBER,
        stale=FLAG,
    )
)
MOMENT_OR_NOT = allow_null(MOMENT)
STREAM_SHAPE = name_object(
    "Stream",
    STREAM,
    venue=TEXT,
    environment=TEXT,
    wanted=FLAG,
    state=choice_shape(VenueStream.State.values),
    connected=FLAG,
    detail=TEXT,
    symbols=list_shape(TEXT),
    connected_at=MOMENT_OR_NOT,
    last_message_at=MOMENT_OR_NOT,
    last_message_age_s=allow_null(NUMBER),
    messages_per_second=NUMBER,
    reconnects=COUNT,
    gaps=COUNT,
)
STREAMS = name_page(STREAM_SHAPE)


def read_switch(form: Fields) -> tuple[str, str]:
    """Which stream: venue and environment."""
    venue, environment = form.text("venue"), form.choice("environment", "live", ENVIRONMENTS)
    if not venue and "venue" not in form.faults:
        form.fault("venue", "is required.")
    form.close()
    return venue, environment


SWITCH = name_shape(
    "StreamSwitch",
    note_reader(read_switch, venue=VENUE_GIVEN) | {"required": ["venue"]},
    {"venue": "binance", "environment": "live"},
)
LONGEST_LIST = 32 * MOST_SYMBOLS
SYMBOL_LIST = {
    "type": "string",
    "maxLength": LONGEST_LIST,
    "pattern": f"^{SYMBOL_GIVEN['pattern'][1:-1]}(,{SYMBOL_GIVEN['pattern'][1:-1]})*$",
}
QUERY = [
    query_parameter("symbols", "With commas between; all where left out.", SYMBOL_LIST),
    query_parameter("venue", "One venue's.", VENUE_GIVEN),
    query_parameter("environment", "One environment's.", choice_shape(ENVIRONMENTS)),
]


class TicksView(APIView):
    @describe_endpoint(
        summary="The newest tick of each symbol",
        description="As stream workers last heard them. `stale`: not heard of for a minute. What no stream ever had is left out.",
        scope="read",
        answer=TICKS,
        parameters=QUERY,
    )
    def get(self, request: Request) -> Response:
        form = read_query(request)
        venue, listed = form.text("venue"), form.text("symbols", longest=LONGEST_LIST)
        environment = form.choice("environment", "", ENVIRONMENTS) if form.take("environment") else ""
        refuse_query(form)
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
        answer=STREAMS,
    )
    def get(self, request: Request) -> Response:
        return Response({"results": [selectors.stream_json(stream) for stream in selectors.list_streams()], "next": None})


class Switch(APIView):
    wanted: bool

    def switch(self, request: Request) -> Response:
        form = Fields(request.data)
        venue, environment = read_switch(form)
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
        answer=STREAM_SHAPE,
        body=SWITCH,
        errors=[404],
    )
    def post(self, request: Request) -> Response:
        return self.switch(request)


class StreamStopView(Switch):
    wanted = False

    @describe_endpoint(
        summary="Switch a stream off",
        description="No prices come any more: bots that live on them hold, and send no orders.",
        scope="trade",
        answer=STREAM_SHAPE,
        body=SWITCH,
        errors=[404],
    )
    def post(self, request: Request) -> Response:
        return self.switch(request)
