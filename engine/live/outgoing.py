"""Orders as they go out to a venue: what the trader's own become when it is their turn, by the venue's rules as they are then."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from engine.book import ABOVE_MAXIMUM, MARKET, NO_CASH, REBALANCE, REFUSED
from engine.live import kernel
from engine.live.trader_state import TraderState
from engine.live.types import Ended, Intent, Step
from engine.live.venue_order import NEAR, VenueOrder
from engine.order_rules import first_part, largest_quantity, quantity_step
from engine.types import REFUSALS, Rules


def build_purchase(
    trader_state: TraderState, row: int, rules: Rules, sent: Collection[VenueOrder], step: Step
) -> VenueOrder | None:
    """The purchase in `row` as it goes out, beside those `sent` before; None where it has to wait for the end of one that was given
    up, or ends. What one order may not ask for is not bought, and `step` says so."""
    number = trader_state.numbers[trader_state.book.working[row]["order"]]
    if (refused := cap_purchase(trader_state, row, rules, sent)) is not None:
        step.done.append(refused)
    place = trader_state.row_of(number)
    return None if place is None else build_paid(trader_state, place, sent)


def build_paid(trader_state: TraderState, row: int, sent: Collection[VenueOrder]) -> VenueOrder | None:
    """The purchase, where there is cash for it; it ends where there is none."""
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


def shrink_purchase(trader_state: TraderState, row: int, quantity: float, held: float) -> None:
    """The purchase in `row` buys so much and holds so much cash."""
    w = trader_state.book.working[row]
    change = held - float(w["held"])
    w["left"], w["held"] = quantity, held
    trader_state.totals["held"] += change
    trader_state.book.symbols[w["symbol"]]["held"] += change


def cap_purchase(trader_state: TraderState, row: int, rules: Rules, sent: Iterable[VenueOrder]) -> Ended | None:
    """Cuts the purchase in `row` to what one order may ask for, and the account may have. Returns the part that is not bought;
    None where there is none. A purchase of which nothing is left ends."""
    w, symbol = trader_state.book.working[row], trader_state.book.symbols[trader_state.book.working[row]["symbol"]]
    left = float(w["left"])
    if left <= 0.0:
        return None
    market = w["kind"] == MARKET
    price = float(w["held"]) / left / (1.0 + float(trader_state.book.setup[0]["taker"])) if market else float(w["limit"])
    most = largest_quantity(rules, market=market, price=price)
    if rules.max_position:
        name = trader_state.symbols[w["symbol"]]
        coming = sum(one.remaining for one in sent if one.buys and one.order.symbol == name)
        most = min(most, rules.max_position - float(symbol["position"]) - coming)
    if left <= most * (1.0 + NEAR):
        return None
    most = kernel.round_to_step(max(0.0, most), quantity_step(rules, market=market), False)
    if most <= 0.0:
        trader_state.end_order(row, REFUSED, ABOVE_MAXIMUM)
        return None
    shrink_purchase(trader_state, row, most, float(w["held"]) * most / left)
    order = replace(build_order(trader_state, row), number=trader_state.take_number(), quantity=left - most)
    return Ended(order, "refused", REFUSALS[ABOVE_MAXIMUM], trader_state.now())


def cut_sale(order: Intent, wanted: float, rules: Rules, last: float) -> tuple[float, float]:
    """What an order for `wanted` asks for, and what it leaves for the next one. `last`: a price near the market's."""
    market = order.type == "market"
    part = first_part(rules, market=market, price=order.limit or last, quantity=wanted)
    step = quantity_step(rules, market=market)
    return kernel.round_to_step(part, step, False), kernel.round_to_step(wanted - part, step, False)


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
