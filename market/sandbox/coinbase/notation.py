"""Numbers, times and ids as Coinbase writes them."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

NUMBER = re.compile(r"\d{1,20}(\.\d{1,20})?")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SPACE = uuid.UUID("5bd0c0e3-8f0c-5c55-9d5a-0c1f7a1d5a11")
"""The namespace of the sandbox's ids."""
ORDER_IDS = SPACE.int >> 64 << 64


def decimal_text(number: Decimal) -> str:
    """In decimal notation, without zeros at the end of its fraction."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def parse_number(text: object) -> Decimal:
    """A number from decimal notation without sign or exponent. `ValueError`."""
    if not isinstance(text, str) or not NUMBER.fullmatch(text):
        raise ValueError("not a decimal number as text")
    return Decimal(text)


def time_text(time_ms: int) -> str:
    """RFC 3339 with microseconds, UTC."""
    seconds, milliseconds = divmod(time_ms, 1000)
    return f"{_second_text(seconds)}.{milliseconds:03}000Z"


def second_text(time_ms: int) -> str:
    """RFC 3339 in whole seconds, UTC, as the app's API has it."""
    return f"{_second_text(time_ms // 1000)}Z"


@lru_cache(16)
def _second_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def parse_time(text: str) -> int:
    """An RFC 3339 time with an offset, in ms. `ValueError`."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a time needs an offset, such as Z")
    return (time - EPOCH) // timedelta(milliseconds=1)


def order_uuid(order_id: int) -> str:
    """The UUID by which Coinbase names an order. It carries the number, so that no table is needed."""
    return str(uuid.UUID(int=ORDER_IDS | order_id))


def order_number(order_uuid: str) -> int | None:
    """The number of an order from its UUID; None for a text that names no order."""
    try:
        value = uuid.UUID(order_uuid).int
    except ValueError:
        return None
    return value ^ ORDER_IDS if value >> 64 << 64 == ORDER_IDS else None


def named_uuid(*names: str) -> str:
    """A UUID that is always the same for the same names."""
    return str(uuid.uuid5(SPACE, "/".join(names)))
