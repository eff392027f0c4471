"""A venue's reports: what they do to the book. Facts win."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import NotFound
from engine.book import CANCELLED, EXIT_SIGNAL, EXPIRED, FILLED, MARKET, REBALANCE, REFUSED, SELL, SINGLE
from engine.live import kernel
from engine.live.types import Step
from engine.live.venue_order import NEAR, VenueOrder
from engine.types import REASONS

if TYPE_CHECKING:
    from engine.live.venue_orders import VenueOrders


ENDS = {"filled": FILLED, "cancelled": CANCELLED, "expired": EXPIRED, "rejected": REFUSED}
PAST_KEPT = 64


def fill(outside: VenueOrders, number: int, price: float, quantity: float, fee: float, fee_base: float) -> Step:
    out = outside.out.get(number) or outside.past.get(number)
    if out is None:
        raise NotFound(f"This run has no order {number}.")
    if out.buys:
        bought(outside, out, price, quantity, fee, fee_base)
    else:
        sold(outside, out, price, quantity, fee)
    out.got += quantity
    if out.left <= out.order.quantity * NEAR:
        over(outside, number, out)
    return outside.settle()


def accepted(outside: VenueOrders, number: int) -> None:
    out = outside.out.get(number)
    if out is not None:
        out.stands = True


def over(outside: VenueOrders, number: int, out: VenueOrder) -> None:
    """The venue has no more of it. One that was not filled whole is remembered, since a fill of it may be told late."""
    row = outside.brain.row_of(number)
    if row is not None:
        outside.brain.end(row, FILLED)
    if outside.out.pop(number, None) is not None and out.left > out.order.quantity * NEAR:
        outside.past[number] = out
        for oldest in list(outside.past)[:-PAST_KEPT]:
            del outside.past[oldest]


def bought(outside: VenueOrders, out: VenueOrder, price: float, quantity: float, fee: float, fee_base: float) -> None:
    brain, s = outside.brain, outside.symbol(out)
    row = brain.row_of(out.order.number)
    received = quantity - fee_base + outside.crumbs.pop(s, 0.0)
    reason = REASONS.index(out.order.reason)
    terms = (price, quantity, received, fee, fee_base, out.order.type == "limit", reason, out.rung, out.take)
    brain.run_report(kernel.bought, s, brain.t, -1 if row is None else row, *terms)
    if row is None:
        make_place(outside, s, out.rung)
    if out.unwanted:
        brain.run(kernel.exiting, s, -1, brain.t, EXIT_SIGNAL)
        brain.number_new_orders(brain.now())
        outside.exits_due([s])


def make_place(outside: VenueOrders, s: int, rung: int) -> None:
    """A late fill counts; what was to buy in its stead is cancelled."""
    for row in reversed(outside.brain.buys()):
        w = outside.brain.book.working[row]
        alone = outside.brain.book.setup[0]["mode"] == SINGLE and w["rung"] < 0
        if w["symbol"] == s and ((alone and rung < 0) or (rung >= 0 and w["rung"] == rung)):
            outside.brain.end(row, CANCELLED)


def sold(outside: VenueOrders, out: VenueOrder, price: float, quantity: float, fee: float) -> None:
    brain, s = outside.brain, outside.symbol(out)
    row = brain.row_of(out.order.number)
    queued_for = -1
    if row is not None:
        w = brain.book.working[row]
        w["got"] += quantity
        if w["reason"] == REBALANCE:
            w["left"] -= quantity
        elif w["kind"] == MARKET:
            queued_for = int(w["order"])
    reason = REASONS.index(out.order.reason)
    crumbs = brain.run_report(kernel.sold, s, brain.t, price, quantity, fee, reason, queued_for, out.lot)
    if crumbs != 0.0:
        outside.crumbs[s] = outside.crumbs.get(s, 0.0) + crumbs
    if brain.book.symbols[s]["lots"] == 0:
        drop_orphans(outside, s, out.order.number)


def drop_orphans(outside: VenueOrders, s: int, sold_by: int) -> None:
    """Exit orders of the strategy's have nothing to wait for once the symbol holds nothing."""
    for row in reversed(outside.brain.rows()):
        w = outside.brain.book.working[row]
        if w["symbol"] == s and w["side"] == SELL and w["kind"] != MARKET and outside.brain.numbers[w["order"]] != sold_by:
            outside.brain.end(row, CANCELLED)


def ended(outside: VenueOrders, number: int, status: str) -> Step:
    out = outside.out.get(number)
    if out is None:
        return Step()
    if out.is_stop and not out.given_up and status != "filled":
        outside.bare.append(out.lot)
    row = outside.brain.row_of(number)
    again = row is not None and outside.brain.is_queued(row, SELL) and outside.brain.book.working[row]["reason"] != REBALANCE
    if row is not None and again and status != "filled":
        want_again(outside, row)
    elif row is not None:
        outside.brain.end(row, FILLED if outside.brain.book.working[row]["got"] > 0.0 else ENDS[status])
    over(outside, number, out)
    return outside.settle(offering=status != "rejected", silent=number)


def want_again(outside: VenueOrders, row: int) -> None:
    """A new order in place of an exit that did not sell, at the next price."""
    order = int(outside.brain.book.working[row]["order"])
    outside.brain.numbers[order] = outside.brain.take_number()
    outside.brain.told[order] = False
    outside.failed.append(outside.brain.numbers[order])
