"""What came of a run: metrics, equity, trades, export, comparison."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, query_parameter
from backtests import selectors
from backtests.api import schema
from backtests.api.parameters import read_number, read_words
from backtests.api.streaming import stream_pieces
from backtests.selectors.equity import MOST_POINTS, POINTS
from backtests.selectors.runs import MOST
from core.paging import next_url

ENDED = [404, 409]


class ResultsView(APIView):
    @describe_endpoint(
        summary="Metrics and honesty checks",
        description="409 until the run is completed. Everything but candles_per_second is the same for the same run.",
        scope="read",
        example=schema.RESULTS,
        errors=ENDED,
    )
    def get(self, request: Request, run_id: str) -> Response:
        return Response(selectors.run_results(selectors.run_get(run_id)))


class EquityView(APIView):
    @describe_endpoint(
        summary="The equity curve, thinned or by page",
        scope="read",
        example={"results": [schema.EQUITY], "next": None},
        parameters=schema.POINTS,
        errors=[400, *ENDED],
    )
    def get(self, request: Request, run_id: str) -> Response:
        run = selectors.run_get(run_id)
        if "cursor" not in request.query_params:
            return Response({"results": selectors.run_equity(run, points=read_number(request, "points", POINTS)), "next": None})
        limit = read_number(request, "limit", POINTS, high=MOST_POINTS)
        page = selectors.run_equity_page(run, **read_words(request, "cursor"), limit=limit)
        return Response({"results": page.rows, "next": next_url(request._request, page.next)})


class TradesView(APIView):
    @describe_endpoint(
        summary="The trade log",
        scope="read",
        example={"results": [schema.TRADE], "next": None},
        parameters=schema.TRADES,
        errors=[400, *ENDED],
    )
    def get(self, request: Request, run_id: str) -> Response:
        filters = read_words(request, "symbol", "reason", "outcome", "start", "end", "cursor")
        sort = read_words(request, "sort")["sort"] or "number"
        limit = read_number(request, "limit", 50, high=MOST)
        page = selectors.run_trades(selectors.run_get(run_id), **filters, sort=sort, limit=limit)
        return Response({"results": page.rows, "next": next_url(request._request, page.next)})


class CsvRenderer(BaseRenderer):
    """Only so that a caller may ask for text/csv; the answer is streamed past it, errors stay JSON."""

    media_type, format = "text/csv", "csv"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return JSONRenderer().render(data)


class TradesCsvView(APIView):
    renderer_classes = [JSONRenderer, CsvRenderer]

    @describe_endpoint(
        summary="The whole trade log as CSV",
        scope="read",
        example=",".join(schema.TRADE),
        media_type="text/csv",
        errors=ENDED,
    )
    def get(self, request: Request, run_id: str) -> HttpResponseBase:
        pieces = selectors.trades_csv(selectors.run_get(run_id))
        return stream_download(request, pieces, f"trades-{run_id}.csv", "text/csv; charset=utf-8")


class ExportView(APIView):
    @describe_endpoint(summary="Config, results and trades in one file", scope="read", example=schema.EXPORT, errors=ENDED)
    def get(self, request: Request, run_id: str) -> HttpResponseBase:
        run = selectors.run_get(run_id)
        head = selectors.run_export(run)
        return stream_download(
            request, export_pieces(head, selectors.trades_all(run)), f"backtest-{run_id}.json", "application/json"
        )


def export_pieces(head: dict[str, Any], batches: Iterator[list[dict[str, Any]]]) -> Iterator[str]:
    """One JSON object, the trades a batch at a time."""
    yield json.dumps(head, allow_nan=False)[:-1] + ', "trades": ['
    separator = ""
    for rows in batches:
        yield separator + json.dumps(rows, allow_nan=False)[1:-1]
        separator = ", "
    yield "]}"


def stream_download(request: Request, pieces: Iterator[str], filename: str, content_type: str) -> StreamingHttpResponse:
    disposition = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return StreamingHttpResponse(stream_pieces(request, pieces), content_type=content_type, headers=disposition)


class CompareView(APIView):
    @describe_endpoint(
        summary="Runs side by side",
        description="What differs in their configuration, metrics with differences to the first, equity on one time axis "
        "(absolute, and over each run's cash), how many trades they share, and for each whether code and result are those of the "
        "first: the same result means figures, orders, fills, trades and equity, to the last digit.",
        scope="read",
        example=schema.COMPARISON,
        parameters=[query_parameter("runs", "Two to eight run_ids with commas between.")],
        errors=[400, *ENDED],
    )
    def get(self, request: Request) -> Response:
        named = [run_id.strip() for run_id in read_words(request, "runs")["runs"].split(",") if run_id.strip()]
        return Response(selectors.runs_compare(named))
