"""Runs: start, list, look, cancel, retry, delete."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint
from backtests import selectors
from backtests.api import schema
from backtests.api.jobs import cancel_job, delete_job, retry_job, start_job
from backtests.api.parameters import read_number, read_words
from backtests.jobs import RUNS
from core.paging import next_url


class RunsView(APIView):
    @describe_endpoint(
        summary="Backtests, newest first",
        scope="read",
        example={"results": [schema.RUN], "next": None},
        parameters=schema.LIST,
        errors=[400],
    )
    def get(self, request: Request) -> Response:
        page = selectors.runs_page(
            **read_words(request, "status", "strategy", "symbol", "cursor"), limit=read_number(request, "limit", 50)
        )
        rows = [selectors.run_progress(run) for run in page.rows]
        return Response({"results": rows, "next": next_url(request._request, page.next)})

    @describe_endpoint(
        summary="Start a backtest",
        description="Checked whole before it is queued: a fault is 400 and names every faulty field. Follow it by GET "
        "backtests/{run_id}, or on the WebSocket /ws/backtests/{run_id}/.",
        scope="trade",
        status=202,
        example=schema.QUEUED,
        body=schema.CONFIG,
        body_example=schema.CONFIG_EXAMPLE,
        errors=[400],
    )
    def post(self, request: Request) -> Response:
        return start_job(request, RUNS)


class RunView(APIView):
    @describe_endpoint(summary="One backtest: status and progress", scope="read", example=schema.RUN, errors=[404])
    def get(self, request: Request, run_id: str) -> Response:
        run = selectors.run_get(run_id)
        return Response({**selectors.run_progress(run), "config": run.config})

    @describe_endpoint(
        summary="Delete a backtest and its files",
        description="Not while it is queued or running: cancel it first.",
        scope="trade",
        status=204,
        example=None,
        errors=[404, 409],
    )
    def delete(self, request: Request, run_id: str) -> Response:
        return delete_job(request, RUNS, run_id)


class CancelView(APIView):
    @describe_endpoint(
        summary="Cancel a backtest",
        description="A queued run is cancelled at once, a running one within a second.",
        scope="trade",
        example={"run_id": "8f0c2d5e9a4b1c37", "status": "cancelled"},
        errors=[404, 409],
    )
    def post(self, request: Request, run_id: str) -> Response:
        return cancel_job(request, RUNS, run_id)


class RetryView(APIView):
    @describe_endpoint(
        summary="Run a failed or cancelled backtest once more",
        scope="trade",
        status=202,
        example=schema.QUEUED,
        errors=[404, 409],
    )
    def post(self, request: Request, run_id: str) -> Response:
        return retry_job(request, RUNS, run_id)
