"""How every interface writes times and numbers: ISO-8601 UTC with a Z, and decimal text without exponent."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import overload

from core.fields import EXACT
from core.times import from_ms


@overload
def utc_text(moment: datetime) -> str: ...
@overload
def utc_text(moment: None) -> None: ...
@overload
def utc_text(moment: datetime | None) -> str | None: ...
def utc_text(moment: datetime | None) -> str | None:
    """`2022-01-31T05:30:00Z`, with as many digits of the second as there are; None stays None."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def ms_text(milliseconds: int) -> str:
    """`2022-01-31T05:30:00Z`, of milliseconds since 1970."""
    return utc_text(from_ms(milliseconds))


@overload
def decimal_text(value: Decimal) -> str: ...
@overload
def decimal_text(value: None) -> None: ...
@overload
def decimal_text(value: Decimal | None) -> str | None: ...
def decimal_text(value: Decimal | None) -> str | None:
    """To the last digit, without exponent and without trailing zeros; None stays None."""
    return None if value is None else f"{EXACT.normalize(value):f}"


def float_text(value: float) -> str:
    """The shortest decimal text that reads back to the same float64, without exponent: `0.0984`, `46250`."""
    text = repr(float(value))
    return format(Decimal(text), "f") if "e" in text else text.removesuffix(".0")
