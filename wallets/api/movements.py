"""REST: what came to a wallet and left it by other ways than trading."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, query_parameter
from access.queries import PAGE, read_page_place, read_query
from core.paging import next_url, read_page
from core.shapes import (
    COUNT,
    DECIMAL,
    MOMENT,
    MOMENT_ASKED,
    TEXT,
    allow_null,
    choice_shape,
    list_shape,
    name_object,
    name_page,
    object_shape,
)
from wallets import selectors
from wallets.models import Movement

MOVEMENT = {
    "id": 12,
    "reference": "withdrawal:b6ae22b3aa844210a7041aee7589627c",
    "kind": "withdrawal",
    "state": "done",
    "ts": "2026-11-21T09:14:07Z",
    "moved_at": "2026-11-21T09:14:07Z",
    "legs": [{"asset": "USDT", "amount": "-8.91"}],
    "fee": "0.004",
    "fee_asset": "USDT",
    "network": "ETH",
    "address": "0x94df8b352de7f46f64b01d3666bf6e936e44ce60",
    "txid": "0xb5ef8c13b968a406cc62a93a8bd80f9e9a906ef1b3fcf20a2e48573c17659268",
    "words": "status 6",
    "elsewhere": "",
    "booked": "booked",
    "why": "Booked",
    "transaction": 4711,
    "twin": None,
    "first_seen": "2026-11-21T09:20:00Z",
}
MOVEMENTS = name_page(
    name_object(
        "Movement",
        MOVEMENT,
        id=COUNT,
        reference=TEXT,
        kind=choice_shape(Movement.Kind.values),
        state=choice_shape(Movement.State.values),
        ts=allow_null(MOMENT),
        moved_at=allow_null(MOMENT),
        legs=list_shape(object_shape(asset=TEXT, amount=DECIMAL)),
        fee=DECIMAL,
        fee_asset=TEXT,
        network=TEXT,
        address=TEXT,
        txid=TEXT,
        words=TEXT,
        elsewhere=TEXT,
        booked=choice_shape(Movement.Standing.values),
        why=TEXT,
        transaction=allow_null(COUNT),
        twin=allow_null(COUNT),
        first_seen=MOMENT,
    )
)
KINDS, STATES = Movement.Kind.values, Movement.State.values


class MovementsView(APIView):
    @describe_endpoint(
        summary="A wallet's movements",
        scope="read",
        description="Deposits, withdrawals, conversions, dust, transfers, rewards and rebates as the venue tells them, newest seen"
        " first. `booked` says whether one counts, and `why` in words; `transaction` is its booking in the ledger.",
        parameters=[
            query_parameter("kind", "Only these.", choice_shape(KINDS)),
            query_parameter("state", "Only those in this state at the venue.", choice_shape(STATES)),
            query_parameter("since", "Begun at this time or later; ISO-8601, UTC.", MOMENT_ASKED),
            *PAGE,
        ],
        answer=MOVEMENTS,
        errors=(404,),
    )
    def get(self, request: Request, wallet_id: str) -> Response:
        form = read_query(request)
        kind = form.choice("kind", "", KINDS) if form.take("kind") else ""
        state = form.choice("state", "", STATES) if form.take("state") else ""
        since, place = form.moment("since"), read_page_place(form)
        wallet = selectors.wallet_get(wallet_id=wallet_id)
        found = selectors.wallet_movements(wallet=wallet, kind=kind, state=state, since=since)
        rows, cursor = read_page(found, **place)
        return Response({"results": [selectors.movement_report(row) for row in rows], "next": next_url(request, cursor)})
