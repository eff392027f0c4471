"""A bot's run against the backtest of its span."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint
from backtests.api import shapes
from backtests.selectors.differences import MOST_PAIRS, bot_run_get, difference_json, find_difference


class AgainstLiveView(APIView):
    @describe_endpoint(
        summary="A bot's run against the backtest of its span",
        description="The same configuration through the simulator, on the candles that were recorded while the bot ran. "
        "`difference` is the bot's equity less the backtest's, `causes` say what it is made of (price, fee, quantity, timing, "
        f"missed, extra), in quote; `pairs` are the newest {MOST_PAIRS} fills, expected beside actual. On replay and paper there "
        "is no difference. 409 until the run has decided something and its candles are stored.",
        scope="read",
        answer=shapes.AGAINST_LIVE,
        errors=[404, 409],
    )
    def get(self, request: Request, run_id: str) -> Response:
        return Response(difference_json(find_difference(bot_run_get(run_id))))
