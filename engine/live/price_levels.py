"""Prices that are watched here: stops that the venue does not watch, take-profits, the strategy's stop orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.book import BUY, LIMIT, MARKET, SELL, STOP, STOP_LIMIT
from engine.live import kernel
from engine.live.outgoing import shrink_purchase
from engine.live.resting_exits import stop_prices
from engine.live.types import PriceLevel, Step
from engine.live.venue_orders import VenueOrders
from engine.types import REASONS

NONE = float("nan")
"""One object, so that equal levels are equal."""


def list_price_levels(venue_orders: VenueOrders) -> list[PriceLevel]:
    """Those of lots, then those of orders that wait."""
    return [*list_lot_levels(venue_orders), *list_order_levels(venue_orders)]


def list_lot_levels(venue_orders: VenueOrders) -> list[PriceLevel]:
    """A stop, a take-profit or both for each lot that is not being sold."""
    trader_state, exits = venue_orders.trader_state, venue_orders.exits
    found = []
    resting = {one.lot for one in exits.list_waiting(venue_orders.sent) if not one.is_stop}
    stops = list_standing_stops(venue_orders)
    for lot, (stop, reason, take) in zip(trader_state.lots(), trader_state.levels(), strict=True):
        number = int(lot["id"])
        watches_take = exits.watches_take(take, number, resting)
        if lot["exit"] >= 0 or not (stop > 0.0 or watches_take):
            continue
        level = level_in_force(venue_orders, lot, float(stop), stops) if stop > 0.0 else NONE
        symbol, target = trader_state.symbols[lot["symbol"]], float(take) if watches_take else NONE
        found.append(PriceLevel(symbol, number, level, REASONS[int(reason)], target))
    return found


def list_order_levels(venue_orders: VenueOrders) -> list[PriceLevel]:
    """The strategy's stop orders, and exits that ended unsold: they go out again at any price."""
    trader_state = venue_orders.trader_state
    found = []
    for row in trader_state.waiting_rows():
        w = trader_state.book.working[row]
        symbol, reason = trader_state.symbols[w["symbol"]], REASONS[w["reason"]]
        if w["kind"] in (STOP, STOP_LIMIT):
            stop = float(w["stop"])
            found.append(PriceLevel(symbol, -1, stop if w["side"] == SELL else NONE, reason, stop if w["side"] == BUY else NONE))
        elif waits_for_price(venue_orders, row):
            found.append(PriceLevel(symbol, -1, float("inf"), reason, NONE))
    return found


def waits_for_price(venue_orders: VenueOrders, row: int) -> bool:
    """Whether any price sets off the order in `row`."""
    held = venue_orders.held.get(venue_orders.number_of(row))
    order = venue_orders.trader_state.book.working[row]["order"]
    return held is not None and not held.until and not venue_orders.trader_state.announced[order]


def list_standing_stops(venue_orders: VenueOrders) -> dict[int, float]:
    """The stop that each lot has at the venue, where that has said that it has it."""
    there = [one for one in venue_orders.sent.values() if one.stands and not one.given_up]
    return {one.lot: one.order.stop for one in there if one.order.stop is not None}


def level_in_force(venue_orders: VenueOrders, lot: Any, stop: float, stops: Mapping[int, float]) -> float:
    """The price at which the lot is sold from here: its stop; where the venue has that, the price below which it would not sell.
    `stops`: those that stand."""
    there = stops.get(int(lot["id"]))
    if there is None:
        return stop
    limit, level = stop_prices(stop, float(venue_orders.trader_state.book.symbols[lot["symbol"]]["tick"]))
    return limit if there == level else stop


def apply_price(venue_orders: VenueOrders, s: int, price: float) -> Step:
    """Do what the levels of the symbol that `price` has reached ask for."""
    trader_state, stops = venue_orders.trader_state, list_standing_stops(venue_orders)
    for row, (stop, reason, take) in enumerate(trader_state.levels()):
        lot = trader_state.book.lots[row]
        if lot["symbol"] != s or lot["exit"] >= 0:
            continue
        if stop > 0.0 and price <= level_in_force(venue_orders, lot, float(stop), stops):
            trader_state.run(kernel.queue_exit, s, row, trader_state.t, int(reason))
        elif price >= take:
            venue_orders.exits.reach_take(int(lot["id"]), venue_orders.clock)
    for row in trader_state.waiting_rows():
        trigger_stop(venue_orders, row, s, price)
    trader_state.number_new_orders()
    venue_orders.make_exits_due([s])
    return venue_orders.settle()


def trigger_stop(venue_orders: VenueOrders, row: int, s: int, price: float) -> None:
    """Turn a watched stop order into its market or limit order, where the price has reached it."""
    trader_state = venue_orders.trader_state
    w = trader_state.book.working[row]
    if w["symbol"] != s or w["kind"] not in (STOP, STOP_LIMIT):
        return
    if (price < w["stop"]) if w["side"] == BUY else (price > w["stop"]):
        return
    if w["kind"] == STOP_LIMIT:
        w["kind"], w["triggered_at"] = LIMIT, trader_state.t
        return
    w["kind"] = MARKET
    trader_state.totals["resting"] -= 1
    if w["side"] == SELL:
        lots = trader_state.lots()
        lots["exit"][(lots["symbol"] == s) & (lots["exit"] < 0)] = w["order"]
    else:
        cut_to_affordable(venue_orders, row, price)
        venue_orders.make_due(row)


def cut_to_affordable(venue_orders: VenueOrders, row: int, price: float) -> None:
    """A purchase that is triggered at a price above the one it was sized at is cut to what can be paid."""
    trader_state, totals = venue_orders.trader_state, venue_orders.trader_state.totals
    w, setup = trader_state.book.working[row], trader_state.book.setup[0]
    unit = price * (1.0 + setup["reserve"]) * (1.0 + setup["taker"])
    able = max(0.0, float(w["held"] + totals["cash"] - totals["held"]) - venue_orders.cash_apart())
    symbol = trader_state.book.symbols[w["symbol"]]
    left = min(float(w["left"]), kernel.round_to_step(able / unit, float(symbol["lot"]), False))
    shrink_purchase(trader_state, row, left, left * unit)
