"""What a venue reports and what is no order of ours, or not the one that it names: kept for a person to look at, and told once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.db.models import Q

from core.events import News, events_record
from market.exchanges.base import Report, UnreadRow
from trading.models import ForeignOrder, Order
from wallets.models import Wallet

SAID = ("symbol", "client_order_id", "side", "type", "quantity", "filled", "limit", "unread", "raw", "updated_at")
"""Columns that follow what the venue says now."""


def explain_mismatch(order: Order | None, report: Report, *, bot_id: int, wallet_id: int, account_wallet_id: int) -> str:
    """Why a report does not count for the order whose id it bears; empty: it does. `bot_id` and `wallet_id`: of the bot that it
    came to. `account_wallet_id`: of the account that said it. All are primary keys."""
    if order is None:
        return "there is no order with this id here"
    if order.wallet_id != account_wallet_id:
        return "our order with this id went to another account"
    if order.bot_id != bot_id:
        return "our order with this id is another bot's"
    if order.wallet_id != wallet_id:
        return "its bot trades with another wallet now"
    if order.symbol != report.symbol:
        return f"our order with this id is of {order.symbol}"
    return "" if order.side == report.side else f"our order with this id is to {order.side}"


def report_set_aside(report: Report, *, wallet_id: int, why: str) -> None:
    """Keeps a report that does not count, among the orders that are not ours, and tells it the first time."""
    _, created = ForeignOrder.objects.get_or_create(
        wallet_id=wallet_id, venue_order_id=report.venue_order_id, defaults=foreign_columns(report)
    )
    if created:
        name = report.client_order_id or report.venue_order_id
        message = f"What {report.venue} reports of {name} ({report.side} {report.symbol}) does not count: {why}. See Not ours."
        told = {"message": message, "venue_order_id": report.venue_order_id, "symbol": report.symbol, "status": report.status}
        events_record([News("alert", "recovery", told)])


def foreign_orders_note(wallet: Wallet, rows: Sequence[Report | UnreadRow]) -> int:
    """Writes down what is new of the open orders of a wallet that are not ours; those that are gone from the venue's list say so.
    Counts new ones. A row that could not be read is one of them, with what could be read of it."""
    made = [ForeignOrder(wallet=wallet, venue_order_id=name_number(row), **foreign_columns(row)) for row in rows]
    found = {row.venue_order_id: row for row in made}
    concerned = Q(state=ForeignOrder.State.OPEN) | Q(venue_order_id__in=list(found))
    before = {row.venue_order_id: row for row in ForeignOrder.objects.filter(concerned, wallet=wallet)}
    changed = [row for number, row in found.items() if number not in before or says_else(row, before[number])]
    if changed:
        ForeignOrder.objects.bulk_create(
            changed, 1000, update_conflicts=True, unique_fields=["wallet", "venue_order_id"], update_fields=SAID
        )
    gone = [row.pk for number, row in before.items() if row.state == ForeignOrder.State.OPEN and number not in found]
    if gone and all(row.venue_order_id for row in rows):  # else one of them may be the row that does not say its number
        ForeignOrder.objects.filter(pk__in=gone).update(state=ForeignOrder.State.GONE)
    back = [row.pk for number, row in before.items() if row.state == ForeignOrder.State.GONE and number in found]
    if back:
        ForeignOrder.objects.filter(pk__in=back).update(state=ForeignOrder.State.OPEN)
    new = len(found.keys() - before.keys())
    if new:
        orders = f"{new} open orders of {wallet.name} are" if new > 1 else f"1 open order of {wallet.name} is"
        events_record([News("alert", "recovery", {"message": f"{orders} not ours. Adopt or ignore.", "wallet": wallet.wallet_id})])
    return new


def says_else(now: ForeignOrder, before: ForeignOrder) -> bool:
    """Whether the venue says something else of the order than before."""
    return any(getattr(now, name) != getattr(before, name) for name in SAID if name != "updated_at")


def foreign_columns(row: Report | UnreadRow) -> dict[str, Any]:
    said = {
        "venue": row.venue,
        "symbol": row.symbol[:32],
        "client_order_id": row.client_order_id[:64],
        "side": row.side,
        "quantity": row.quantity,
    }
    if isinstance(row, Report):
        return said | {"type": row.type, "filled": row.filled, "limit": row.limit}
    return said | {"type": "other", "filled": Decimal(0), "unread": row.reason[:200], "raw": row.raw}


def name_number(row: Report | UnreadRow) -> str:
    """The venue's id of the order; of a row that does not say it, one made of what it says."""
    return row.venue_order_id[:64] or f"unread-{sha256(getattr(row, 'raw', '').encode()).hexdigest()[:16]}"
