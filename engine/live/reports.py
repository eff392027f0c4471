"""What a venue's reports do to the book. A report is a fact: it counts even where the trader would not have wanted it."""

from __future__ import annotations

from dataclasses import replace

from core.errors import NotFound
from engine.book import CANCELLED, EXIT_SIGNAL, EXPIRED, FILLED, MARKET, REBALANCE, REFUSED, SELL, SINGLE
from engine.live import kernel
from engine.live.held_orders import OUTSIDE
from engine.live.refusals import end_resting, forget_refusals, hold_entry, hold_exit, renumber_order, stays_wanted, sweep_dust
from engine.live.types import Refusal, Step
from engine.live.venue_order import NEAR, VenueOrder
from engine.live.venue_orders import VenueOrders
from engine.types import REASONS

ENDS = {"filled": FILLED, "cancelled": CANCELLED, "expired": EXPIRED, "rejected": REFUSED}
PAST_KEPT = 64


def apply_fill(venue_orders: VenueOrders, number: int, price: float, quantity: float, fee: float, fee_base: float) -> Step:
    venue_order = venue_orders.sent.get(number) or venue_orders.past.get(number)
    if venue_order is None:
        raise NotFound(f"This run has no order {number}.")
    if venue_order.buys:
        book_purchase(venue_orders, venue_order, price, quantity, fee, fee_base)
    else:
        book_sale(venue_orders, venue_order, price, quantity, fee, fee_base)
    venue_order.got += quantity
    if venue_order.remaining <= venue_order.order.quantity * NEAR:
        finish_order(venue_orders, number, venue_order)
        sweep_dust(venue_orders, venue_orders.place_of(venue_order))
    forget_refusals(venue_orders, number, venue_order)
    return venue_orders.settle()


def apply_acceptance(venue_orders: VenueOrders, number: int) -> None:
    venue_order = venue_orders.sent.get(number)
    if venue_order is not None:
        venue_order.stands = True
        forget_refusals(venue_orders, number, venue_order)


def finish_order(venue_orders: VenueOrders, number: int, venue_order: VenueOrder) -> None:
    """The order is over at the venue. One that was not filled whole is kept for a while: a fill of it may be reported late. A sale
    that had to leave a rest is wanted again for that."""
    row = venue_orders.trader_state.row_of(number)
    if row is not None and venue_order.rest > 0.0:
        venue_orders.due.append(renumber_order(venue_orders.trader_state, row))
    elif row is not None:
        venue_orders.trader_state.end_order(row, FILLED)
    if venue_orders.sent.pop(number, None) is not None and venue_order.remaining > venue_order.order.quantity * NEAR:
        venue_orders.past[number] = venue_order
        for oldest in list(venue_orders.past)[:-PAST_KEPT]:
            del venue_orders.past[oldest]


def book_purchase(
    venue_orders: VenueOrders, venue_order: VenueOrder, price: float, quantity: float, fee: float, fee_base: float
) -> None:
    trader_state, s = venue_orders.trader_state, venue_orders.place_of(venue_order)
    row = trader_state.row_of(venue_order.order.number)
    received = quantity - fee_base + venue_orders.crumbs.pop(s, 0.0)
    report = kernel.PurchaseReport(
        symbol=s,
        row=-1 if row is None else row,
        price=price,
        quantity=quantity,
        received=received,
        fee=fee,
        fee_base=fee_base,
        inside=venue_order.order.type == "limit",
        reason=REASONS.index(venue_order.order.reason),
        rung=venue_order.rung,
        take=venue_order.take,
    )
    trader_state.run_report(kernel.apply_purchase, report, trader_state.t)
    if row is None:
        make_place(venue_orders, s, venue_order.rung)
    if venue_order.unwanted:
        trader_state.run(kernel.queue_exit, s, -1, trader_state.t, EXIT_SIGNAL)
        trader_state.number_new_orders()
        venue_orders.make_exits_due([s])


def make_place(venue_orders: VenueOrders, s: int, rung: int) -> None:
    """A late fill counts; what was to buy in its stead is cancelled."""
    trader_state = venue_orders.trader_state
    for row in reversed(trader_state.purchase_rows()):
        w = trader_state.book.working[row]
        alone = trader_state.book.setup[0]["mode"] == SINGLE and w["rung"] < 0
        if w["symbol"] == s and ((alone and rung < 0) or (rung >= 0 and w["rung"] == rung)):
            trader_state.end_order(row, CANCELLED)


def book_sale(
    venue_orders: VenueOrders, venue_order: VenueOrder, price: float, quantity: float, fee: float, fee_base: float
) -> None:
    trader_state, s = venue_orders.trader_state, venue_orders.place_of(venue_order)
    row = trader_state.row_of(venue_order.order.number)
    queued_for = -1
    if row is not None:
        w = trader_state.book.working[row]
        w["got"] += quantity
        if w["reason"] == REBALANCE:
            w["left"] -= quantity
        elif w["kind"] == MARKET:
            queued_for = int(w["order"])
    reason = REASONS.index(venue_order.order.reason)
    report = kernel.SaleReport(s, price, quantity, fee, reason, exit_order=queued_for, lot_id=venue_order.lot)
    crumbs = trader_state.run_report(kernel.apply_sale, report, trader_state.t) - fee_base
    if crumbs != 0.0:
        venue_orders.crumbs[s] = venue_orders.crumbs.get(s, 0.0) + crumbs
    if trader_state.book.symbols[s]["lots"] == 0:
        drop_orphans(venue_orders, s, venue_order.order.number)


def drop_orphans(venue_orders: VenueOrders, s: int, sold_by: int) -> None:
    """Exit orders of the strategy's have nothing to wait for once the symbol holds nothing."""
    trader_state = venue_orders.trader_state
    for row in reversed(trader_state.waiting_rows()):
        w = trader_state.book.working[row]
        if w["symbol"] == s and w["side"] == SELL and w["kind"] != MARKET and trader_state.numbers[w["order"]] != sold_by:
            trader_state.end_order(row, CANCELLED)


def apply_end(venue_orders: VenueOrders, number: int, status: str, refusal: Refusal) -> Step:
    venue_order = venue_orders.sent.get(number)
    if venue_order is None:
        return Step()
    trader_state = venue_orders.trader_state
    row = trader_state.row_of(number)
    if venue_order.stands:
        refusal = replace(refusal, kind=OUTSIDE)
    if venue_order.buys and status == "rejected":
        hold_entry(venue_orders, venue_order, refusal)
    if row is not None and stays_wanted(trader_state, row, status):
        hold_exit(venue_orders, row, refusal, venue_order)
    elif row is not None:
        trader_state.end_order(row, FILLED if trader_state.book.working[row]["got"] > 0.0 else ENDS[status])
    elif venue_order.lot >= 0 and not venue_order.given_up and status != "filled":
        end_resting(venue_orders, venue_order, refusal)
    finish_order(venue_orders, number, venue_order)
    sweep_dust(venue_orders, venue_orders.place_of(venue_order))
    return venue_orders.settle(placing=status != "rejected", silent=number)
