"""REST: the watchlist, candles, imports."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from market import selectors, services
from market.candles.codec import VALUES
from market.models import CandleImport
from market.paging import MOST, next_url, page
from market.symbols import decimal_text
from market.times import from_ms, to_ms
from trading.engine.errors import Invalid
from trading.engine.types import Candles, Floats

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


class CandleRow(serializers.Serializer[Any]):
    time = serializers.CharField(help_text="Open time, ISO-8601 UTC.")
    open = serializers.CharField()
    high = serializers.CharField()
    low = serializers.CharField()
    close = serializers.CharField()
    volume = serializers.CharField(help_text="Base units.")


class CandlesPage(serializers.Serializer[Any]):
    results = CandleRow(many=True)
    next = serializers.CharField(allow_null=True)


class WatchedInterval(serializers.Serializer[Any]):
    interval = serializers.CharField()
    first = serializers.CharField()
    last = serializers.CharField()
    count = serializers.IntegerField()
    missing = serializers.IntegerField(help_text="Candles that should lie between first and last, and do not.")
    gaps = serializers.IntegerField(help_text="Stretches that they miss.")
    fingerprint = serializers.CharField()


class Watched(serializers.Serializer[Any]):
    venue = serializers.CharField()
    symbol = serializers.CharField()
    base = serializers.CharField()
    quote = serializers.CharField()
    last_close = serializers.CharField(allow_null=True)
    last_close_at = serializers.CharField()
    tick_size = serializers.CharField(allow_null=True)
    lot_size = serializers.CharField(allow_null=True)
    min_notional = serializers.CharField(allow_null=True)
    intervals = WatchedInterval(many=True)


class SymbolsPage(serializers.Serializer[Any]):
    results = Watched(many=True)
    next = serializers.CharField(allow_null=True)


class ImportForm(serializers.Serializer[Any]):
    file = serializers.FileField(allow_empty_file=True)
    venue = serializers.CharField()
    symbol = serializers.CharField()
    interval = serializers.CharField()
    skip_bad_rows = serializers.BooleanField(default=False)


class Problem(serializers.Serializer[Any]):
    row = serializers.IntegerField()
    field = serializers.CharField()
    message = serializers.CharField()


class Gap(serializers.Serializer[Any]):
    first = serializers.CharField()
    last = serializers.CharField()
    missing = serializers.IntegerField()


class ImportReport(serializers.ModelSerializer[CandleImport]):
    problems = Problem(many=True)
    gaps = Gap(many=True)

    class Meta:
        model = CandleImport
        fields = (
            *("id", "status", "venue", "symbol", "interval", "filename", "format", "rows", "first", "last", "gaps"),
            *("duplicates", "out_of_order", "added", "replaced", "problems", "problem_count", "fingerprint", "message", "seconds"),
        )


class Error(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    fields_ = serializers.DictField(child=serializers.ListField(child=serializers.CharField()), source="fields")

    def get_fields(self) -> dict[str, Any]:
        declared = super().get_fields()
        return {("fields" if name == "fields_" else name): field for name, field in declared.items()}


class ErrorAnswer(serializers.Serializer[Any]):
    error = Error()


INVALID = OpenApiResponse(
    ErrorAnswer,
    "A parameter cannot be used; `fields` says which and why.",
    examples=[
        OpenApiExample(
            "Unknown interval",
            {"error": {"code": "invalid", "message": "Unknown interval '7m'.", "fields": {"interval": ["Unknown interval '7m'."]}}},
        )
    ],
)
NOT_FOUND = OpenApiResponse(ErrorAnswer, "There are no such candles; the message says what there is.")
SIGN_IN = OpenApiResponse(ErrorAnswer, "Not signed in, or the token is not valid.")
FORBIDDEN = OpenApiResponse(ErrorAnswer, "The scope or permission is missing.")


class SymbolsView(APIView):
    @extend_schema(
        operation_id="market_symbols",
        summary="Symbols with candles",
        description="Scope: read.",
        parameters=[PageQuery],
        responses={200: SymbolsPage, 400: INVALID, 401: SIGN_IN},
        examples=[
            OpenApiExample(
                "One symbol",
                {
                    "results": [
                        {
                            "venue": "binance",
                            "symbol": "ETH-BTC",
                            "base": "ETH",
                            "quote": "BTC",
                            "last_close": "0.0984",
                            "last_close_at": "2018-01-30T04:55:00Z",
                            "tick_size": None,
                            "lot_size": None,
                            "min_notional": None,
                            "intervals": [
                                {
                                    "interval": "5m",
                                    "first": "2018-01-10T04:55:00Z",
                                    "last": "2018-01-30T04:50:00Z",
                                    "count": 5760,
                                    "missing": 0,
                                    "gaps": 0,
                                    "fingerprint": "6b1f…",
                                }
                            ],
                        }
                    ],
                    "next": None,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        query = parsed(PageQuery, request)
        rows, cursor = page(selectors.instruments(), key="id", cursor=query.get("cursor"), limit=query["limit"])
        return Response({"results": [selectors.watchlist_entry(row) for row in rows], "next": next_url(request, cursor)})


class CandlesView(APIView):
    @extend_schema(
        operation_id="market_candles",
        summary="Candles",
        description="Scope: read. Closed candles in time order; a gap in the data is a gap in the answer.",
        parameters=[CandlesQuery],
        responses={200: CandlesPage, 400: INVALID, 401: SIGN_IN, 404: NOT_FOUND},
        examples=[
            OpenApiExample(
                "One candle",
                {
                    "results": [
                        {
                            "time": "2022-01-01T00:00:00Z",
                            "open": "46216.93",
                            "high": "46271.08",
                            "low": "46208.37",
                            "close": "46250",
                            "volume": "40.57574",
                        }
                    ],
                    "next": None,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        query = parsed(CandlesQuery, request)
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


class ImportsView(APIView):
    parser_classes = (MultiPartParser,)

    @extend_schema(
        operation_id="market_import",
        summary="Import a file of candles",
        description=(
            "Scope: trade. CSV with a header, CSV.gz, zip, Parquet, Feather or Binance's archive. All of the file or nothing: "
            "a file with faults is refused with `import_refused` and its rows named, unless `skip_bad_rows` is set."
        ),
        request={"multipart/form-data": ImportForm},
        responses={201: ImportReport, 400: INVALID, 401: SIGN_IN, 403: FORBIDDEN},
    )
    def post(self, request: Request) -> Response:
        if not request.user.has_perm("market.add_candleimport"):
            raise PermissionDenied("You may not import candles. Ask for the permission to add candle imports.")
        form = ImportForm(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        done = services.candles_import(**given, filename=given["file"].name or "", user=request.user)
        if done.status == CandleImport.Status.REFUSED:
            raise services.import_refusal(done)
        return Response(selectors.import_report(done), status=status.HTTP_201_CREATED)


def parsed(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    query = kind(data=request.query_params)
    query.is_valid(raise_exception=True)
    return dict(query.validated_data)


def rows_of(candles: Candles) -> list[dict[str, str]]:
    """Candles as the API writes them: prices as decimal text, to the digit that was imported."""
    times = np.datetime_as_string(candles.time.astype("datetime64[ms]"), unit="s")
    columns = [_texts(getattr(candles, name)) for name in VALUES]
    return [{"time": f"{row[0]}Z", **dict(zip(VALUES, row[1:], strict=True))} for row in zip(times, *columns, strict=True)]


def _texts(values: Floats) -> list[str]:
    return [decimal_text(value) for value in values.tolist()]


def _from_cursor(cursor: int) -> datetime:
    try:
        return from_ms(cursor)
    except OverflowError:
        raise Invalid.at("cursor", "This cursor is not one of ours. Start again from the first page.") from None
