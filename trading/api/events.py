"""The event store: what happened, and everything that one decision led to."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, query_parameter
from core.events import TYPES
from core.paging import next_url
from core.shapes import asked_text, choice_shape
from trading import selectors
from trading.api import shapes
from trading.api.parameters import BOT, PAGE, RUN, SINCE, SYMBOL, ListRequest, reason_parameter
from trading.selectors.orders import BLOCK_REASONS, ORDER_REASONS

EVENTS = [
    SYMBOL,
    BOT,
    RUN,
    reason_parameter((*ORDER_REASONS, *BLOCK_REASONS)),
    SINCE,
    query_parameter("type", "What happened.", choice_shape(TYPES)),
    query_parameter("source", "Who told it.", asked_text()),
    query_parameter("correlation_id", "One decision's.", asked_text()),
    *PAGE,
]


class EventsView(APIView):
    @describe_endpoint(
        summary="Events, newest first",
        description="`id` is the `seq` that the WebSocket /ws/live/ sends.",
        scope="read",
        answer=shapes.EVENTS,
        parameters=EVENTS,
    )
    def get(self, request: Request) -> Response:
        asked = ListRequest(request)
        found = selectors.events_page(asked.filter(), **asked.page(), **asked.words("type", "source", "correlation_id"))
        rows = [selectors.event_json(event) for event in found.rows]
        return Response({"results": rows, "next": next_url(request._request, found.next)})


class ChainView(APIView):
    @describe_endpoint(
        summary="The chain of one decision",
        description="Intent, claim, refusal, order, fills, events with this correlation id, in order of time. `kind` names `data`.",
        scope="read",
        answer=shapes.LINKS,
        errors=[404],
    )
    def get(self, request: Request, correlation_id: str) -> Response:
        return Response({"results": [selectors.link_json(link) for link in selectors.decision_chain(correlation_id)], "next": None})
