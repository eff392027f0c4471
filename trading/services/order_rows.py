"""Rows of orders, claims and blocks that a step writes, and the payloads of the events that tell of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core.batch import WriteBatch
from core.events import News
from core.text import decimal_text
from trading import metrics
from trading.models import BlockEvent, Order, RiskAllocation
from trading.services.admission import PROTECTIVE
from trading.services.loaded_bot import LoadedBot, MarketNow

ORDER_OVER = ("status", "status_reason", "closed_at", "updated_at")
"""Columns that change when an order is over."""
ORDER_FILLED = (*ORDER_OVER, "quantity", "filled_quantity", "average_price", "fees")
"""Columns that change when an execution is booked."""


@dataclass(slots=True)
class NewOrders:
    """Orders of a step that are not in the database yet, each with what was claimed for it."""

    rows: list[Order] = field(default_factory=list)
    claims: dict[int, Decimal] = field(default_factory=dict)
    """In quote, by the engine's number; none for a sale."""
    again: set[int] = field(default_factory=set)
    """Those that are tried again although the venue has refused them for good: each says only what becomes of it."""

    def add(self, order: Order, claim: Decimal | None, *, again: bool = False) -> None:
        self.rows.append(order)
        if again:
            self.again.add(order.number)
        if claim is not None:
            self.claims[order.number] = claim

    def remove(self, order: Order) -> None:
        self.rows = [one for one in self.rows if one is not order]
        self.claims.pop(order.number, None)

    def insert_into(self, batch: WriteBatch) -> None:
        for row in self.rows:
            batch.insert(row)
            if row.number in self.claims:
                batch.insert(make_allocation(row, self.claims[row.number]), refers={"order": row})

    def list_news(self, strategy: str) -> list[News]:
        news = []
        for row in self.rows:
            if row.number in self.again:
                continue
            news.append(News("intent", row.mode, intent_payload(row), row.correlation_id))
            news.append(News("order_submitted", row.mode, order_payload(row, strategy), row.correlation_id))
        return news

    def note_insertion(self, loaded_bot: LoadedBot, market: MarketNow) -> list[Order]:
        """Once they have been written: they count as open orders of the bot, and towards its order rate unless they protect a
        position. Returns them; none are new any more."""
        written, self.rows, self.claims = self.rows, [], {}
        for row in written:
            loaded_bot.orders[row.number] = row.pk
            if row.reason not in PROTECTIVE:
                loaded_bot.recent.append(market.time)
            metrics.orders.labels(row.venue, row.status).inc()
        return written


def make_allocation(order: Order, amount: Decimal) -> RiskAllocation:
    quote = order.symbol.split("-")[1]
    return RiskAllocation(
        order=order,
        bot=order.bot,
        run=order.run,
        symbol=order.symbol,
        trigger_id=order.trigger_id,
        currency=quote,
        amount=amount,
        open=amount,
    )


def intent_payload(order: Order) -> dict[str, Any]:
    """What the strategy, or a protective exit, wanted, and on what."""
    return {
        "symbol": order.symbol,
        "side": order.side,
        "qty": decimal_text(order.quantity),
        "reason": order.reason,
        "trigger_id": order.trigger_id,
        "price": None if order.reference_price is None else decimal_text(order.reference_price),
    }


def order_payload(order: Order, strategy: str) -> dict[str, Any]:
    """The order as it is now. Quantities and prices as text."""
    price = order.limit if order.limit is not None else order.stop
    return {
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "venue": order.venue,
        "symbol": order.symbol,
        "side": order.side,
        "qty": decimal_text(order.quantity),
        "price": None if price is None else decimal_text(price),
        "type": order.type,
        "status": str(order.status),
        "status_reason": order.status_reason,
        "cancel_requested": order.cancel_requested,
        "filled_qty": decimal_text(order.filled_quantity),
        "average_price": None if order.average_price is None else decimal_text(order.average_price),
        "strategy": strategy,
        "signal_reason": order.reason,
    }


def block_payload(block: BlockEvent) -> dict[str, Any]:
    """Which order was not sent, and why."""
    return {
        "reason": block.reason,
        "trigger_id": block.trigger_id,
        "symbol": block.symbol,
        "side": block.side,
        "qty": None if block.qty is None else decimal_text(block.qty),
        "detail": block.detail,
    }
