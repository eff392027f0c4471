"""What a venue reports and what is no order of ours, or not the one that it names: kept for a person to look at, and told once."""

from __future__ import annotations

from typing import Any

from core.events import News, events_record
from market.exchanges.base import Report
from trading.models import ForeignOrder, Order


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


def foreign_columns(report: Report) -> dict[str, Any]:
    return {
        "venue": report.venue,
        "symbol": report.symbol,
        "client_order_id": report.client_order_id,
        "side": report.side,
        "type": report.type,
        "quantity": report.quantity,
        "filled": report.filled,
        "limit": report.limit,
    }
