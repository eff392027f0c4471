"""The running desk: positions, portfolio, orders, fills, refusals, risk, the kill switch."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, query_parameter
from core.fields import Fields, show_value
from core.paging import next_url, read_page
from trading import selectors
from trading.api import schema
from trading.api.parameters import FILTERS, PAGE, ListRequest
from trading.models import Mode, OrderStatus
from trading.selectors.risk import SCOPES
from trading.services import bots, orders


def list_response(request: Request, rows: list[dict[str, Any]], cursor: str | None = None) -> Response:
    return Response({"results": rows, "next": next_url(request._request, cursor)})


class PositionsView(APIView):
    @describe_endpoint(
        summary="What the bots hold, at the newest prices",
        description="`price_state` is live, old (not heard of for a minute) or missing: then value and unrealised are null. "
        "`stop_at` says where its stop is in force: venue, partly (the rest is watched here), here, or none; `stop_price` is the "
        "highest stop that stands at the venue. `exit_blocked` says why it cannot be sold although it should be; empty: it can.",
        scope="read",
        example={"results": [schema.POSITION], "next": None},
        parameters=[*FILTERS[:2], FILTERS[4], *PAGE],
        errors=[400],
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
        description="Paper and real money are never added up, nor are currencies. `change_today` is since 00:00 UTC. `unpriced`: "
        "symbols without a fresh price; the value is as good as those.",
        scope="read",
        example=schema.PORTFOLIO,
        parameters=[FILTERS[4], query_parameter("wallet", "A wallet's id.")],
        errors=[400],
    )
    def get(self, request: Request) -> Response:
        return Response(selectors.portfolio_json(selectors.desk_portfolio(**ListRequest(request).words("mode", "wallet"))))


class OrdersView(APIView):
    @describe_endpoint(
        summary="Orders, newest first",
        scope="read",
        example={"results": [schema.ORDER], "next": None},
        parameters=[*FILTERS, query_parameter("status", "One status, or `open`.", values=["open", *OrderStatus.values]), *PAGE],
        errors=[400],
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
        example={"results": [schema.FILL], "next": None},
        parameters=[*FILTERS, *PAGE],
        errors=[400],
    )
    def get(self, request: Request) -> Response:
        asked = ListRequest(request)
        found = selectors.fills_page(asked.filter(), **asked.page())
        return list_response(request, [selectors.fill_json(fill) for fill in found.rows], found.next)


class BlocksView(APIView):
    @describe_endpoint(
        summary="Orders that we did not send, newest first",
        scope="read",
        example={"results": [schema.BLOCK], "next": None},
        parameters=[*FILTERS, *PAGE],
        errors=[400],
    )
    def get(self, request: Request) -> Response:
        asked = ListRequest(request)
        found = selectors.blocks_page(asked.filter(), **asked.page())
        return list_response(request, [selectors.block_json(block) for block in found.rows], found.next)


class BlockReasonsView(APIView):
    @describe_endpoint(
        summary="Why orders were not sent, and how often",
        scope="read",
        example={"results": [schema.REASON], "next": None},
        parameters=FILTERS,
        errors=[400],
    )
    def get(self, request: Request) -> Response:
        return list_response(request, selectors.block_reasons(ListRequest(request).filter()))


class RiskBudgetView(APIView):
    @describe_endpoint(
        summary="How much may be at risk, and how much is",
        description="Of the desk, each wallet and each bot: `claimed` for orders on their way, `used` by positions at cost.",
        scope="read",
        example={"results": [schema.BUDGET], "next": None},
        parameters=[
            query_parameter("scope", "One scope's.", values=SCOPES),
            query_parameter("mode", "One mode's.", values=Mode.values),
            query_parameter("bot", "A bot's id."),
            query_parameter("wallet", "A wallet's id."),
            *PAGE,
        ],
        errors=[400],
    )
    def get(self, request: Request) -> Response:
        asked = ListRequest(request)
        rows, after = read_page(selectors.risk_budgets(**asked.words("scope", "mode", "bot", "wallet")), key="id", **asked.page())
        return list_response(request, [selectors.budget_json(budget) for budget in rows], after)


class KillSwitchView(APIView):
    reduces_risk = True

    @describe_endpoint(summary="Whether the desk is killed", scope="read", example=schema.SWITCH)
    def get(self, request: Request) -> Response:
        return Response(selectors.switch_json(selectors.kill_switch()))

    @describe_endpoint(
        summary="Stop everything, or arm the desk again",
        description="Killed: from the answer on no order is sent, every bot is stopped, open orders are asked to be cancelled; "
        "what is held stays. Armed again: bots stay stopped until a person starts them.",
        scope="trade",
        example=schema.SWITCH,
        body=schema.SWITCH_NEW,
        body_example=schema.SWITCH_EXAMPLE,
        errors=[400],
    )
    def post(self, request: Request) -> Response:
        form = Fields(request.data)
        killed, reason = form.take("killed"), form.text("reason")
        if not isinstance(killed, bool):
            form.fault("killed", f"must be true or false; got {show_value(killed)}.")
        form.close()
        form.refuse("The request has fields that cannot be used.")
        return Response(selectors.switch_json(bots.kill_switch_set(killed=killed, reason=reason, user=request.user)))


class CancelView(APIView):
    reduces_risk = True

    @describe_endpoint(
        summary="Cancel one order",
        description="Asked for: the venue has the last word, and what it filled before is filled. 409 for an order that is over.",
        scope="trade",
        example={**schema.ORDER, "cancel_requested": True, "status": "accepted"},
        errors=[404, 409],
    )
    def post(self, request: Request, order_id: str) -> Response:
        orders.order_cancel_request(order_id=order_id, user=request.user)
        return Response(selectors.order_json(selectors.order_get(order_id)))
