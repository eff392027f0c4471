"""Executions become fills, positions, ledger entries and used budget: all in the caller's statement, each exactly once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any

from core.batch import GO, WriteBatch
from core.events import News
from core.fields import EXACT
from core.text import decimal_text, utc_text
from engine.order_rules import is_dust
from engine.types import Rules
from market.exchanges.base import Execution
from trading.models import AllocationStatus, Fill, Order, Position
from trading.services.allocations import ClaimChanges
from trading.services.budgets import Draw
from trading.services.fee_valuation import FeeValuation, FeeWorth
from wallets.ledger import Booking, booking_parts
from wallets.models import Wallet
from wallets.services import fill_booking

PLACES = Decimal(1).scaleb(-18)
MONEY = Decimal("1e-8")
PRICE_DIGITS = Context(prec=15)
"""As many as a computed price has to say."""
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class BookedFill:
    """A new fill, and its fee as the position and the bot's cash have it: what is counted in quote, and what made the base
    smaller."""

    fill: Fill
    fee_quote: Decimal
    fee_base: Decimal


@dataclass(slots=True)
class Books:
    """What a step of a bot moves beside its own rows: the ledger of its wallet, and the risk budgets. `account`: within which trade
    ids are unique. `rules`: by symbol, where a venue's say what is dust."""

    wallet_id: int
    account: str
    draw: Draw
    claims: ClaimChanges
    fees: FeeValuation
    rules: Mapping[str, Rules]
    bookings: list[Booking] = field(default_factory=list)

    def release(self, order: Order, status: AllocationStatus) -> None:
        """The order is over: what is still set aside for it goes back. `status`: of a claim of which nothing was used."""
        self.draw.settle(unclaim=self.claims.release(order, status))

    def add_to(self, batch: WriteBatch) -> None:
        self.draw.add_to(batch)
        self.claims.add_to(batch)
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
        if rules := books.rules.get(order.symbol):
            position.dust = is_dust(rules, float(position.quantity), float(booked[-1].fill.price))
        batch.update(position, "quantity", "cost", "realised", "fees", "dust", "opened_at", "updated_at")
    return booked


def execution_book(order: Order, position: Position, execution: Execution, batch: WriteBatch, books: Books) -> BookedFill:
    """Books one execution: its fill, its ledger booking, and what it changes in the order, the position and the budgets."""
    cost = round_money(EXACT.multiply(execution.price, execution.quantity))
    worth = books.fees.value_fee(order.symbol, execution)
    before = position.cost
    fee_quote, fee_base = split_fee(position, order.side, execution, worth)
    profit = position_change(position, order.side, execution, cost, fee_quote, fee_base)
    position.fees += worth.value or 0
    fill = make_fill(order, execution, books.account)
    fill.cost, fill.profit, fill.fee, fill.fee_valued = cost, profit, worth.value, worth.how
    batch.insert(fill)
    books.bookings.append(make_booking(order, execution, books.account))
    order_take(order, execution, worth.value or NOTHING)
    use = position.cost - before
    books.draw.settle(unclaim=books.claims.settle(order, share=execution.quantity / order.quantity, use=use), use=use)
    if order.side == "sell":
        books.claims.give_back(order.symbol, -use, everything=not position.quantity)
    return BookedFill(fill, fee_quote, fee_base)


def split_fee(position: Position, side: str, execution: Execution, worth: FeeWorth) -> tuple[Decimal, Decimal]:
    """The fee as it is counted in quote, and as it makes the position smaller, in base. A sale's fee in base is taken out of what
    is left of the position; where that is not enough, other base of the account has paid it."""
    if not worth.base:
        return worth.value or NOTHING, NOTHING
    left = worth.base if side == "buy" else max(NOTHING, position.quantity - execution.quantity)
    fee_base = min(worth.base, left)
    return round_money((worth.base - fee_base) * execution.price), fee_base


def make_fill(order: Order, execution: Execution, account: str) -> Fill:
    """Without its cost, its fee in quote and its profit."""
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


def name_account(wallet: Wallet) -> str:
    """Where the trade ids of an exchange wallet count."""
    return f"account:{wallet.account_id}"


def fill_reference(account: str, venue: str, symbol: str, trade_id: str, side: str) -> str:
    """By which an execution is booked once, whoever books it."""
    return f"fill:{account}:{venue}:{symbol}:{trade_id}:{side}"


def make_booking(order: Order, execution: Execution, account: str) -> Booking:
    """What the execution moves in the ledger of the wallet."""
    base, quote = order.symbol.split("-")
    return fill_booking(
        reference=fill_reference(account, order.venue, order.symbol, execution.trade_id, order.side),
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
    `fee_base` in base: it makes what is left dearer."""
    if side == "buy":
        if not position.quantity:
            position.opened_at = execution.time
        position.quantity += execution.quantity - fee_base
        position.cost += cost + fee
        return None
    gone = execution.quantity + fee_base
    part = position.cost if gone >= position.quantity else round_share(position.cost * gone / position.quantity)
    position.quantity -= gone
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
    order.average_price = (paid / filled).normalize(PRICE_DIGITS)
    order.filled_quantity = filled
    order.fees += fee


def round_money(value: Decimal) -> Decimal:
    """To the 18 places that columns of money have."""
    return EXACT.quantize(value, PLACES)


def round_share(value: Decimal) -> Decimal:
    """A share of a sum, which has no last digit of its own, to the places that venues count money with."""
    return EXACT.quantize(value, MONEY)


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
        "fee_paid": decimal_text(fill.fee_paid),
        "fee_asset": fill.fee_asset,
        "fee_valued": fill.fee_valued,
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
        "exit_blocked": position.exit_blocked,
    }
