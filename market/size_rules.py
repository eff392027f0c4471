"""The rules of an instrument that orders must keep: from a venue's listing into its row, and from there to the engine."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from core.text import decimal_text
from engine.order_rules import NO_RULES
from engine.types import Rules
from market.exchanges.base import InstrumentRules
from market.models import Instrument

COLUMNS = ("tick", "lot", "min_notional")
"""Rules that have columns of their own."""
USUAL = NO_RULES
LIMITS = tuple(one.name for one in fields(Rules) if one.name not in COLUMNS)


def limits_json(listed: InstrumentRules) -> dict[str, Any]:
    """Those of the other rules that the venue has, for `Instrument.limits`; amounts as text."""
    given = {name: getattr(listed, name) for name in LIMITS}
    return {name: write_limit(name, value) for name, value in given.items() if value not in (None, getattr(USUAL, name))}


def write_limit(name: str, value: Any) -> Any:
    return value if isinstance(getattr(USUAL, name), int) else decimal_text(value)


def read_limit(name: str, value: Any) -> Any:
    """As `Rules` has it, whose own value says of which kind it is."""
    return type(getattr(USUAL, name))(value)


def instrument_rules(instrument: Instrument) -> Rules:
    """All rules of the instrument."""
    tick, lot, least = (float(value or 0) for value in (instrument.tick_size, instrument.lot_size, instrument.min_notional))
    limits = {name: read_limit(name, value) for name, value in instrument.limits.items() if name in LIMITS}
    return Rules(tick, lot, least, **limits)
