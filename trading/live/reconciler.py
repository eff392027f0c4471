"""Start-up and everyday recovery, one code: what is open with us is compared with what the venue says, every few seconds.

Bots trade only after the first sweep of their account has gone through.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from core.events import News, events_record
from market.exchanges.base import Report
from trading.models import OPEN, ForeignOrder, Order, OrderStatus
from trading.services.orders import TOO_OLD
from wallets.models import Wallet

logger = logging.getLogger(__name__)

UNANSWERED = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Errands:
    """What is to be done about our open orders of an account."""

    send: list[Order]
    drop: list[Order]
    """Never sent, and too old to be sent now."""
    ask: list[Order]
    cancel: list[Order]


def errands(wallet_id: int) -> Errands:
    """From our own rows alone: cheap, for every second or two, however many orders rest at the venue."""
    now = timezone.now()
    found = Errands([], [], [], [])
    waits = Q(status=OrderStatus.PENDING) | Q(status=OrderStatus.SUBMITTED, submitted_at__lt=now - UNANSWERED)
    rows = Order.objects.filter(waits | Q(cancel_requested=True), wallet_id=wallet_id, status__in=OPEN)
    for order in rows.select_related("bot", "run").order_by("id"):
        if order.status == OrderStatus.PENDING:
            if order.cancel_requested or (order.type == "market" and now - order.created_at > TOO_OLD):
                found.drop.append(order)
            elif now - order.created_at > UNANSWERED:
                found.send.append(order)
        elif order.status == OrderStatus.SUBMITTED and order.submitted_at and now - order.submitted_at > UNANSWERED:
            found.ask.append(order)
        elif order.cancel_requested and order.status != OrderStatus.SUBMITTED:
            found.cancel.append(order)
    return found


@dataclass(frozen=True, slots=True)
class Compared:
    ask: list[Order]
    """Open with us, and the venue says something else of them or nothing."""
    foreign: list[Report]


def compare(wallet_id: int, told: Sequence[Report]) -> Compared:
    """Our open orders against the venue's list of open orders."""
    by_id = {report.client_order_id: report for report in told}
    open_now = Order.objects.filter(wallet_id=wallet_id, status__in=OPEN).exclude(status=OrderStatus.PENDING)
    ask = []
    for order_id, name, filled, status in open_now.values_list("pk", "client_order_id", "filled_quantity", "status"):
        report = by_id.get(name)
        if report is None or report.filled != filled or status == OrderStatus.SUBMITTED:
            ask.append(order_id)
    known = set(Order.objects.filter(client_order_id__in=by_id).values_list("client_order_id", flat=True))
    # Ours, but taken for over: the venue's word counts.
    over = Q(client_order_id__in=by_id) & ~Q(status__in=OPEN)
    asked = Order.objects.filter(Q(pk__in=ask) | over).select_related("bot", "run")
    return Compared(list(asked), [report for report in told if report.client_order_id not in known])


def foreign_note(wallet: Wallet, reports: Sequence[Report]) -> int:
    """Orders that are not ours become rows for a person to look at; those that are gone from the venue's list say so. Counts new
    ones."""
    new = 0
    for report in reports:
        _, made = ForeignOrder.objects.update_or_create(
            wallet=wallet,
            venue_order_id=report.venue_order_id,
            defaults={"filled": report.filled},
            create_defaults={
                "venue": report.venue,
                "symbol": report.symbol,
                "client_order_id": report.client_order_id,
                "side": report.side,
                "type": report.type,
                "quantity": report.quantity,
                "filled": report.filled,
                "limit": report.limit,
            },
        )
        new += made
    open_ids = [report.venue_order_id for report in reports]
    ForeignOrder.objects.filter(wallet=wallet, state=ForeignOrder.State.OPEN).exclude(venue_order_id__in=open_ids).update(
        state="gone"
    )
    if new:
        message = (
            f"{new} open order{'s' if new > 1 else ''} of {wallet.name} {'are' if new > 1 else 'is'} not ours. Adopt or ignore."
        )
        events_record([News("alert", "recovery", {"message": message, "wallet": wallet.wallet_id})])
    return new
