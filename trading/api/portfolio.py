"""All of the money over the API: where it is, what it earned."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, query_parameter
from access.queries import read_query, refuse_query
from core.shapes import MOMENT_ASKED, choice_shape
from trading.api import portfolio_shapes as shapes
from trading.portfolio.periods import NAMES
from trading.portfolio.report import MODES, read_asked, report_portfolio
from trading.portfolio.writing import report_json

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
