"""Exits that rest at the venue, at most one a lot: its stop where it has one that the venue takes, else its take-profit.

A stop is in force at the venue or here, never at both and never at neither: here until the venue has said that it has the order,
and again as soon as that is given up, is over, or stands too low. `watch.in_force` is the other half."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.book import LIMIT, MARKET, REBALANCE, SELL
from engine.live import kernel
from engine.live.types import Intent, Step
from engine.live.venue_order import NEAR, VenueOrder
from engine.types import REASONS

if TYPE_CHECKING:
    from engine.live.venue_orders import VenueOrders

THROUGH = 0.01
"""Share of its level that a stop at the venue may sell below it. Where the price falls through even that, it is sold from here."""
LAG = 0.001
"""Share of its level by which a stop at the venue may trail behind: it is replaced when it is further behind, not at each tick of
the market. Until then the level is watched here."""


def tend_offers(outside: VenueOrders, step: Step, offering: bool) -> None:
    """Each lot that has an exit to rest has just one, of its quantity and at its level."""
    lots = {int(lot["id"]): row for row, lot in enumerate(outside.brain.lots())}
    resting = {out.lot: out for out in (*outside.out.values(), *outside.offers.values()) if out.lot >= 0 and not out.given_up}
    outside.reached = [lot for lot in outside.reached if lot in lots]
    outside.bare = [lot for lot in outside.bare if lot in lots]
    levels = outside.brain.levels()
    offers = {lot: found for lot, row in lots.items() if (found := offer_of(outside, row, levels[row])) is not None}
    for lot, out in resting.items():
        if not is_right(outside, out, offers.get(lot)):
            if out.order.number in outside.offers:
                del outside.offers[out.order.number]
                outside.due.remove(out.order.number)
            else:
                outside.give_up(out, step)
    for lot, offer in offers.items():
        if offering and not is_right(outside, resting.get(lot), offer):
            number = outside.brain.take_number()
            outside.offers[number] = replace(offer, order=replace(offer.order, number=number))
            outside.due.append(number)


def offer_of(outside: VenueOrders, row: int, levels: Any) -> VenueOrder | None:
    """The order that the lot should have at the venue. `levels`: its stop, the reason of that, its take-profit."""
    brain = outside.brain
    lot, (stop, reason, take) = brain.book.lots[row], levels
    s, symbol = int(lot["symbol"]), brain.book.symbols[int(lot["symbol"])]
    takes = np.isfinite(take) and rests_take(outside, int(lot["id"]))
    stops = stop > 0.0 and rests_stop(outside, s, int(lot["id"]))
    if not (takes or stops) or lot["exit"] >= 0 or is_busy(outside, s, int(lot["order"])):
        return None
    quantity, tick, trigger = kernel.rounded(float(lot["quantity"]), float(symbol["lot"]), False), float(symbol["tick"]), None
    if takes:
        kind, why, limit = "limit", "take_profit", kernel.rounded(float(take), tick, True)
    else:
        kind, why, (limit, trigger) = "stop_limit", REASONS[int(reason)], stop_prices(float(stop), tick)
    if quantity <= 0.0 or limit <= 0.0 or quantity * limit < symbol["min_notional"]:
        return None
    order = Intent(-1, brain.symbols[s], "sell", kind, why, quantity, limit, trigger, brain.now())
    return VenueOrder(order, 0.0, lot=int(lot["id"]))


def rests_take(outside: VenueOrders, lot: int) -> bool:
    return (not outside.stops and not outside.halted) or lot in outside.reached


def rests_stop(outside: VenueOrders, s: int, lot: int) -> bool:
    return outside.brain.symbols[s] in outside.venue_stops and not outside.halted and lot not in outside.bare


def stop_prices(level: float, tick: float) -> tuple[float, float]:
    """The limit and the stop of the order that sells at `level`."""
    stop = kernel.rounded(level, tick, False)
    return kernel.rounded(stop * (1.0 - THROUGH), tick, False), stop


def is_right(outside: VenueOrders, out: VenueOrder | None, offer: VenueOrder | None) -> bool:
    """Whether what rests is what should. It may take crumbs along."""
    if out is None or offer is None:
        return out is offer
    most = offer.left + outside.crumbs.get(outside.symbol(offer), 0.0)
    if not offer.left * (1.0 - NEAR) <= out.left <= most * (1.0 + NEAR):
        return False
    if out.order.stop is None or offer.order.stop is None:
        return out.order.stop is offer.order.stop and out.order.limit == offer.order.limit
    return offer.order.stop * (1.0 - LAG) <= out.order.stop <= offer.order.stop


def is_busy(outside: VenueOrders, s: int, bought_by: int) -> bool:
    """Whether the lot is still being bought, or an order that knows no lots sells the symbol."""
    for row in outside.brain.rows():
        w = outside.brain.book.working[row]
        of_any_lot = w["kind"] == LIMIT or (w["kind"] == MARKET and w["reason"] == REBALANCE)
        if w["order"] == bought_by or (w["symbol"] == s and w["side"] == SELL and of_any_lot):
            return True
    return False
