"""REST: the watchlist, candles."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint
from core.errors import Invalid
from core.paging import MOST, next_url, read_page
from core.shapes import (
    COUNT,
    DECIMAL,
    MOMENT,
    TEXT,
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


class PageQuery(serializers.Serializer[Any]):
    limit = serializers.IntegerField(min_value=1, max_value=MOST, default=100)
    cursor = serializers.CharField(required=False, help_text="From `next` of the page before.")


class CandlesQuery(serializers.Serializer[Any]):
    symbol = serializers.CharField(help_text="BTC-USD")
    interval = serializers.CharField(help_text=INTERVAL_HELP)
    venue = serializers.CharField(required=False, help_text="Needed only where several venues have the symbol.")
    start = serializers.DateTimeField(required=False, help_text="First open time, inclusive; default the first candle.")
    end = serializers.DateTimeField(required=False, help_text="Last open time, exclusive; default the end.")
    limit = serializers.IntegerField(min_value=1, max_value=5000, default=1000)
    cursor = serializers.IntegerField(required=False, help_text="From `next` of the page before.")


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
PAGE_PARAMETERS: Any = [PageQuery]
CANDLE_PARAMETERS: Any = [CandlesQuery]
INTERVAL = choice_shape(INTERVALS)
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
        parameters=PAGE_PARAMETERS,
        answer=SYMBOLS,
    )
    def get(self, request: Request) -> Response:
        query = parse_query(PageQuery, request)
        rows, cursor = read_page(selectors.list_instruments(), key="id", cursor=query.get("cursor"), limit=query["limit"])
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
        query = parse_query(CandlesQuery, request)
        start = _from_cursor(query["cursor"]) if "cursor" in query else query.get("start")
        candles, after = selectors.candles_page(
            venue=query.get("venue") or selectors.venue_of(query["symbol"]),
            symbol=query["symbol"],
            interval=query["interval"],
            start=start,
            end=query.get("end"),
            limit=query["limit"],
        )
        return Response({"results": rows_of(candles), "next": next_url(request, str(to_ms(after)) if after else None)})


def parse_query(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    query = kind(data=request.query_params)
    query.is_valid(raise_exception=True)
    return dict(query.validated_data)


def rows_of(candles: Candles) -> list[dict[str, str | None]]:
    """Candles as the API writes them: prices as decimal text, to the digit that was imported; an unknown volume is null."""
    times = np.datetime_as_string(candles.time.astype("datetime64[ms]"), unit="s")
    columns = [_as_texts(getattr(candles, name)) for name in VALUES]
    return [{"time": f"{row[0]}Z", **dict(zip(VALUES, row[1:], strict=True))} for row in zip(times, *columns, strict=True)]


def _as_texts(values: Floats) -> list[str | None]:
    return [float_text(value) if value == value else None for value in values.tolist()]  # NaN is no number, nor itself


def _from_cursor(cursor: int) -> datetime:
    try:
        return from_ms(cursor)
    except OverflowError:
        raise Invalid.at("cursor", "This cursor is not one of ours. Start again from the first page.") from None
