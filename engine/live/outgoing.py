"""Orders as they go out to a venue: what the trader's own become when it is their turn."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from engine.book import MARKET, NO_CASH, REBALANCE, REFUSED
from engine.live.trader_state import TraderState
from engine.live.types import Intent
from engine.live.venue_order import VenueOrder


def build_purchase(trader_state: TraderState, row: int, sent: Collection[VenueOrder]) -> VenueOrder | None:
    """The purchase in `row` as it goes out, beside those `sent` before; None where it has to wait for the end of one that was given
    up, or ends for want of cash."""
    w = trader_state.book.working[row]
    if any(one.given_up and one.buys for one in sent):
        return None
    if w["left"] <= 0.0:  # what was set off at a price that left nothing to pay
        trader_state.end_order(row, REFUSED, NO_CASH)
        return None
    unit = float(w["held"] / w["left"])
    committed = sum(one.remaining * one.unit for one in sent if one.buys)
    if trader_state.totals["cash"] - committed < w["left"] * unit - trader_state.book.setup[0]["dust"]:
        trader_state.end_order(row, REFUSED, NO_CASH)
        return None
    order = replace(build_order(trader_state, row), quantity=float(w["left"]))
    return VenueOrder(order, unit, rung=int(w["rung"]), take=float(w["take"]))


def build_order(trader_state: TraderState, row: int) -> Intent:
    """A stop order of the strategy's is watched here: what goes out is what it sets off."""
    w = trader_state.book.working[row]
    order = trader_state.intent_of(int(w["order"]))
    if w["kind"] == MARKET:
        return replace(order, type="market", limit=None, stop=None)
    return replace(order, type="limit", stop=None)


def quantity_for_sale(trader_state: TraderState, row: int) -> float:
    """What the sale in `row` may take."""
    w = trader_state.book.working[row]
    lots = trader_state.lots()
    queued_for = w["order"] if w["kind"] == MARKET and w["reason"] != REBALANCE else -1
    total = float(lots["quantity"][(lots["symbol"] == w["symbol"]) & (lots["exit"] == queued_for)].sum())
    return min(total, float(w["left"]))
