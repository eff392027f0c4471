"""What a venue takes of an order, by the rules of its instrument: how much one order may ask for, and what the venue would have
against it. Pure functions of numbers, so that the simulator, paper and venues apply the same ones.

Prices are in quote, quantities in base; 0 is "none" or "not known", as in `Rules`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from engine.types import Rules

NO_RULES = Rules()
NEAR = 1e-9
"""Share of a limit within which a value counts as keeping it."""
ROOM = 0.05
"""Share by which an order keeps away from limits on its value where the venue counts that at a price which we do not know: a mean
of the last minutes, or the one of a moment later."""


class OrderTerms(NamedTuple):
    """An order as the rules look at it: a market order has no `limit`. `last` is the market's price; `owned` the base that the
    account has; `others` the orders that it has open in the symbol."""

    buys: bool
    quantity: float
    limit: float = 0.0
    last: float = 0.0
    owned: float = 0.0
    others: int = 0

    @property
    def market(self) -> bool:
        return not self.limit

    @property
    def price(self) -> float:
        return self.limit or self.last


class RuleFault(NamedTuple):
    """What a venue would have against an order: one of `engine.risk.REASONS`, and a sentence."""

    reason: str
    detail: str


def quantity_step(rules: Rules, *, market: bool) -> float:
    """The step of quantities; 0 for none."""
    return max(rules.lot, rules.market_lot) if market else rules.lot


def largest_size(rules: Rules, *, market: bool) -> tuple[float, float]:
    """The most quantity, and the most value, that one order may ask for; infinite where there is no rule."""
    quantity = value = math.inf
    if rules.max_quantity:
        quantity = rules.max_quantity
    if market and rules.market_max_quantity:
        quantity = min(quantity, rules.market_max_quantity)
    if rules.max_notional and (rules.max_notional_market or not market):
        value = rules.max_notional * (1.0 - ROOM if market else 1.0)
    return quantity, value


def largest_quantity(rules: Rules, *, market: bool, price: float) -> float:
    """The most that one order may ask for; infinite where there is no rule."""
    quantity, value = largest_size(rules, market=market)
    return min(quantity, value / price) if price > 0.0 else quantity


def least_quantity(rules: Rules, *, market: bool, price: float) -> float:
    """The least that one order may ask for."""
    least = max(rules.min_quantity, rules.market_min_quantity if market else 0.0)
    if rules.min_notional and price > 0.0 and (rules.min_notional_market or not market):
        least = max(least, rules.min_notional / price)
    return least


def is_dust(rules: Rules, quantity: float, price: float) -> bool:
    """Whether there is something, and too little for any order that sells at once."""
    least = max(quantity_step(rules, market=True), least_quantity(rules, market=True, price=price))
    return 0.0 < quantity < least * (1.0 - NEAR)


def first_part(rules: Rules, *, market: bool, price: float, quantity: float) -> float:
    """How much of `quantity` the first order may ask for where one cannot ask for all of it; what it leaves is not too little for
    another order. Not rounded to steps yet."""
    most = largest_quantity(rules, market=market, price=price)
    if quantity <= most:
        return quantity
    least = least_quantity(rules, market=market, price=price) * (1.0 + ROOM)
    return quantity - least if most < quantity < most + least and quantity >= 2.0 * least else most


def find_rule_fault(rules: Rules, terms: OrderTerms) -> RuleFault | None:
    """The first thing that the venue would have against the order, or None."""
    return next(iter_rule_faults(rules, terms), None)


def iter_rule_faults(rules: Rules, terms: OrderTerms) -> Iterator[RuleFault]:
    if terms.market and not rules.takes_market:
        yield RuleFault("no_market_orders", "The venue takes only limit orders in this symbol at present.")
    yield from iter_size_faults(rules, terms)
    yield from iter_price_faults(rules, terms)
    if terms.buys and rules.max_position and terms.owned + terms.quantity > rules.max_position * (1.0 + NEAR):
        detail = f"The account would have {terms.owned + terms.quantity:.8g}; the venue lets it have {rules.max_position:.8g}."
        yield RuleFault("max_position", detail)
    if not terms.market and rules.max_orders and terms.others >= rules.max_orders:
        yield RuleFault("venue_open_orders", f"{terms.others} orders are open there; the venue takes {rules.max_orders}.")


def iter_size_faults(rules: Rules, terms: OrderTerms) -> Iterator[RuleFault]:
    market, quantity = terms.market, terms.quantity
    smallest = max(rules.min_quantity, rules.market_min_quantity if market else 0.0)
    if quantity < smallest * (1.0 - NEAR):
        yield RuleFault("below_lot_size", f"It is {quantity:.8g}; the venue takes {smallest:.8g} or more.")
    worth = quantity * terms.price
    if (rules.min_notional_market or not market) and worth < rules.min_notional * (1.0 - NEAR):
        yield RuleFault("below_min_notional", f"It is worth {worth:.8f}; the venue takes {rules.min_notional:.8g} or more.")
    largest = largest_quantity(rules, market=market, price=terms.price)
    if quantity > largest * (1.0 + NEAR):
        yield RuleFault("above_maximum", f"It is {quantity:.8g}; one order may ask for {largest:.8g}.")


def iter_price_faults(rules: Rules, terms: OrderTerms) -> Iterator[RuleFault]:
    if terms.market:
        return
    up, down = (rules.buy_up, rules.buy_down) if terms.buys else (rules.sell_up, rules.sell_down)
    lowest = max(rules.min_price, down * terms.last)
    highest = min(rules.max_price or math.inf, up * terms.last or math.inf)
    if not lowest * (1.0 - NEAR) <= terms.limit <= highest * (1.0 + NEAR):
        detail = f"Its price is {terms.limit:.8g}; at present the venue takes {lowest:.8g} to {highest:.8g}."
        yield RuleFault("venue_price_range", detail)
