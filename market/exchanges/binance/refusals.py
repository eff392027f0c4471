"""What Binance's errors mean, by `vocabulary/binance_errors.py`.

One code stands for many causes; then the text tells them apart, and the venue promises no more than how it begins."""

from __future__ import annotations

import re

from market.exchanges.vocabulary.binance_errors import CODE, HTTP_STATUS, TEXT
from market.exchanges.vocabulary.words import ErrorMeaning

WAITS = {-1008: 60.0}
"""Seconds after which a busy venue may be asked again, for codes that say so: overloaded, by the minute."""
WAIT = 10.0
LIMITS = (418, 429)
"""Statuses that say all there is to say, whatever the code."""
TEXTED = (-1010, -1013, -2010, -2011, -2038)
BY_TEXT = tuple((text.lower().rstrip("."), meaning) for text, meaning in TEXT.words.items())
FILTER = re.compile(r"Filter failure: ([A-Z_]{3,40})")


def classify_error(status: int, code: int, message: str) -> ErrorMeaning:
    """`lasting` where nothing is known of it: then the same order is not sent over and over."""
    by_status = HTTP_STATUS.words.get(str(status), "unsettled" if status >= 500 else "lasting")
    if not code or status in LIMITS:
        return by_status
    by_code = (_find_text(message) if code in TEXTED else None) or CODE.read_word(str(code))
    return by_status if by_status in ("unsettled", "key") and by_code not in ("limit", "busy", "clock") else by_code


def _find_text(message: str) -> ErrorMeaning | None:
    said = message.lower()
    return next((meaning for text, meaning in BY_TEXT if text in said), None)


def name_refusal(code: int, message: str) -> str:
    """The filter that the order broke, or the code."""
    found = FILTER.search(message)
    return found[1] if found else str(code)
