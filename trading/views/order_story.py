"""What an order was for, and how it ended: no more than what happened, and who did it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from core.models import Event
from trading.models import OPEN, Order, OrderStatus

STANDING = {
    "stop_loss": "the price falls to the stop-loss",
    "take_profit": "the price rises to the take-profit",
    "trailing_stop": "the price falls back from its high to the trailing stop",
    "ladder": "the price reaches this rung of the grid",
}
"""What an order waits for that stands at the venue."""
BOT_CHANGES = {"stop": "stopped", "close": "closed", "paused": "paused"}
SOON = timedelta(minutes=2)
"""How long it may take from what a person did to the end of an order."""


@dataclass(frozen=True, slots=True)
class OrderStory:
    """`purpose`: what it waits or waited for; empty where its reason has come about. `ending` is a sentence; `successor` the order
    that took its place."""

    purpose: str = ""
    ending: str = ""
    successor: Order | None = None


def tell_story(order: Order) -> OrderStory:
    purpose = purpose_words(order)
    if order.status != OrderStatus.CANCELLED:
        return OrderStory(purpose, order.status_reason)
    if by := canceller_words(order):
        return OrderStory(purpose, by)
    if order.status_reason and not order.cancel_requested:
        return OrderStory(purpose, f"It was cancelled, and not by the desk: {order.status_reason}")
    successor = find_successor(order)
    return OrderStory(purpose, "Its bot replaced it." if successor else "Its bot cancelled it.", successor)


def purpose_words(order: Order) -> str:
    """Of an order that stands, or stood, at a price: its reason has not come about as long as nothing of it is filled."""
    waits = STANDING.get(order.reason, "")
    if not waits or order.filled_quantity or order.type == "market" or order.status == OrderStatus.REJECTED:
        return ""
    return f"it {order.side}s when {waits}" if order.status in OPEN else f"it was to {order.side} when {waits}"


def canceller_words(order: Order) -> str:
    """A person, or the kill switch; empty where neither did it."""
    asked = Event.objects.filter(correlation_id=order.correlation_id, type="order_update", source="person").order_by("-id").first()
    if asked and asked.payload.get("order_id") == order.order_id and asked.payload.get("cancel_requested_by"):
        return f"Cancelled by {asked.payload['cancel_requested_by']}."
    if order.closed_at is None:
        return ""
    span = (max(order.created_at, order.closed_at - SOON), order.closed_at)
    if killed := Event.objects.filter(type="alert", source="kill_switch", payload__killed=True, ts__range=span).first():
        return f"Cancelled by the kill switch, which {killed.payload['by']} set."
    changes = Event.objects.filter(bot=order.bot.bot_id, type="bot_status", source="person", ts__range=span)
    change = changes.filter(payload__change__in=list(BOT_CHANGES)).order_by("-id").first()
    return f"Cancelled because {change.payload['by']} {BOT_CHANGES[change.payload['change']]} its bot." if change else ""


def find_successor(order: Order) -> Order | None:
    """The bot's next order of the same kind, where it came with the end of this one."""
    if order.closed_at is None:
        return None
    same = Order.objects.filter(run=order.run_id, symbol=order.symbol, side=order.side, reason=order.reason, pk__gt=order.pk)
    return same.filter(created_at__range=(order.created_at, order.closed_at + SOON)).order_by("pk").first()
