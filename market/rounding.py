"""Prices and quantities of the engine, which are floats, as a venue takes them: exact, and on the steps of the instrument."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from market.models import Instrument

PLACES = Decimal(1).scaleb(-18)
ALMOST = Decimal("1e-9")
"""Share of a tick, a quantity or a sum that the engine's floats may be off by, as in its own rounding."""


def exact_decimal(value: float) -> Decimal:
    """The decimal that the float is written as."""
    return Decimal(repr(float(value)))


def round_quantity(instrument: Instrument, quantity: float) -> Decimal:
    """The multiple of the lot size that `quantity`, in base, stands for; 18 places where the instrument has no lot size."""
    value, lot = exact_decimal(quantity), instrument.lot_size
    if not lot:
        return Decimal(value.quantize(PLACES))
    # The engine has rounded down already: what is left is the noise of a float, so the nearest multiple is the one that was meant.
    return Decimal((value / lot).to_integral_value(ROUND_HALF_EVEN) * lot)


def round_price(instrument: Instrument, price: float, *, up: bool) -> Decimal:
    """`price`, in quote, on a tick of the instrument: the one above or below, unless it is on a tick but for a float's noise."""
    value, tick = exact_decimal(price), instrument.tick_size
    if not tick:
        return value
    steps = value / tick
    nearest = steps.to_integral_value(ROUND_HALF_EVEN)
    if abs(steps - nearest) > ALMOST:
        nearest = steps.to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
    return Decimal(nearest * tick)
