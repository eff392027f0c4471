"""Prices that are watched here: stops that the venue does not watch, take-profits, the strategy's stop orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.book import BUY, LIMIT, MARKET, SELL, STOP, STOP_LIMIT
from engine.live import kernel
from engine.live.resting_exits import stop_prices
from engine.live.types import PriceLevel, Step
from engine.types import REASONS

if TYPE_CHECKING:
    from engine.live.venue_orders import VenueOrders


NONE = float("nan")
"""One object, so that equal levels are equal."""


def watched(outside: VenueOrders) -> list[PriceLevel]:
    brain, nan = outside.brain, NONE
    found = []
    waiting = (*outside.out.values(), *outside.offers.values())
    resting = {out.lot for out in waiting if not out.given_up and not out.is_stop}
    stops = standing(outside)
    for lot, (stop, reason, take) in zip(brain.lots(), brain.levels(), strict=True):
        symbol = brain.symbols[lot["symbol"]]
        if lot["exit"] >= 0:
            continue
        watches_take = (outside.stops or outside.halted) and np.isfinite(take) and int(lot["id"]) not in resting
        if stop > 0.0 or watches_take:
            level = in_force(outside, lot, float(stop), stops) if stop > 0.0 else nan
            found.append(PriceLevel(symbol, int(lot["id"]), level, REASONS[int(reason)], float(take) if watches_take else nan))
    for row in brain.rows():
        w = brain.book.working[row]
        symbol, reason = brain.symbols[w["symbol"]], REASONS[w["reason"]]
        if w["kind"] in (STOP, STOP_LIMIT):
            stop = float(w["stop"])
            found.append(PriceLevel(symbol, -1, stop if w["side"] == SELL else nan, reason, stop if w["side"] == BUY else nan))
        elif brain.numbers[w["order"]] in outside.failed:
            found.append(PriceLevel(symbol, -1, float("inf"), reason, nan))
    return found


def standing(outside: VenueOrders) -> dict[int, float]:
    """The stop that each lot has at the venue, where that has said that it has it."""
    return {
        out.lot: out.order.stop for out in outside.out.values() if out.order.stop is not None and out.stands and not out.given_up
    }


def in_force(outside: VenueOrders, lot: Any, stop: float, stops: Mapping[int, float]) -> float:
    """The price at which the lot is sold from here: its stop; where the venue has that, the price below which it would not sell.
    `stops`: those that stand."""
    there = stops.get(int(lot["id"]))
    if there is None:
        return stop
    limit, level = stop_prices(stop, float(outside.brain.book.symbols[lot["symbol"]]["tick"]))
    return limit if there == level else stop


def touched(outside: VenueOrders, s: int, price: float) -> Step:
    brain, stops = outside.brain, standing(outside)
    for row, (stop, reason, take) in enumerate(brain.levels()):
        lot = brain.book.lots[row]
        if lot["symbol"] != s or lot["exit"] >= 0:
            continue
        if stop > 0.0 and price <= in_force(outside, lot, float(stop), stops):
            brain.run(kernel.exiting, s, row, brain.t, int(reason))
        elif price >= take and int(lot["id"]) not in outside.reached:
            outside.reached.append(int(lot["id"]))
    for row in brain.rows():
        set_off(outside, row, s, price)
    brain.number_new_orders(brain.now())
    outside.exits_due([s])
    return outside.settle()


def set_off(outside: VenueOrders, row: int, s: int, price: float) -> None:
    """A watched stop order, where the price has reached it."""
    brain, w = outside.brain, outside.brain.book.working[row]
    if w["symbol"] != s or w["kind"] not in (STOP, STOP_LIMIT):
        return
    if (price < w["stop"]) if w["side"] == BUY else (price > w["stop"]):
        return
    if w["kind"] == STOP_LIMIT:
        w["kind"], w["triggered_at"] = LIMIT, brain.t
        return
    w["kind"] = MARKET
    brain.state["resting"] -= 1
    if w["side"] == SELL:
        lots = brain.lots()
        lots["exit"][(lots["symbol"] == s) & (lots["exit"] < 0)] = w["order"]
    else:
        afford(outside, row, price)
        outside.make_due(row)


def afford(outside: VenueOrders, row: int, price: float) -> None:
    """A purchase set off at a price above the one it was sized at is cut to what can be paid."""
    brain, w, setup = outside.brain, outside.brain.book.working[row], outside.brain.book.setup[0]
    unit = price * (1.0 + setup["reserve"]) * (1.0 + setup["taker"])
    able = max(0.0, float(w["held"] + brain.state["cash"] - brain.state["held"]) - outside.apart())
    lot = float(brain.book.symbols[w["symbol"]]["lot"])
    w["left"] = min(float(w["left"]), kernel.rounded(able / unit, lot, False))
    brain.hold(row, float(w["left"]) * unit)
