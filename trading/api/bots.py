"""Bots: made, looked at, changed, started and stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, query_parameter
from core.fields import Fields
from core.paging import next_url
from core.shapes import asked_text, choice_shape, count_shape
from trading import selectors
from trading.api import shapes
from trading.api.parameters import MODE, PAGE, SINCE, SYMBOL, ListRequest
from trading.models import Bot, DesiredStatus
from trading.selectors.performance import MOST_POINTS, POINTS
from trading.services import bots as services

FEWEST_POINTS = 3
NEW = ("name", "mode", "wallet_id", "config", "limits", "schedule", "replay", "live_allowed", "from_backtest")
LIST = [
    MODE,
    query_parameter("wanted", "What a person wants of it.", choice_shape(DesiredStatus.values)),
    query_parameter("wallet", "A wallet's id.", asked_text()),
    SYMBOL,
    query_parameter("search", "Part of its name or strategy, or the start of its id.", asked_text()),
    *PAGE,
]


def bot_whole(bot_id: str) -> dict[str, Any]:
    """Everything about one bot, as it stands now."""
    bot = selectors.bot_get(bot_id)
    row = selectors.bot_rows([bot])[0]
    return {
        **selectors.bot_json(row),
        **{name: getattr(bot, name) for name in ("config", "limits", "schedule", "replay", "live_allowed")},
        "from_backtest": bot.from_backtest or None,
        "effects": selectors.bot_effects(row),
    }


class BotsView(APIView):
    @describe_endpoint(
        summary="Bots",
        description="`status` is computed from what happened: stopped, stopping, starting, running, paused, closing, holding "
        "(`why` it sends nothing), failed, or lost (it should have decided by now and has not).",
        scope="read",
        answer=shapes.BOT_ROWS,
        parameters=LIST,
    )
    def get(self, request: Request) -> Response:
        asked = ListRequest(request)
        rows, after = selectors.bots_page(**asked.page(), **asked.words("mode", "wanted", "wallet", "symbol", "search"))
        return Response({"results": [selectors.bot_json(row) for row in rows], "next": next_url(request._request, after)})

    @describe_endpoint(
        summary="Make a bot",
        description="It is stopped until it is started. A fault is 400 and names every faulty field.",
        scope="trade",
        status=201,
        answer=shapes.BOT,
        body=shapes.BOT_NEW,
        beyond=shapes.BEYOND_BOT,
    )
    def post(self, request: Request) -> Response:
        form = Fields(request.data)
        given = {name: form.take(name) for name in NEW}
        from_backtest = form.text("from_backtest", longest=16)
        form.close()
        form.refuse("The bot has fields that cannot be used.")
        bot = services.bot_create(**given | {"from_backtest": from_backtest}, user=request.user)
        return Response(bot_whole(bot.bot_id), status=201)


class BotView(APIView):
    @describe_endpoint(
        summary="One bot",
        description="`effects` says what start, pause, stop and close would do to its open orders and positions now.",
        scope="read",
        answer=shapes.BOT,
        errors=[404],
    )
    def get(self, request: Request, bot_id: str) -> Response:
        return Response(bot_whole(bot_id))

    @describe_endpoint(
        summary="Change a stopped bot",
        description="Fields that are left out stay as they are. 409 while it runs or has open orders.",
        scope="trade",
        answer=shapes.BOT,
        body=shapes.BOT_CHANGES,
        beyond=shapes.BEYOND_BOT,
        errors=[404, 409],
    )
    def patch(self, request: Request, bot_id: str) -> Response:
        form = Fields(request.data)
        form.refuse("The bot has fields that cannot be used.")
        services.bot_update(bot_id=bot_id, changes=dict(form.raw), user=request.user)
        return Response(bot_whole(bot_id))

    @describe_endpoint(
        summary="Take a bot off the desk",
        description="Its orders, fills and events stay in the books. 409 while it runs, has open orders or holds something.",
        scope="trade",
        status=204,
        answer=None,
        errors=[404, 409],
    )
    def delete(self, request: Request, bot_id: str) -> Response:
        services.bot_delete(bot_id=bot_id, user=request.user)
        return Response(status=204)


class BotAction(APIView):
    """One of the bot's buttons. The answer says what it does to open orders and positions, as they stood when it was pressed."""

    action: str

    def act(self, request: Request, bot_id: str, service: Callable[..., Bot]) -> Response:
        row = selectors.bot_rows([selectors.bot_get(bot_id)])[0]
        service(bot_id=bot_id, user=request.user)
        after = selectors.bot_rows([selectors.bot_get(bot_id)])[0]
        return Response({**selectors.status_json(after), "effect": selectors.bot_effects(row)[self.action]})


class BotStartView(BotAction):
    action = "start"

    @describe_endpoint(
        summary="Start a bot, or go on after a pause",
        description="Every start is a run with a run_id of its own. 409 while the kill switch is on.",
        scope="trade",
        answer=shapes.ACTION,
        errors=[400, 404, 409],
    )
    def post(self, request: Request, bot_id: str) -> Response:
        return self.act(request, bot_id, services.bot_start)


class BotPauseView(BotAction):
    action = "pause"
    reduces_risk = True

    @describe_endpoint(
        summary="Pause a bot",
        description="No new entries, and entries that rest are cancelled; exits go on.",
        scope="trade",
        answer=shapes.ACTION,
        errors=[404, 409],
    )
    def post(self, request: Request, bot_id: str) -> Response:
        return self.act(request, bot_id, services.bot_pause)


class BotStopView(BotAction):
    action = "stop"
    reduces_risk = True

    @describe_endpoint(
        summary="Stop a bot",
        description="Its open orders are cancelled; what it holds stays, with nothing to protect it.",
        scope="trade",
        answer=shapes.ACTION,
        errors=[404, 409],
    )
    def post(self, request: Request, bot_id: str) -> Response:
        return self.act(request, bot_id, services.bot_stop)


class BotCloseView(BotAction):
    action = "close"
    reduces_risk = True

    @describe_endpoint(
        summary="Close a bot",
        description="Its open orders are cancelled, what it holds is sold at market, then it stops.",
        scope="trade",
        answer=shapes.ACTION,
        errors=[404, 409],
    )
    def post(self, request: Request, bot_id: str) -> Response:
        return self.act(request, bot_id, services.bot_close)


class BotStatusView(APIView):
    @describe_endpoint(
        summary="What every bot does now",
        description="Mode, computed status, last evaluation and how long it took.",
        scope="read",
        answer=shapes.BOT_STATUSES,
        parameters=LIST,
    )
    def get(self, request: Request) -> Response:
        asked = ListRequest(request)
        rows, after = selectors.bots_page(**asked.page(), **asked.words("mode", "wanted", "wallet", "symbol", "search"))
        return Response({"results": [selectors.status_json(row) for row in rows], "next": next_url(request._request, after)})


class BotPerformanceView(APIView):
    @describe_endpoint(
        summary="What a bot has made over time",
        description="Sums over its sales, its runs, and its equity, thinned by shape to `points`.",
        scope="read",
        answer=shapes.PERFORMANCE,
        parameters=[
            query_parameter("points", f"About so many; {POINTS} where left out.", count_shape(FEWEST_POINTS, MOST_POINTS)),
            SINCE,
        ],
        errors=[404],
    )
    def get(self, request: Request, bot_id: str) -> Response:
        asked = ListRequest(request)
        points = asked.form.integer("points", POINTS, low=FEWEST_POINTS, high=MOST_POINTS)
        since = asked.filter().since
        return Response(selectors.bot_performance(selectors.bot_get(bot_id), points=points, since=since))
