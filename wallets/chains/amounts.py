"""Whole units as amounts, to the last digit: some tokens have more digits than any context of `Decimal` keeps."""

from __future__ import annotations

from decimal import Decimal


def units_amount(units: Decimal | int, decimals: int) -> Decimal:
    """`1500000` units at 6 decimals are 1.5."""
    whole = int(units)
    return Decimal((int(whole < 0), tuple(map(int, str(abs(whole)))), -decimals))


def amount_text(amount: Decimal) -> str:
    """Without exponent and without zeros at the end, rounded nowhere."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
