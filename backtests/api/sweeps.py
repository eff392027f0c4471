"""Sweeps: start, list, look, trials, heat map, cancel, retry, delete."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, query_parameter
from backtests.api import sweep_shapes as shapes
from backtests.api.jobs import cancel_job, delete_job, retry_job, start_job
from backtests.api.parameters import CURSOR_PARAMETER, STATUS, STRATEGY, limit_parameter, read_number, read_words, sort_parameter
from backtests.jobs import SWEEPS
from backtests.selectors.runs import MOST, PAGE
from backtests.sweeps import selectors
from backtests.sweeps.selectors import METRICS, SORTS
from core.paging import next_url
from core.shapes import asked_text, choice_shape


class SweepsView(APIView):
    @describe_endpoint(
        summary="Sweeps, newest first",
        scope="read",
        answer=shapes.SWEEP_ROWS,
        parameters=[STATUS, STRATEGY, CURSOR_PARAMETER, limit_parameter(PAGE, MOST)],
    )
    def get(self, request: Request) -> Response:
        page = selectors.sweeps_page(
            **read_words(request, "status", "strategy", "cursor"), limit=read_number(request, "limit", PAGE, high=MOST)
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
        answer=shapes.QUEUED,
        body=shapes.REQUEST,
        beyond=shapes.BEYOND,
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
        answer=shapes.SWEEP,
        errors=[404],
    )
    def get(self, request: Request, sweep_id: str) -> Response:
        return Response(selectors.sweep_detail(selectors.sweep_get(sweep_id)))

    @describe_endpoint(
        summary="Delete a sweep and its trials",
        description="Not while it is queued or running: cancel it first.",
        scope="trade",
        status=204,
        answer=None,
        errors=[404, 409],
    )
    def delete(self, request: Request, sweep_id: str) -> Response:
        return delete_job(request, SWEEPS, sweep_id)


class SweepTrialsView(APIView):
    @describe_endpoint(
        summary="The trials, best first",
        description="They come in while the sweep runs. What is not defined stands last, whichever way they are sorted.",
        scope="read",
        answer=shapes.TRIALS,
        parameters=[
            sort_parameter(SORTS, "A column, with a minus in front descending. Left out: the objective, best first."),
            CURSOR_PARAMETER,
            limit_parameter(PAGE, MOST),
        ],
        beyond=["cursor"],
        errors=[404],
    )
    def get(self, request: Request, sweep_id: str) -> Response:
        sweep = selectors.sweep_get(sweep_id)
        page = selectors.sweep_trials(
            sweep, **read_words(request, "sort", "cursor"), limit=read_number(request, "limit", PAGE, high=MOST)
        )
        return Response({"results": page.rows, "next": next_url(request._request, page.next)})


class SweepHeatmapView(APIView):
    @describe_endpoint(
        summary="One figure over two parameters",
        description="`cells[row][column]` belongs to `y_values[row]` and `x_values[column]`; it is the best over the parameters "
        "named in `best_over`, and null where there is no trial.",
        scope="read",
        answer=shapes.HEATMAP,
        parameters=[
            query_parameter("x", "A searched parameter; left out, the one with the most values.", asked_text()),
            query_parameter("y", "Another one.", asked_text()),
            query_parameter("metric", "The objective where left out.", choice_shape(METRICS)),
        ],
        beyond=["x", "y"],
        errors=[404],
    )
    def get(self, request: Request, sweep_id: str) -> Response:
        sweep = selectors.sweep_get(sweep_id)
        return Response(selectors.sweep_heatmap(sweep, **read_words(request, "x", "y", "metric")))


class SweepCancelView(APIView):
    @describe_endpoint(
        summary="Cancel a sweep",
        description="At once. The trials made until then stay.",
        scope="trade",
        answer=shapes.QUEUED,
        errors=[404, 409],
    )
    def post(self, request: Request, sweep_id: str) -> Response:
        return cancel_job(request, SWEEPS, sweep_id)


class SweepRetryView(APIView):
    @describe_endpoint(
        summary="Make the missing trials of a failed or cancelled sweep",
        scope="trade",
        status=202,
        answer=shapes.QUEUED,
        errors=[404, 409],
    )
    def post(self, request: Request, sweep_id: str) -> Response:
        return retry_job(request, SWEEPS, sweep_id)
