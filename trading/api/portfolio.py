"""All of the money over the API: where it is, what it earned."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, query_parameter
from access.queries import read_query, refuse_query
from core.shapes import MOMENT_ASKED, choice_shape, count_shape
from trading.api import portfolio_shapes as shapes
from trading.portfolio.history import FEWEST_POINTS, MOST_POINTS, POINTS, read_history
from trading.portfolio.periods import NAMES
from trading.portfolio.report import MODES, read_asked, report_portfolio
from trading.portfolio.writing import history_json, report_json

PARAMETERS = [
    query_parameter("mode", "Whose money; the most real that there is, where left out.", choice_shape(MODES)),
    query_parameter("period", "30d where left out; custom is meant where `from` or `to` is given.", choice_shape(NAMES)),
    query_parameter("from", "The first day, UTC.", MOMENT_ASKED),
    query_parameter("to", "The last day, UTC, included.", MOMENT_ASKED),
]
BEYOND = ["period", "from", "to"]


class ReportView(APIView):
    @describe_endpoint(
        summary="Where the money is and what it earned",
        description="Of one kind of money: live, testnet and paper are never added up. Money is in the reporting currency, at the "
        "prices of now or, for what was earned, of the day; what has no price in it keeps its own `currency` beside, and assets "
        "that are not in `worth` are named in `unpriced`. `unrealised` is of now, whatever the period. `bots` has the 50 that "
        "earned most and the 50 that earned least of `bot_count`. A list of `days` has days with fills alone.",
        scope="read",
        answer=shapes.REPORT,
        parameters=PARAMETERS,
        beyond=BEYOND,
    )
    def get(self, request: Request) -> Response:
        form = read_query(request)
        asked = read_asked(form, timezone.now().date())
        refuse_query(form)
        return Response(report_json(report_portfolio(*asked)))


class HistoryView(APIView):
    @describe_endpoint(
        summary="What the money was worth over time, and its returns",
        description="Of one kind of money, at the steps that the desk keeps: each midnight (UTC) and each hour of the last week. "
        "`paid_in` counts from the beginning, `flow` since the point before; `growth` is what one unit has become with flows taken "
        "out, `fall` how far that is below its peak. A return that is no number says why. A rate a year (`yearly`) needs 30 days.",
        scope="read",
        answer=shapes.HISTORY,
        parameters=[
            *PARAMETERS,
            query_parameter("points", f"About so many; {POINTS} where left out.", count_shape(FEWEST_POINTS, MOST_POINTS)),
        ],
        beyond=BEYOND,
    )
    def get(self, request: Request) -> Response:
        form = read_query(request)
        asked = read_asked(form, timezone.now().date())
        points = form.integer("points", POINTS, low=FEWEST_POINTS, high=MOST_POINTS)
        refuse_query(form)
        return Response(history_json(read_history(*asked, points=points)))
