"""A bot's run against the backtest of its span."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint
from backtests.selectors.differences import MOST_PAIRS, bot_run_get, difference_json, find_difference

DEAL: dict[str, Any] = {
    "symbol": "BTC-USDT",
    "side": "buy",
    "reason": "entry_signal",
    "candle": "2026-11-21T09:05:00Z",
    "ts": "2026-11-21T09:05:00Z",
    "price": "64250.1",
    "qty": "0.0155",
    "fee": "0.99587655",
}
EXAMPLE: dict[str, Any] = {
    "run_id": "6f1e0a3c9b5d4e72",
    "bot": "0c9f3b7a1d2e",
    "mode": "testnet",
    "same": False,
    "until": "2026-11-21T11:55:00Z",
    "candles": 312,
    "expected_equity": "1012.42",
    "actual_equity": "1012.11",
    "difference": "-0.31",
    "in_what_is_held": None,
    "causes": {"price": {"fills": 1, "effect": "-0.31"}},
    "pairs_total": 1,
    "pairs": [
        {"expected": DEAL, "actual": DEAL | {"ts": "2026-11-21T09:05:00.412000Z", "price": "64270.1"}, "causes": {"price": "-0.31"}}
    ],
}


class AgainstLiveView(APIView):
    @describe_endpoint(
        summary="A bot's run against the backtest of its span",
        description="The same configuration through the simulator, on the candles that were recorded while the bot ran. "
        "`difference` is the bot's equity less the backtest's, `causes` say what it is made of (price, fee, quantity, timing, "
        f"missed, extra), in quote; `pairs` are the newest {MOST_PAIRS} fills, expected beside actual. On replay and paper there "
        "is no difference. 409 until the run has decided something and its candles are stored.",
        scope="read",
        example=EXAMPLE,
        errors=[404, 409],
    )
    def get(self, request: Request, run_id: str) -> Response:
        return Response(difference_json(find_difference(bot_run_get(run_id))))
