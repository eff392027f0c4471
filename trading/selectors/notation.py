"""How rows are written for people and programs: money as decimal text, times as ISO-8601 UTC."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal


def plain(value: Decimal | None) -> str | None:
    """Decimal text without exponent or idle zeros; None stays None."""
    if value is None:
        return None
    return f"{value.normalize():f}" if value else "0"


def stamp(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def ratio(part: Decimal, whole: Decimal) -> float | None:
    """None where there is nothing to compare with."""
    return float(part / whole) if whole else None
