"""REST: the watchlist, candles."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

import numpy as np
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, query_parameter
from access.queries import PAGE, page_parameters, read_page_place, read_query
from core.errors import Invalid
from core.fields import Fields
from core.paging import CURSOR_NUMBER, next_url, read_page
from core.shapes import (
    COUNT,
    DECIMAL,
    MOMENT,
    MOMENT_ASKED,
    SYMBOL_GIVEN,
    TEXT,
    VENUE_GIVEN,
    allow_null,
    choice_shape,
    list_shape,
    name_object,
    name_page,
    object_shape,
)
from core.text import float_text
from core.times import from_ms, to_ms
from engine.types import INTERVALS, Candles, Floats
from market import selectors
from market.candles.codec import VALUES

INTERVAL_HELP = "1m, 5m, 15m, 1h, 4h, 1d ...; one that is not stored is made of a lower one, closed candles only."


ROWS, MOST_ROWS = 1000, 5000


SYMBOL = {
    "venue": "binance",
    "symbol": "ETH-BTC",
    "base": "ETH",
    "quote": "BTC",
    "last_close": "0.0984",
    "last_close_at": "2018-01-30T04:55:00Z",
    "tick_size": "0.000001",
    "lot_size": "0.001",
    "min_notional": "0.0001",
    "intervals": [
        {
            "interval": "5m",
            "first": "2018-01-10T04:55:00Z",
            "last": "2018-01-30T04:50:00Z",
            "count": 5758,
            "missing": 2,
            "without_volume": 0,
            "gaps": 2,
            "fingerprint": "6b1f0c…",
        }
    ],
}
CANDLE = {
    "time": "2022-01-01T00:00:00Z",
    "open": "46216.93",
    "high": "46271.08",
    "low": "46208.37",
    "close": "46250",
    "volume": "40.57574",
}
INTERVAL = choice_shape(INTERVALS)
CANDLE_PARAMETERS = [
    query_parameter("symbol", "BTC-USD", SYMBOL_GIVEN, required=True),
    query_parameter("interval", INTERVAL_HELP, INTERVAL, required=True),
    query_parameter("venue", "Needed only where several venues have the symbol.", VENUE_GIVEN),
    query_parameter("start", "First open time, inclusive; default the first candle.", MOMENT_ASKED),
    query_parameter("end", "Last open time, exclusive; default the end.", MOMENT_ASKED),
    *page_parameters(rows=ROWS, most=MOST_ROWS),
]
SERIES = object_shape(
    interval=INTERVAL, first=MOMENT, last=MOMENT, count=COUNT, missing=COUNT, gaps=COUNT, without_volume=COUNT, fingerprint=TEXT
)
SYMBOLS = name_page(
    name_object(
        "MarketSymbol",
        SYMBOL,
        venue=TEXT,
        symbol=TEXT,
        base=TEXT,
        quote=TEXT,
        last_close=allow_null(DECIMAL),
        last_close_at=MOMENT,
        tick_size=allow_null(DECIMAL),
        lot_size=allow_null(DECIMAL),
        min_notional=allow_null(DECIMAL),
        intervals=list_shape(SERIES),
    )
)
CANDLES = name_page(
    name_object("Candle", CANDLE, time=MOMENT, open=DECIMAL, high=DECIMAL, low=DECIMAL, close=DECIMAL, volume=allow_null(DECIMAL))
)


class SymbolsView(APIView):
    @describe_endpoint(
        summary="Symbols with candles",
        scope="read",
        description="The watchlist: each symbol of each venue with what candles there are of it, and its last close.",
        parameters=PAGE,
        answer=SYMBOLS,
    )
    def get(self, request: Request) -> Response:
        rows, cursor = read_page(selectors.list_instruments(), key="id", **read_page_place(read_query(request)))
        return Response({"results": [selectors.watchlist_entry(row) for row in rows], "next": next_url(request, cursor)})


class CandlesView(APIView):
    @describe_endpoint(
        summary="Candles",
        scope="read",
        description="Closed candles in time order; a gap in the data is a gap in the answer. A volume that nobody knows is null.",
        parameters=CANDLE_PARAMETERS,
        answer=CANDLES,
        beyond=["start", "end", "venue", "interval"],
        errors=(404,),
    )
    def get(self, request: Request) -> Response:
        form = read_query(request)
        asked = read_series(form)
        span: dict[str, Any] = {name: form.moment(name) for name in ("start", "end")}
        place = read_page_place(form, rows=ROWS, most=MOST_ROWS)
        if place["cursor"]:
            span["start"] = _from_cursor(place["cursor"])
        asked["venue"] = asked["venue"] or selectors.venue_of(asked["symbol"])
        candles, after = selectors.candles_page(**asked, **span, limit=place["limit"])
        return Response({"results": rows_of(candles), "next": next_url(request, str(to_ms(after)) if after else None)})


def read_series(form: Fields, *, venue_required: bool = False) -> dict[str, Any]:
    """Which candles are meant: venue, symbol and interval; the last two are required."""
    found = {name: form.text(name) for name in ("venue", "symbol", "interval")}
    for name, value in found.items():
        if not value and name not in form.faults and (venue_required or name != "venue"):
            form.fault(name, "is required.")
    return found


def rows_of(candles: Candles) -> list[dict[str, str | None]]:
    """Candles as the API writes them: prices as decimal text, to the digit that was imported; an unknown volume is null."""
    times = np.datetime_as_string(candles.time.astype("datetime64[ms]"), unit="s")
    columns = [_as_texts(getattr(candles, name)) for name in VALUES]
    return [{"time": f"{row[0]}Z", **dict(zip(VALUES, row[1:], strict=True))} for row in zip(times, *columns, strict=True)]


def _as_texts(values: Floats) -> list[str | None]:
    return [float_text(value) if value == value else None for value in values.tolist()]  # NaN is no number, nor itself


def _from_cursor(cursor: str) -> datetime:
    with suppress(OverflowError):
        if CURSOR_NUMBER.fullmatch(cursor):
            return from_ms(int(cursor))
    raise Invalid.at("cursor", "This cursor is not one of ours. Start again from the first page.")
