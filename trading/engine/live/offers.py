"""Take-profit orders that rest at the venue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from trading.engine.book import LIMIT, MARKET, SELL
from trading.engine.live import kernel
from trading.engine.live.out import NEAR, Out
from trading.engine.live.values import Step, Wanted

if TYPE_CHECKING:
    from trading.engine.live.outside import Outside


def tend_offers(outside: Outside, step: Step, offering: bool) -> None:
    """Each lot that has a take-profit order to rest has just one, of its quantity and at its level."""
    lots = {int(lot["id"]): row for row, lot in enumerate(outside.brain.lots())}
    resting = {out.lot: out for out in (*outside.out.values(), *outside.offers.values()) if out.lot >= 0 and not out.given_up}
    outside.reached = [lot for lot in outside.reached if lot in lots]
    levels = outside.brain.levels()[:, 2]
    offers = {lot: found for lot, row in lots.items() if (found := offer_of(outside, row, float(levels[row]))) is not None}
    for lot, out in resting.items():
        if not is_right(out, offers.get(lot)):
            if out.order.number in outside.offers:
                del outside.offers[out.order.number]
                outside.due.remove(out.order.number)
            else:
                outside.give_up(out, step)
    for lot, offer in offers.items():
        if offering and not is_right(resting.get(lot), offer):
            number = outside.brain.take_number()
            outside.offers[number] = replace(offer, order=replace(offer.order, number=number))
            outside.due.append(number)


def offer_of(outside: Outside, row: int, level: float) -> Out | None:
    """The order that the lot should have at the venue."""
    brain = outside.brain
    lot = brain.book.lots[row]
    s, symbol = int(lot["symbol"]), brain.book.symbols[int(lot["symbol"])]
    rests = (not outside.stops and not outside.halted) or int(lot["id"]) in outside.reached
    quantity = kernel.rounded(float(lot["quantity"]), float(symbol["lot"]), False)
    if not rests or not np.isfinite(level) or lot["exit"] >= 0 or quantity <= 0.0 or is_busy(outside, s, int(lot["order"])):
        return None
    limit = kernel.rounded(level, float(symbol["tick"]), True)
    order = Wanted(-1, brain.symbols[s], "sell", "limit", "take_profit", quantity, limit, None, brain.now())
    return Out(order, 0.0, lot=int(lot["id"]))


def is_right(out: Out | None, offer: Out | None) -> bool:
    """Whether what rests is what should."""
    if out is None or offer is None:
        return out is offer
    return out.order.limit == offer.order.limit and abs(out.left - offer.left) <= NEAR * offer.left


def is_busy(outside: Outside, s: int, bought_by: int) -> bool:
    """Whether the lot is still being bought, or the symbol sold by another order."""
    for row in outside.brain.rows():
        w = outside.brain.book.working[row]
        if w["order"] == bought_by or (w["symbol"] == s and w["side"] == SELL and w["kind"] in (MARKET, LIMIT)):
            return True
    return False
