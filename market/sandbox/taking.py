"""What an order would take from the book, and what money it needs."""

from __future__ import annotations

from decimal import Decimal

from market.sandbox.book import MatchingBook
from market.sandbox.depth import Offer
from market.sandbox.orders import ZERO, SandboxOrder


def plan_taking(order: SandboxOrder, book: MatchingBook, *, rate: Decimal, budget: Decimal | None = None) -> list[Offer]:
    """The offers an order meets, each with how much the order takes of it, the best first.

    `rate` is the fee that comes on top of what a buyer pays; `budget` is the most that may be paid, the fee included. Offers of the
    taker's own account keep their whole quantity: they give nothing and are to expire. The list is empty for a fill-or-kill order
    that cannot fill.
    """
    request = order.request
    taken: list[Offer] = []
    qty, spend = order.remaining if request.qty else None, request.quote_qty or budget
    for offer in book.offers(order.side, request.limit):
        if is_own(offer, order):
            taken.append(offer)
            continue
        part = offer.qty if qty is None else min(offer.qty, qty)
        if spend is not None:
            cost = offer.price * (1 + rate)
            part = min(part, book.instrument.floor(spend / cost))
            spend -= part * cost
        if not part:
            break
        taken.append(Offer(offer.price, part, offer.order))
        if qty is not None and not (qty := qty - part):
            break
    if request.tif == "fok" and total_quantity(taken, order) < order.remaining:
        return []
    return taken


def is_own(offer: Offer, order: SandboxOrder) -> bool:
    """Whether the offer is a resting order of the taker's own account."""
    return offer.order is not None and offer.order.account == order.account


def total_quantity(offers: list[Offer], order: SandboxOrder) -> Decimal:
    """What the order takes in all, without what its own account offers."""
    return sum((offer.qty for offer in offers if not is_own(offer, order)), ZERO)


def needed_funds(order: SandboxOrder, offers: list[Offer], *, rate: Decimal) -> Decimal:
    """What must be set aside: base for a sale; quote for a purchase, with the fee where it comes on top."""
    if order.side == "sell":
        return order.remaining
    price = order.request.limit or order.request.stop
    value = order.remaining * price if price else sum((x.price * x.qty for x in offers if not is_own(x, order)), ZERO)
    return value * (1 + rate)
