"""The trader's own steps where a venue executes its orders: the candle's open, entries, and what people ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from engine.book import BUY, REBALANCE, SELL, UNSIZED
from engine.live import kernel
from engine.live.held_orders import HeldOrder
from engine.live.types import Step
from engine.live.venue_orders import VenueOrders


def open_symbols(venue_orders: VenueOrders, symbols: Collection[int]) -> Step:
    """Their queued exits go out, and the sales of targets."""
    trader_state = venue_orders.trader_state
    if trader_state.totals["targets"] > 0:
        trader_state.run(kernel.queue_target_sales, trader_state.t)
        trader_state.number_new_orders()
        for row in trader_state.waiting_rows():
            w = trader_state.book.working[row]
            if w["reason"] == REBALANCE and w["side"] == SELL:
                trader_state.forget_target(int(w["symbol"]))
    venue_orders.make_exits_due(symbols)
    return venue_orders.settle()


def size_entries(venue_orders: VenueOrders, prices: Mapping[int, float]) -> Step:
    """The queued entries of these symbols are sized at these prices and go out; none while an exit or a cancelling is in flight."""
    trader_state = venue_orders.trader_state
    ready = {s: price for s, price in prices.items() if trader_state.opened[s]}
    if not ready or not trader_state.has_queued() or has_market_exit(venue_orders):
        return Step()
    if any(one.given_up and one.buys for one in venue_orders.sent.values()):
        return Step()
    if not trader_state.entries_allowed:
        for s in ready:
            trader_state.forget_target(s)
        return Step()
    trader_state.candles.show_prices(ready)
    trader_state.run(kernel.size_entries, trader_state.t)
    trader_state.number_new_orders()
    for row in trader_state.purchase_rows():
        if trader_state.is_queued(row, BUY) and trader_state.book.working[row]["left"] != UNSIZED:
            venue_orders.make_due(row)
    return venue_orders.settle()


def has_market_exit(venue_orders: VenueOrders) -> bool:
    """Whether a market exit is on its way, or waits to be."""
    if any(not one.buys and one.order.type == "market" for one in venue_orders.sent.values()):
        return True
    rows = (venue_orders.trader_state.row_of(number) for number in venue_orders.due)
    return any(row is not None and venue_orders.trader_state.is_queued(row, SELL) for row in rows)


def list_leaving(venue_orders: VenueOrders) -> set[int]:
    """The numbers of the symbols with a market exit that is at the venue, goes out as soon as what rests there is cancelled, or was
    refused and is tried again. One that waits for the next candle's open is none."""
    trader_state = venue_orders.trader_state
    leaving = {venue_orders.place_of(one) for one in venue_orders.sent.values() if not one.buys and one.order.type == "market"}
    for row in trader_state.waiting_rows():
        if trader_state.is_queued(row, SELL) and venue_orders.number_of(row) in (*venue_orders.due, *venue_orders.held):
            leaving.add(int(trader_state.book.working[row]["symbol"]))
    return leaving


def mark_unwanted(venue_orders: VenueOrders, step: Step, symbols: Iterable[str]) -> None:
    """The strategy wants out of these symbols: entries that were given up for it are not wanted even if they come."""
    for done in step.done:
        if done.number in venue_orders.sent and done.side == "buy" and done.symbol in symbols:
            venue_orders.sent[done.number].unwanted = True


def sell_lots(venue_orders: VenueOrders, reason: int, before: Mapping[int, HeldOrder]) -> Step:
    """Market exits of all that is held. `before`: how those in their place were refused, by the symbol's number; they wait on."""
    trader_state = venue_orders.trader_state
    held = [s for s in range(len(trader_state.symbols)) if trader_state.book.symbols[s]["lots"] > 0]
    for s in held:
        trader_state.run(kernel.queue_exit, s, -1, trader_state.t, reason)
    trader_state.number_new_orders()
    for row in trader_state.waiting_rows():
        s = int(trader_state.book.working[row]["symbol"])
        if s in before and trader_state.is_queued(row, SELL):
            venue_orders.held[venue_orders.number_of(row)] = before[s]
    venue_orders.make_exits_due(held)
    return venue_orders.settle()
