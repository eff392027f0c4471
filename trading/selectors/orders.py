"""Orders, fills and refusals: one of them, pages of them, and what could not be resolved."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, QuerySet
from django.utils import timezone

from core import paging
from core.errors import NotFound
from core.text import decimal_text, utc_text
from engine import risk, types
from trading.models import OPEN, BlockEvent, Fill, ForeignOrder, Order, OrderStatus
from trading.selectors.filters import SHOWN, Filter, PageOf, filter_rows, one_of
from trading.selectors.valuation import price_text

UNKNOWN_AFTER = timedelta(seconds=10)
"""How long a sent order may go without the venue's answer before a person is told."""
ORDER_COLUMNS = {
    "symbol": "symbol",
    "bot": "bot__bot_id",
    "run_id": "run__run_id",
    "reason": "reason",
    "mode": "mode",
    "since": "created_at__gte",
}
FILL_COLUMNS = ORDER_COLUMNS | {"run_id": "order__run__run_id", "reason": "order__reason", "mode": "order__mode"}
BLOCK_COLUMNS = ORDER_COLUMNS | {"run_id": "run_id", "mode": "bot__mode", "since": "ts__gte"}
ANYTHING = Filter()
ORDER_REASONS = (*types.REASONS, "adopted")
"""Why an order was made."""
BLOCK_REASONS = tuple(risk.REASONS)
"""Why one was not sent."""


def orders_matching(wanted: Filter = ANYTHING, *, status: str = "") -> QuerySet[Order]:
    """Orders with bot, run and wallet, newest first. `status`: one of the order's, or `open`."""
    rows = Order.objects.select_related("bot", "run", "wallet").defer("run__config", "run__limits", "bot__config").order_by("-id")
    one_of("reason", wanted.reason, ORDER_REASONS)
    rows = filter_rows(rows, wanted, **ORDER_COLUMNS)
    if one_of("status", status, ["open", *OrderStatus.values]) == "open":
        return rows.filter(status__in=OPEN)
    return rows.filter(status=status) if status else rows


def orders_page(wanted: Filter = ANYTHING, *, status: str = "", cursor: str = "", limit: int = SHOWN) -> PageOf[Order]:
    return PageOf(*paging.read_page(orders_matching(wanted, status=status), cursor=cursor, limit=limit))


def order_get(order_id: str) -> Order:
    """The order with bot, run, wallet and claim; `NotFound`."""
    rows = Order.objects.select_related("bot", "run", "wallet", "allocation")
    if order := rows.filter(order_id=order_id[:16].replace("\x00", "")).first():
        return order
    raise NotFound(f"There is no order {order_id[:40]!r}.")


def fills_matching(wanted: Filter = ANYTHING) -> QuerySet[Fill]:
    """Fills with order, bot and run, newest first."""
    one_of("reason", wanted.reason, ORDER_REASONS)
    rows = Fill.objects.select_related("order__run", "bot").defer("order__run__config", "order__run__limits", "bot__config")
    return filter_rows(rows.order_by("-id"), wanted, **FILL_COLUMNS)


def fills_page(wanted: Filter = ANYTHING, *, cursor: str = "", limit: int = SHOWN) -> PageOf[Fill]:
    return PageOf(*paging.read_page(fills_matching(wanted), cursor=cursor, limit=limit))


def blocks_matching(wanted: Filter = ANYTHING) -> QuerySet[BlockEvent]:
    """Refusals of ours with their bots, newest first."""
    one_of("reason", wanted.reason, BLOCK_REASONS)
    rows = BlockEvent.objects.select_related("bot").defer("bot__config").order_by("-id")
    return filter_rows(rows, wanted, **BLOCK_COLUMNS)


def blocks_page(wanted: Filter = ANYTHING, *, cursor: str = "", limit: int = SHOWN) -> PageOf[BlockEvent]:
    return PageOf(*paging.read_page(blocks_matching(wanted), cursor=cursor, limit=limit))


def block_reasons(wanted: Filter = ANYTHING) -> list[dict[str, Any]]:
    """How often we refused for each reason, most often first, and when last."""
    one_of("reason", wanted.reason, BLOCK_REASONS)
    rows = filter_rows(BlockEvent.objects.order_by(), wanted, **BLOCK_COLUMNS)
    counted = rows.values("reason").annotate(count=Count("pk"), last_at=Max("ts")).order_by("-count", "reason")
    return [{"reason": row["reason"], "count": row["count"], "last_at": utc_text(row["last_at"])} for row in counted]


def orders_unknown(now: datetime | None = None) -> list[Order]:
    """Sent over ten seconds ago, and the venue has not said what became of it; the longest first."""
    before = (now or timezone.now()) - UNKNOWN_AFTER
    rows = orders_matching(status=OrderStatus.SUBMITTED).filter(submitted_at__lte=before)
    return list(rows.order_by("submitted_at", "id"))


def foreign_orders() -> list[ForeignOrder]:
    """Orders open at a venue that are not ours and await a person's decision, newest first."""
    return list(ForeignOrder.objects.filter(state=ForeignOrder.State.OPEN).select_related("wallet").order_by("-id"))


def order_json(order: Order) -> dict[str, Any]:
    """An order as API and pushes give it: money and quantities as decimal text, times as ISO-8601 UTC, unknown ones None."""
    return {
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "venue_order_id": order.venue_order_id or None,
        "bot": order.bot.bot_id,
        "bot_name": order.bot.name,
        "run_id": order.run.run_id,
        "wallet": order.wallet.wallet_id,
        "mode": order.mode,
        "venue": order.venue,
        "symbol": order.symbol,
        "side": order.side,
        "type": order.type,
        "qty": decimal_text(order.quantity),
        "limit": decimal_text(order.limit),
        "stop": decimal_text(order.stop),
        "reason": order.reason,
        "status": order.status,
        "status_reason": order.status_reason,
        "filled_qty": decimal_text(order.filled_quantity),
        "average_price": price_text(order.average_price),
        "fees": decimal_text(order.fees),
        "reference_price": decimal_text(order.reference_price),
        "correlation_id": order.correlation_id,
        "trigger_id": order.trigger_id,
        "cancel_requested": order.cancel_requested,
        "attempts": order.attempts,
        "decided_at": utc_text(order.decided_at),
        "created_at": utc_text(order.created_at),
        "submitted_at": utc_text(order.submitted_at),
        "closed_at": utc_text(order.closed_at),
    }


def fill_json(fill: Fill) -> dict[str, Any]:
    """With the names that the event `fill` has, so that a program can merge rows and pushes by `id`."""
    return {
        "id": fill.pk,
        "order_id": fill.order.order_id,
        "bot": fill.bot.bot_id,
        "bot_name": fill.bot.name,
        "run_id": fill.order.run.run_id,
        "mode": fill.order.mode,
        "venue": fill.venue,
        "symbol": fill.symbol,
        "side": fill.side,
        "qty": decimal_text(fill.quantity),
        "fill_price": decimal_text(fill.price),
        "cost": decimal_text(fill.cost),
        "fee": decimal_text(fill.fee),
        "fee_paid": decimal_text(fill.fee_paid),
        "fee_asset": fill.fee_asset,
        "fee_valued": fill.fee_valued,
        "profit": decimal_text(fill.profit),
        "maker": fill.maker,
        "reason": fill.order.reason,
        "strategy": fill.bot.strategy,
        "trade_id": fill.trade_id,
        "correlation_id": fill.correlation_id,
        "ts": utc_text(fill.ts),
        "recorded_at": utc_text(fill.created_at),
    }


def block_json(block: BlockEvent) -> dict[str, Any]:
    """A refusal as API and pushes give it."""
    return {
        "id": block.pk,
        "bot": block.bot.bot_id,
        "bot_name": block.bot.name,
        "run_id": block.run_id,
        "correlation_id": block.correlation_id,
        "trigger_id": block.trigger_id,
        "symbol": block.symbol,
        "side": block.side,
        "qty": decimal_text(block.qty),
        "price": decimal_text(block.price),
        "reason": block.reason,
        "detail": block.detail,
        "ts": utc_text(block.ts),
    }
