"""Sweeps: start, list, look, trials, heat map, cancel, retry, delete."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint
from backtests.api import sweep_schema as schema
from backtests.api.jobs import cancel_job, delete_job, retry_job, start_job
from backtests.api.parameters import read_number, read_words
from backtests.jobs import SWEEPS
from backtests.selectors.runs import MOST
from backtests.sweeps import selectors
from core.paging import next_url


class SweepsView(APIView):
    @describe_endpoint(
        summary="Sweeps, newest first",
        scope="read",
        example={"results": [schema.SWEEP], "next": None},
        parameters=schema.LIST,
        errors=[400],
    )
    def get(self, request: Request) -> Response:
        page = selectors.sweeps_page(
            **read_words(request, "status", "strategy", "cursor"), limit=read_number(request, "limit", 50, high=MOST)
        )
        rows = [selectors.sweep_progress(sweep) for sweep in page.rows]
        return Response({"results": rows, "next": next_url(request._request, page.next)})

    @describe_endpoint(
        summary="Start a parameter sweep",
        description="The configuration of a backtest, with ranges in `space` for the parameters to search; every combination "
        "(`grid`) or `trials` of them drawn by `seed` (`random`) is tried. Combinations that the strategy refuses are skipped and "
        "counted. At most 20,000 trials. Follow it by GET sweeps/{sweep_id}, or on the WebSocket /ws/sweeps/{sweep_id}/.",
        scope="trade",
        status=202,
        example=schema.QUEUED,
        body=schema.CONFIG,
        body_example=schema.CONFIG_EXAMPLE,
        errors=[400],
    )
    def post(self, request: Request) -> Response:
        return start_job(request, SWEEPS)


class SweepView(APIView):
    @describe_endpoint(
        summary="One sweep: status, progress, summary",
        description="While it runs, the summary is that of the trials made until now. `expected_max_sharpe` is the best Sharpe "
        "ratio to expect of as many trials without any skill, `deflated_sharpe` the probability that the best one has some "
        "(Bailey & Lopez de Prado 2014).",
        scope="read",
        example=schema.DETAIL,
        errors=[404],
    )
    def get(self, request: Request, sweep_id: str) -> Response:
        return Response(selectors.sweep_detail(selectors.sweep_get(sweep_id)))

    @describe_endpoint(
        summary="Delete a sweep and its trials",
        description="Not while it is queued or running: cancel it first.",
        scope="trade",
        status=204,
        example=None,
        errors=[404, 409],
    )
    def delete(self, request: Request, sweep_id: str) -> Response:
        return delete_job(request, SWEEPS, sweep_id)


class SweepTrialsView(APIView):
    @describe_endpoint(
        summary="The trials, best first",
        description="They come in while the sweep runs. What is not defined stands last, whichever way they are sorted.",
        scope="read",
        example={"results": [schema.TRIAL], "next": None},
        parameters=schema.TRIALS,
        errors=[400, 404],
    )
    def get(self, request: Request, sweep_id: str) -> Response:
        sweep = selectors.sweep_get(sweep_id)
        page = selectors.sweep_trials(
            sweep, **read_words(request, "sort", "cursor"), limit=read_number(request, "limit", 50, high=MOST)
        )
        return Response({"results": page.rows, "next": next_url(request._request, page.next)})


class SweepHeatmapView(APIView):
    @describe_endpoint(
        summary="One figure over two parameters",
        description="`cells[row][column]` belongs to `y_values[row]` and `x_values[column]`; it is the best over the parameters "
        "named in `best_over`, and null where there is no trial.",
        scope="read",
        example=schema.HEATMAP,
        parameters=schema.AXES,
        errors=[400, 404],
    )
    def get(self, request: Request, sweep_id: str) -> Response:
        sweep = selectors.sweep_get(sweep_id)
        return Response(selectors.sweep_heatmap(sweep, **read_words(request, "x", "y", "metric")))


class SweepCancelView(APIView):
    @describe_endpoint(
        summary="Cancel a sweep",
        description="At once. The trials made until then stay.",
        scope="trade",
        example={**schema.QUEUED, "status": "cancelled"},
        errors=[404, 409],
    )
    def post(self, request: Request, sweep_id: str) -> Response:
        return cancel_job(request, SWEEPS, sweep_id)


class SweepRetryView(APIView):
    @describe_endpoint(
        summary="Make the missing trials of a failed or cancelled sweep",
        scope="trade",
        status=202,
        example=schema.QUEUED,
        errors=[404, 409],
    )
    def post(self, request: Request, sweep_id: str) -> Response:
        return retry_job(request, SWEEPS, sweep_id)
