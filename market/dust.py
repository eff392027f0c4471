"""Dust: what is left of an asset and too little for the venue to take an order for it."""

from __future__ import annotations

from engine.order_rules import least_quantity, quantity_step
from market.models import Instrument
from market.size_rules import instrument_rules


def explain_dust(instrument: Instrument) -> str:
    """What the venue takes at least, in a person's words."""
    rules = instrument_rules(instrument)
    smallest = max(quantity_step(rules, market=True), least_quantity(rules, market=True, price=0.0))
    worth = rules.min_notional if rules.min_notional_market else 0.0
    least = " and ".join(
        f"{value:.12g} {asset}" for value, asset in ((smallest, instrument.base), (worth, instrument.quote)) if value
    )
    return f"Dust: {instrument.venue} takes no order below {least}." if least else "Dust when it was left."
