"""What a venue takes of an order: each rule finds what it is meant for, and a large order is cut into parts that all keep them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from engine.order_rules import OrderTerms, find_rule_fault, first_part, largest_quantity
from engine.risk import REASONS
from engine.types import Rules

BUY = OrderTerms(True, 2.0, limit=100.0, last=100.0)
SELL = BUY._replace(buys=False)
MARKET = BUY._replace(limit=0.0)


@pytest.mark.parametrize(
    ("rules", "terms", "reason"),
    [
        ({"min_quantity": 2.5}, BUY, "below_lot_size"),
        ({"market_min_quantity": 2.5}, MARKET, "below_lot_size"),
        ({"market_min_quantity": 2.5}, BUY, ""),
        ({"max_quantity": 1.5}, SELL, "above_maximum"),
        ({"market_max_quantity": 1.5}, MARKET, "above_maximum"),
        ({"market_max_quantity": 1.5}, BUY, ""),
        ({"min_notional": 201.0}, MARKET, "below_min_notional"),
        ({"min_notional": 201.0, "min_notional_market": False}, MARKET, ""),
        ({"min_notional": 201.0, "min_notional_market": False}, BUY, "below_min_notional"),
        ({"max_notional": 199.0}, BUY, "above_maximum"),
        ({"max_notional": 199.0}, MARKET, ""),
        ({"max_notional": 199.0, "max_notional_market": True}, MARKET, "above_maximum"),
        ({"max_position": 2.5}, BUY._replace(owned=0.6), "max_position"),
        ({"max_position": 2.5}, SELL._replace(owned=0.6), ""),
        ({"buy_up": 1.2}, BUY._replace(last=80.0), "venue_price_range"),
        ({"sell_up": 1.2}, BUY._replace(last=80.0), ""),
        ({"sell_down": 0.8}, SELL._replace(last=130.0), "venue_price_range"),
        ({"min_price": 101.0}, BUY, "venue_price_range"),
        ({"max_price": 99.0}, BUY, "venue_price_range"),
        ({"max_price": 99.0}, MARKET, ""),
        ({"max_orders": 3}, BUY._replace(others=3), "venue_open_orders"),
        ({"max_orders": 3}, MARKET._replace(others=3), ""),
        ({"takes_market": False}, MARKET, "no_market_orders"),
        ({"takes_market": False}, BUY, ""),
        ({}, BUY, ""),
    ],
)
def test_each_rule_finds_what_it_is_meant_for(rules: dict[str, Any], terms: OrderTerms, reason: str) -> None:
    fault = find_rule_fault(Rules(**rules), terms)
    assert (fault.reason if fault else "") == reason
    assert fault is None or (fault.detail and fault.reason in REASONS)


@given(
    quantity=some.floats(0.001, 1e6),
    most=some.floats(0.01, 1e4),
    least=some.floats(0.0, 0.004),
    market=some.booleans(),
    price=some.floats(0.01, 1e5),
)
def test_the_parts_of_an_order_keep_the_rules(quantity: float, most: float, least: float, market: bool, price: float) -> None:
    """Also its last one: none is too little unless the whole was."""
    rules = Rules(max_quantity=most, min_quantity=least * most)
    parts, left = [], min(quantity, 50.0 * most)
    while left > 0.0:
        part = first_part(rules, market=market, price=price, quantity=left)
        parts.append(part)
        left = left - part if left - part > 1e-9 * part else 0.0
    assert math.isclose(sum(parts), min(quantity, 50.0 * most), rel_tol=1e-6)
    assert all(part <= largest_quantity(rules, market=market, price=price) * (1 + 1e-9) for part in parts)
    assert len(parts) == 1 or min(parts) >= rules.min_quantity
