"""Executions become fills, positions, ledger entries and used budget: all in the caller's statement, each exactly once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils import timezone

from core.batch import GO, WriteBatch
from core.events import News
from core.text import decimal_text, utc_text
from market.exchanges.base import Execution
from trading.models import AllocationStatus, Fill, Order, Position, RiskAllocation
from trading.services.budgets import Draw
from wallets.ledger import Booking, booking_parts
from wallets.services import fill_booking

PLACES = Decimal(1).scaleb(-18)


@dataclass(frozen=True, slots=True)
class BookedFill:
    """A new fill and, where the venue took its fee out of the base, that part in base."""

    fill: Fill
    fee_base: Decimal


@dataclass(slots=True)
class Books:
    """What a step of a bot moves beside its own rows: the ledger of its wallet, and the risk budgets. `account`: within which trade
    ids are unique."""

    wallet_id: int
    account: str
    draw: Draw
    bookings: list[Booking] = field(default_factory=list)

    def add_to(self, batch: WriteBatch) -> None:
        self.draw.add_to(batch)
        if self.bookings:
            batch.also += booking_parts(self.wallet_id, self.bookings, condition=GO)


def fills_book(
    order: Order, position: Position, executions: Sequence[Execution], batch: WriteBatch, books: Books
) -> list[BookedFill]:
    """Books the executions that are new, and returns them. `order` and `position` are changed in memory; what is to be written is
    added to `batch` and `books`. The same execution again changes nothing."""
    known = set(order.fills.values_list("trade_id", flat=True)) if executions and order.filled_quantity else set()
    booked = []
    for execution in executions:
        if execution.trade_id not in known:
            known.add(execution.trade_id)
            booked.append(execution_book(order, position, execution, batch, books))
    if booked:
        batch.update(position, "quantity", "cost", "realised", "fees", "opened_at", "updated_at")
    return booked


def execution_book(order: Order, position: Position, execution: Execution, batch: WriteBatch, books: Books) -> BookedFill:
    """Books one execution: its fill, its ledger booking, and what it changes in the order, the position and the budgets."""
    base, quote = order.symbol.split("-")
    cost = round_money(execution.price * execution.quantity)
    fee_base = execution.fee if execution.fee_asset == base else Decimal(0)
    fee = round_money(fee_base * execution.price) if fee_base else execution.fee if execution.fee_asset == quote else Decimal(0)
    before = position.cost
    profit = position_change(position, order.side, execution, cost, fee, fee_base)
    fill = make_fill(order, execution, books.account)
    fill.cost, fill.fee, fill.profit = cost, fee, profit
    batch.insert(fill)
    books.bookings.append(make_booking(order, execution, books.account))
    order_take(order, execution, fee)
    allocation_settle(order, batch, books.draw, share=execution.quantity / order.quantity, use=position.cost - before)
    return BookedFill(fill, fee_base)


def make_fill(order: Order, execution: Execution, account: str) -> Fill:
    """Without its cost, its fee in quote and its profit, which depend on the position."""
    return Fill(
        order=order,
        bot_id=order.bot_id,
        account=account,
        venue=order.venue,
        symbol=order.symbol,
        trade_id=execution.trade_id,
        side=order.side,
        price=execution.price,
        quantity=execution.quantity,
        fee_paid=execution.fee,
        fee_asset=execution.fee_asset,
        maker=execution.maker,
        correlation_id=order.correlation_id,
        ts=execution.time,
    )


def make_booking(order: Order, execution: Execution, account: str) -> Booking:
    """What the execution moves in the ledger of the wallet."""
    base, quote = order.symbol.split("-")
    return fill_booking(
        reference=f"fill:{account}:{order.venue}:{order.symbol}:{execution.trade_id}",
        ts=execution.time,
        base=base,
        quote=quote,
        side=order.side,
        quantity=execution.quantity,
        price=execution.price,
        fee=execution.fee,
        fee_asset=execution.fee_asset,
        note=order.client_order_id,
    )


def position_change(
    position: Position, side: str, execution: Execution, cost: Decimal, fee: Decimal, fee_base: Decimal
) -> Decimal | None:
    """Changes the position by average cost, fees included. Returns the profit of a sale, in quote. `cost` and `fee` are in quote,
    `fee_base` in base."""
    position.fees += fee
    if side == "buy":
        if not position.quantity:
            position.opened_at = execution.time
        # A fee taken out of the base makes what is left dearer; one taken in quote is paid on top.
        position.quantity += execution.quantity - fee_base
        position.cost += cost if fee_base else cost + fee
        return None
    part = (
        position.cost
        if execution.quantity >= position.quantity
        else round_money(position.cost * execution.quantity / position.quantity)
    )
    position.quantity -= execution.quantity
    position.cost -= part
    profit = cost - fee - part
    position.realised += profit
    if not position.quantity:
        position.opened_at = None
    return profit


def order_take(order: Order, execution: Execution, fee: Decimal) -> None:
    """Adds an execution to the order's sums; the caller writes them."""
    filled = order.filled_quantity + execution.quantity
    paid = (order.average_price or Decimal(0)) * order.filled_quantity + execution.price * execution.quantity
    order.average_price = round_money(paid / filled)
    order.filled_quantity = filled
    order.fees += fee


def allocation_settle(order: Order, batch: WriteBatch, draw: Draw, *, share: Decimal, use: Decimal) -> None:
    """What was claimed for this share of the order becomes used; a sale gives back what the sold part had cost."""
    unclaim = Decimal(0)
    if allocation := allocation_of(order):
        unclaim = min(allocation.open, round_money(allocation.amount * share))
        allocation.open -= unclaim
        allocation.used += max(use, Decimal(0))
        if not allocation.open:
            allocation.status, allocation.closed_at = AllocationStatus.USED, timezone.now()
        batch.update(allocation, "open", "used", "status", "closed_at")
    draw.settle(unclaim=unclaim, use=use)


def allocation_of(order: Order) -> RiskAllocation | None:
    """What was claimed for the order; a sale claims nothing. Queried at most once in an order's life in memory."""
    try:
        return order.allocation if order.side == "buy" else None
    except RiskAllocation.DoesNotExist:
        return None


def allocation_release(order: Order, batch: WriteBatch, draw: Draw, status: AllocationStatus) -> None:
    """The order is over: what is still set aside goes back."""
    allocation = allocation_of(order)
    if allocation is None or allocation.closed_at is not None:
        return
    draw.settle(unclaim=allocation.open)
    allocation.open = Decimal(0)
    allocation.status = AllocationStatus.USED if allocation.used else status
    allocation.closed_at = timezone.now()
    batch.update(allocation, "open", "status", "closed_at")


def round_money(value: Decimal) -> Decimal:
    """To the 18 places that columns of money have."""
    return value.quantize(PLACES)


def fill_news(booked: Sequence[BookedFill], order: Order, position: Position, strategy: str) -> list[News]:
    """The events `fill` and `position_update`, as API.md describes them."""
    news = [News("fill", order.mode, fill_payload(one.fill, order, strategy), order.correlation_id, one.fill) for one in booked]
    if booked:
        news.append(News("position_update", order.mode, position_payload(position), order.correlation_id))
    return news


def fill_payload(fill: Fill, order: Order, strategy: str) -> dict[str, Any]:
    """One execution; `id` is filled in once it has been inserted. Quantities and money as text."""
    return {
        "id": fill.pk,
        "order_id": order.order_id,
        "venue": fill.venue,
        "symbol": fill.symbol,
        "side": fill.side,
        "qty": decimal_text(fill.quantity),
        "fill_price": decimal_text(fill.price),
        "cost": decimal_text(fill.cost),
        "fee": decimal_text(fill.fee),
        "profit": None if fill.profit is None else decimal_text(fill.profit),
        "maker": fill.maker,
        "strategy": strategy,
        "ts": utc_text(fill.ts),
    }


def position_payload(position: Position) -> dict[str, Any]:
    return {
        "symbol": position.symbol,
        "qty": decimal_text(position.quantity),
        "cost": decimal_text(position.cost),
        "realised": decimal_text(position.realised),
    }
