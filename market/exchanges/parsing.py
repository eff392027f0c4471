"""From a venue's JSON to exact values, and what to do with frames that cannot be read."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, ParamSpec, TypeVar

from core.times import from_ms

logger = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")
Json = Mapping[str, Any]

LATEST = 32_503_680_000_000
"""The year 3000 in milliseconds. A later time is not a time."""


class Malformed(ValueError):
    """A frame or an answer lacks what its kind must have."""


def parse_number(value: object) -> Decimal:
    """Exactly what the text says. A float is refused, because it was rounded before it came here."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise Malformed(f"{value!r} is not a number in text")
    try:
        result = Decimal(value)
    except InvalidOperation:
        raise Malformed(f"{value!r} is not a number") from None
    if not result.is_finite():
        raise Malformed(f"{value!r} is not finite")
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
    """None if the venue writes zero or nothing for "no such rule"."""
    return None if value in (None, "") else parse_number(value) or None


def from_milliseconds(value: object) -> datetime:
    if not isinstance(value, int) or not 0 <= value < LATEST:
        raise Malformed(f"{value!r} is not a time in milliseconds")
    return from_ms(value)


def from_iso(value: object) -> datetime:
    """A time such as `2026-04-07T14:30:02.789012Z`. Digits beyond microseconds are cut off."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise Malformed(f"{value!r} is not a time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Reader:
    """Applies a parser and goes on if it fails. `skipped` counts failures by kind, and the first of each kind is logged."""

    def __init__(self, venue: str) -> None:
        self.venue = venue
        self.skipped: Counter[str] = Counter()

    def parse_with(self, kind: str, parse: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return parse(*args, **kwargs)
        except (Malformed, KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
            self.skip(kind, f"{type(error).__name__}: {error}")
            return None

    def skip(self, kind: str, why: str) -> None:
        self.skipped[kind] += 1
        if self.skipped[kind] == 1:
            logger.warning(
                "%s: a frame of kind %.40r was skipped, more of them will be counted only: %.200s", self.venue, kind, why
            )
