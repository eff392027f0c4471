"""What came of a run: metrics, equity, trades, export, comparison."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, query_parameter
from backtests import selectors
from backtests.api import shapes
from backtests.api.parameters import CURSOR_PARAMETER, limit_parameter, read_number, read_words, sort_parameter
from backtests.api.streaming import stream_pieces
from backtests.selectors.compare import MOST_RUNS
from backtests.selectors.equity import MOST_POINTS, POINTS
from backtests.selectors.runs import MOST, PAGE
from backtests.selectors.trades import COLUMNS
from core.paging import next_url
from core.shapes import CURSOR, MOMENT_ASKED, asked_text, choice_shape, count_shape
from engine.types import REASONS

ENDED = [404, 409]


class ResultsView(APIView):
    @describe_endpoint(
        summary="Metrics and honesty checks",
        description="409 until the run is completed. Everything but candles_per_second is the same for the same run.",
        scope="read",
        answer=shapes.RESULTS,
        errors=ENDED,
    )
    def get(self, request: Request, run_id: str) -> Response:
        return Response(selectors.run_results(selectors.run_get(run_id)))


class EquityView(APIView):
    @describe_endpoint(
        summary="The equity curve, thinned or by page",
        scope="read",
        answer=shapes.EQUITY_PAGE,
        parameters=[
            query_parameter("points", "Thinned to about so many points that keep the curve's shape.", count_shape(1, MOST_POINTS)),
            query_parameter("cursor", "Every point, by page, instead: empty for the first page, then from `next`.", CURSOR),
            limit_parameter(POINTS, MOST_POINTS),
        ],
        errors=ENDED,
    )
    def get(self, request: Request, run_id: str) -> Response:
        points, limit = (read_number(request, name, POINTS, high=MOST_POINTS) for name in ("points", "limit"))
        run = selectors.run_get(run_id)
        if "cursor" not in request.query_params:
            return Response({"results": selectors.run_equity(run, points=points), "next": None})
        page = selectors.run_equity_page(run, **read_words(request, "cursor"), limit=limit)
        return Response({"results": page.rows, "next": next_url(request._request, page.next)})


class TradesView(APIView):
    @describe_endpoint(
        summary="The trade log",
        scope="read",
        answer=shapes.TRADES,
        parameters=[
            sort_parameter(list(COLUMNS), "A column of the rows; with a minus in front, descending."),
            query_parameter("symbol", "Only of this symbol.", asked_text()),
            query_parameter("reason", "Only closed for this reason.", choice_shape(REASONS)),
            query_parameter("outcome", "Only with profit, or only with loss.", choice_shape(["won", "lost"])),
            query_parameter("start", "Entered from this time on.", MOMENT_ASKED),
            query_parameter("end", "Entered before this time.", MOMENT_ASKED),
            CURSOR_PARAMETER,
            limit_parameter(PAGE, MOST),
        ],
        beyond=["symbol", "cursor"],
        errors=ENDED,
    )
    def get(self, request: Request, run_id: str) -> Response:
        filters = read_words(request, "symbol", "reason", "outcome", "start", "end", "cursor")
        sort = read_words(request, "sort")["sort"] or "number"
        limit = read_number(request, "limit", PAGE, high=MOST)
        page = selectors.run_trades(selectors.run_get(run_id), **filters, sort=sort, limit=limit)
        return Response({"results": page.rows, "next": next_url(request._request, page.next)})


class TradesCsvView(APIView):
    @describe_endpoint(
        summary="The whole trade log as CSV",
        scope="read",
        answer=shapes.TRADES_CSV,
        media_type="text/csv",
        errors=ENDED,
    )
    def get(self, request: Request, run_id: str) -> HttpResponseBase:
        pieces = selectors.trades_csv(selectors.run_get(run_id))
        return stream_download(request, pieces, f"trades-{run_id}.csv", "text/csv; charset=utf-8")


class ExportView(APIView):
    @describe_endpoint(summary="Config, results and trades in one file", scope="read", answer=shapes.EXPORT, errors=ENDED)
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
        answer=shapes.COMPARISON,
        parameters=[
            query_parameter("runs", f"Two to {MOST_RUNS} run_ids with commas between, each once.", shapes.RUN_IDS, required=True)
        ],
        beyond=["runs"],
        errors=ENDED,
    )
    def get(self, request: Request) -> Response:
        named = [run_id.strip() for run_id in read_words(request, "runs")["runs"].split(",") if run_id.strip()]
        return Response(selectors.runs_compare(named))
