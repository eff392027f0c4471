"""What an order would take from the book, and what money it needs."""

from __future__ import annotations

from decimal import Decimal

from market.sandbox.book import MatchingBook, Offer
from market.sandbox.orders import ZERO, SandboxOrder


def plan_taking(order: SandboxOrder, book: MatchingBook, *, rate: Decimal, budget: Decimal | None = None) -> list[Offer]:
    """The levels an order meets, each with how much it takes of it, best first.

    `rate` is the fee that comes on top of what a buyer pays; `budget` the most that may be paid, fee included. The account's own
    orders among them (they are to expire, and give nothing) keep their quantity. Nothing for fill-or-kill that cannot fill.
    """
    request = order.request
    levels: list[Offer] = []
    qty, spend = order.remaining if request.qty else None, request.quote_qty or budget
    for offer in book.offers(order.side, request.limit):
        if is_own(offer, order):
            levels.append(offer)
            continue
        part = offer.qty if qty is None else min(offer.qty, qty)
        if spend is not None:
            cost = offer.price * (1 + rate)
            part = min(part, book.instrument.floor(spend / cost))
            spend -= part * cost
        if not part:
            break
        levels.append(Offer(offer.price, part, offer.order))
        if qty is not None and not (qty := qty - part):
            break
    if request.tif == "fok" and total_quantity(levels, order) < order.remaining:
        return []
    return levels


def is_own(level: Offer, order: SandboxOrder) -> bool:
    """A resting order of the taker's own account."""
    return level.order is not None and level.order.account == order.account


def total_quantity(levels: list[Offer], order: SandboxOrder) -> Decimal:
    return sum((level.qty for level in levels if not is_own(level, order)), ZERO)


def needed_funds(order: SandboxOrder, levels: list[Offer], *, rate: Decimal) -> Decimal:
    """What must be set aside: base for a sale; for a purchase quote, with the fee where it comes on top."""
    if order.side == "sell":
        return order.remaining
    price = order.request.limit or order.request.stop
    value = order.remaining * price if price else sum((x.price * x.qty for x in levels if not is_own(x, order)), ZERO)
    return value * (1 + rate)
