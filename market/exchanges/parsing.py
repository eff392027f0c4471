"""From a venue's JSON to exact values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from core.times import from_ms

Json = Mapping[str, Any]

LATEST = 32_503_680_000_000
"""The year 3000 in milliseconds. A later time is not a time in milliseconds."""
SECONDS = range(1_000_000_000, 100_000_000_000)
"""Times in seconds from 2001 on. As milliseconds they would lie in the first years after 1970, when there was no venue."""
LARGEST = Decimal(10) ** 20
"""What the database keeps of a number before the point."""
EXACT_DIGITS = 15
"""A decimal number of so many digits survives being a float; one of more may have been rounded."""
LONGEST = 128
DATE = re.compile(r"\d{4}-\d\d-\d\d[T ]")


class Malformed(ValueError):
    """A frame or an answer lacks what its kind must have."""


def parse_number(value: object) -> Decimal:
    """Exactly what the venue wrote, as text or as a number of JSON. A float of more digits than it keeps is refused, because it was
    rounded before it came here."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise Malformed(f"{value!r:.100} is not a number")
    try:
        result = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        raise Malformed(f"{value!r:.100} is not a number") from None
    if not result.is_finite() or abs(result) >= LARGEST:
        raise Malformed(f"{value!r:.100} is not finite, or too large for an amount")
    if isinstance(value, float) and len(result.as_tuple().digits) > EXACT_DIGITS:
        raise Malformed(f"{value!r} is a float of more digits than it keeps")
    return result


def parse_positive(value: object) -> Decimal:
    """A price, or a quantity that was traded."""
    result = parse_number(value)
    if result <= 0:
        raise Malformed(f"{value!r} is not above zero")
    return result


def parse_prices(*values: object) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """A candle's open, high, low and close."""
    first, high, low, last = (parse_positive(value) for value in values)
    if not low <= min(first, last) <= max(first, last) <= high:
        raise Malformed(f"a candle from {first} to {last} cannot lie between {low} and {high}")
    return first, high, low, last


def parse_optional(value: object) -> Decimal | None:
    """A price or a rule. None if the venue writes zero or nothing for "no such rule"."""
    result = None if value in (None, "") else parse_number(value) or None
    if result is not None and result < 0:
        raise Malformed(f"{value!r} is below zero")
    return result


def parse_amount(value: object) -> Decimal:
    """A quantity, of which there may be none."""
    result = parse_number(value)
    if result < 0:
        raise Malformed(f"{value!r} is below zero")
    return result


def parse_text(value: object, longest: int = LONGEST) -> str:
    """A name or an id. Some venues write their ids as numbers."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text or len(text) > longest or not text.isprintable():
        raise Malformed(f"{value!r:.100} is no name")
    return text


def parse_optional_text(value: object, longest: int = LONGEST) -> str:
    """The same of what may be absent: then it is empty."""
    return "" if value in (None, "") else parse_text(value, longest)


def parse_flag(value: object) -> bool:
    """Yes or no, also as text. What is absent is a no; anything else is not guessed at."""
    known = {None: False, "": False, "false": False, "true": True}
    if isinstance(value, bool):
        return value
    if not isinstance(value, str | None) or (result := known.get(value and value.lower())) is None:
        raise Malformed(f"{value!r:.100} is neither yes nor no")
    return result


def from_milliseconds(value: object) -> datetime:
    """Milliseconds since 1970. Seconds, microseconds and nanoseconds are told from them by their size, and a time in words by its
    dashes."""
    if isinstance(value, str) and DATE.match(value):
        return from_iso(value)
    count = int(value) if isinstance(value, str) and value.isdecimal() and len(value) < LONGEST else value
    if not isinstance(count, int) or isinstance(count, bool):
        raise Malformed(f"{value!r:.100} is not a time in milliseconds")
    count = count * 1000 if count in SECONDS else count
    for _ in range(2):
        count = count if count < LATEST else count // 1000
    if not 0 <= count < LATEST:
        raise Malformed(f"{value!r:.100} is not a time in milliseconds")
    return from_ms(count)


def from_iso(value: object) -> datetime:
    """A time such as `2026-04-07T14:30:02.789012Z`. Digits beyond microseconds are cut off. A number counts from 1970."""
    if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()):
        return from_milliseconds(value)
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise Malformed(f"{value!r} is not a time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
