"""Runs: start, list, look, cancel, retry, delete."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, query_parameter
from backtests import selectors
from backtests.api import shapes
from backtests.api.jobs import cancel_job, delete_job, retry_job, start_job
from backtests.api.parameters import CURSOR_PARAMETER, STATUS, STRATEGY, limit_parameter, read_number, read_words
from backtests.jobs import RUNS
from backtests.selectors.runs import PAGE
from core import paging
from core.paging import next_url
from core.shapes import asked_text
from trading.api.shapes import BEYOND_SETTINGS, RUN_SETTINGS

SYMBOL = query_parameter("symbol", "Only with this symbol.", asked_text())


class RunsView(APIView):
    @describe_endpoint(
        summary="Backtests, newest first",
        scope="read",
        answer=shapes.RUN_ROWS,
        parameters=[STATUS, STRATEGY, SYMBOL, CURSOR_PARAMETER, limit_parameter(PAGE, paging.MOST)],
    )
    def get(self, request: Request) -> Response:
        page = selectors.runs_page(
            **read_words(request, "status", "strategy", "symbol", "cursor"),
            limit=read_number(request, "limit", PAGE, high=paging.MOST),
        )
        rows = [selectors.run_progress(run) for run in page.rows]
        return Response({"results": rows, "next": next_url(request._request, page.next)})

    @describe_endpoint(
        summary="Start a backtest",
        description="Checked whole before it is queued: a fault is 400 and names every faulty field. Follow it by GET "
        "backtests/{run_id}, or on the WebSocket /ws/backtests/{run_id}/.",
        scope="trade",
        status=202,
        answer=shapes.QUEUED,
        body=RUN_SETTINGS,
        beyond=BEYOND_SETTINGS,
    )
    def post(self, request: Request) -> Response:
        return start_job(request, RUNS)


class RunView(APIView):
    @describe_endpoint(summary="One backtest: status and progress", scope="read", answer=shapes.RUN, errors=[404])
    def get(self, request: Request, run_id: str) -> Response:
        run = selectors.run_get(run_id)
        return Response({**selectors.run_progress(run), "config": run.config})

    @describe_endpoint(
        summary="Delete a backtest and its files",
        description="Not while it is queued or running: cancel it first.",
        scope="trade",
        status=204,
        answer=None,
        errors=[404, 409],
    )
    def delete(self, request: Request, run_id: str) -> Response:
        return delete_job(request, RUNS, run_id)


class CancelView(APIView):
    @describe_endpoint(
        summary="Cancel a backtest",
        description="A queued run is cancelled at once, a running one within a second.",
        scope="trade",
        answer=shapes.QUEUED,
        errors=[404, 409],
    )
    def post(self, request: Request, run_id: str) -> Response:
        return cancel_job(request, RUNS, run_id)


class RetryView(APIView):
    @describe_endpoint(
        summary="Run a failed or cancelled backtest once more",
        scope="trade",
        status=202,
        answer=shapes.QUEUED,
        errors=[404, 409],
    )
    def post(self, request: Request, run_id: str) -> Response:
        return retry_job(request, RUNS, run_id)
