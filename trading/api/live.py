"""The running desk: positions, portfolio, orders, fills, refusals, risk, the kill switch."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, query_parameter
from core.fields import Fields
from core.paging import next_url, read_page
from core.shapes import asked_text, choice_shape
from trading import selectors
from trading.api import shapes
from trading.api.parameters import BOT, FILTERS, MODE, PAGE, SYMBOL, ListRequest, reason_parameter
from trading.models import OrderStatus
from trading.selectors.orders import BLOCK_REASONS, ORDER_REASONS
from trading.selectors.risk import SCOPES
from trading.services import bots, orders

WALLET = query_parameter("wallet", "A wallet's id.", asked_text())


def list_response(request: Request, rows: list[dict[str, Any]], cursor: str | None = None) -> Response:
    return Response({"results": rows, "next": next_url(request._request, cursor)})


class PositionsView(APIView):
    @describe_endpoint(
        summary="What the bots hold, at the newest prices",
        description="`price_state` is live, old (not heard of for a minute) or missing: then value and unrealised are null. "
        "`stop_at` says where its stop is in force: venue, partly (the rest is watched here), here, or none; `stop_price` is the "
        "highest stop that stands at the venue. `exit_blocked` says why it cannot be sold although it should be; empty: it can.",
        scope="read",
        answer=shapes.POSITIONS,
        parameters=[SYMBOL, BOT, MODE, *PAGE],
    )
    def get(self, request: Request) -> Response:
        asked = ListRequest(request)
        rows, after = read_page(selectors.positions_open(asked.filter()), key="id", **asked.page())
        return list_response(
            request, [selectors.position_json(one) for one in selectors.positions_valued(rows, protected=True)], after
        )


class PortfolioView(APIView):
    @describe_endpoint(
        summary="What the bots are worth, by mode and by wallet",
        description="Paper, testnet and live money are never added up. `desk` is each of them in the reporting currency: "
        "`unpriced` assets have no price in it and are left out, `estimated` ones have no fresh one. `modes` and `wallets` are in "
        "the wallets' own currencies; their `unpriced` are symbols without a fresh price, and the value is as good as those. "
        "`change_today` is since 00:00 UTC.",
        scope="read",
        answer=shapes.PORTFOLIO,
        parameters=[MODE, WALLET],
    )
    def get(self, request: Request) -> Response:
        return Response(selectors.portfolio_json(selectors.desk_portfolio(**ListRequest(request).words("mode", "wallet"))))


class OrdersView(APIView):
    @describe_endpoint(
        summary="Orders, newest first",
        scope="read",
        answer=shapes.ORDERS,
        parameters=[
            *FILTERS,
            reason_parameter(ORDER_REASONS),
            query_parameter("status", "One status, or `open`.", choice_shape(["open", *OrderStatus.values])),
            *PAGE,
        ],
    )
    def get(self, request: Request) -> Response:
        asked = ListRequest(request)
        found = selectors.orders_page(asked.filter(), **asked.page(), **asked.words("status"))
        return list_response(request, [selectors.order_json(order) for order in found.rows], found.next)


class FillsView(APIView):
    @describe_endpoint(
        summary="Fills, newest first",
        description="`id` is that of the event `fill`: merge what is pushed and what is listed by it.",
        scope="read",
        answer=shapes.FILLS,
        parameters=[*FILTERS, reason_parameter(ORDER_REASONS), *PAGE],
    )
    def get(self, request: Request) -> Response:
        asked = ListRequest(request)
        found = selectors.fills_page(asked.filter(), **asked.page())
        return list_response(request, [selectors.fill_json(fill) for fill in found.rows], found.next)


class BlocksView(APIView):
    @describe_endpoint(
        summary="Orders that we did not send, newest first",
        scope="read",
        answer=shapes.BLOCKS,
        parameters=[*FILTERS, reason_parameter(BLOCK_REASONS), *PAGE],
    )
    def get(self, request: Request) -> Response:
        asked = ListRequest(request)
        found = selectors.blocks_page(asked.filter(), **asked.page())
        return list_response(request, [selectors.block_json(block) for block in found.rows], found.next)


class BlockReasonsView(APIView):
    @describe_endpoint(
        summary="Why orders were not sent, and how often",
        scope="read",
        answer=shapes.REASONS,
        parameters=[*FILTERS, reason_parameter(BLOCK_REASONS)],
    )
    def get(self, request: Request) -> Response:
        return list_response(request, selectors.block_reasons(ListRequest(request).filter()))


class RiskBudgetView(APIView):
    @describe_endpoint(
        summary="How much may be at risk, and how much is",
        description="Of the desk, each wallet and each bot: `claimed` for orders on their way, `used` by positions at cost.",
        scope="read",
        answer=shapes.BUDGETS,
        parameters=[
            query_parameter("scope", "One scope's.", choice_shape(SCOPES)),
            MODE,
            BOT,
            WALLET,
            *PAGE,
        ],
    )
    def get(self, request: Request) -> Response:
        asked = ListRequest(request)
        rows, after = read_page(selectors.risk_budgets(**asked.words("scope", "mode", "bot", "wallet")), key="id", **asked.page())
        return list_response(request, [selectors.budget_json(budget) for budget in rows], after)


class KillSwitchView(APIView):
    reduces_risk = True

    @describe_endpoint(summary="Whether the desk is killed", scope="read", answer=shapes.SWITCH)
    def get(self, request: Request) -> Response:
        return Response(selectors.switch_json(selectors.kill_switch()))

    @describe_endpoint(
        summary="Stop everything, or arm the desk again",
        description="Killed: from the answer on no order is sent, every bot is stopped, open orders are asked to be cancelled; "
        "what is held stays. Armed again: bots stay stopped until a person starts them.",
        scope="trade",
        answer=shapes.SWITCH,
        body=shapes.SWITCH_CHANGE,
    )
    def post(self, request: Request) -> Response:
        form = Fields(request.data)
        killed, reason = bots.read_kill_switch(form)
        form.refuse("The request has fields that cannot be used.")
        return Response(selectors.switch_json(bots.kill_switch_set(killed=killed, reason=reason, user=request.user)))


class CancelView(APIView):
    reduces_risk = True

    @describe_endpoint(
        summary="Cancel one order",
        description="Asked for: the venue has the last word, and what it filled before is filled. 409 for an order that is over.",
        scope="trade",
        answer=shapes.ORDER,
        errors=[404, 409],
    )
    def post(self, request: Request, order_id: str) -> Response:
        orders.order_cancel_request(order_id=order_id, user=request.user)
        return Response(selectors.order_json(selectors.order_get(order_id)))
