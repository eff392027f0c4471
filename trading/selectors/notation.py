"""How rows are written for people and programs: money as decimal text, times as ISO-8601 UTC."""

from __future__ import annotations

from decimal import Decimal


def ratio_of(part: Decimal, whole: Decimal) -> float | None:
    """None where there is nothing to compare with."""
    return float(part / whole) if whole else None
