"""What Binance's refusals mean: who or what can change the answer. From its list of errors of 2026-07.

One code stands for many causes; then the text tells them apart, and the venue promises no more than how it begins."""

from __future__ import annotations

import re

from market.exchanges.base import RefusalKind

UNAUTHORISED = (-1002, -1022, -2014, -2015)
ORDER_OVER = (-2013, -2026)
"""The venue does not know the order, or has put it away: it has been over for 90 days, and nothing was filled."""
UNSETTLED = (-1000, -1001, -1006, -1007)
"""Codes with which the venue says that it does not know itself what became of the request."""
BUSY = {-1008: 60.0, -1016: 10.0, -1033: 10.0, -1034: 10.0, -1035: 10.0}
"""Nothing happened, and these many seconds later it may: overloaded (by the minute), shutting down, too many connections."""
UNKNOWN_ORDER = "unknown order sent"
DUPLICATE = "duplicate"
FILTER = re.compile(r"Filter failure: ([A-Z_]{3,40})")

BY_TEXT: tuple[tuple[str, RefusalKind], ...] = (
    ("market is closed", "passing"),
    ("order would trigger immediately", "passing"),
    ("order would immediately match and take", "passing"),
    ("order book liquidity is less than", "passing"),
    ("too low for this pegged order", "passing"),
    ("api trading is not enabled", "passing"),
    ("account has insufficient balance", "person"),
    ("this action is disabled on this account", "person"),
    ("this account may not", "person"),
    ("this symbol is not permitted", "person"),
    ("this symbol is restricted", "person"),
    ("price * qty is zero or less", "ours"),
    ("icebergqty exceeds qty", "ours"),
    ("unsupported order combination", "ours"),
    ("cancel order is invalid", "ours"),
    ("the relationship of the prices", "ours"),
    ("not supported for this symbol", "lasting"),
    ("was not canceled due to cancel restrictions", "lasting"),
    ("filter failure", "lasting"),
)
BY_CODE: dict[int, RefusalKind] = {
    **dict.fromkeys((-1112, -2016), "passing"),
    **dict.fromkeys((-1014, -1020, *range(-1106, -1099), -1108, -1111, *range(-1118, -1113), -1128, -1130, -1134, -1145), "ours"),
    **dict.fromkeys((-1120, -1121, -1122, -1127, -1220, -2035, -2036, -2039, -2042), "ours"),
}


def classify_refusal(code: int, message: str) -> RefusalKind:
    """`lasting` where nothing is known of it: then the same order is not sent over and over."""
    said = message.lower()
    return next((kind for text, kind in BY_TEXT if text in said), BY_CODE.get(code, "lasting"))


def name_refusal(code: int, message: str) -> str:
    """The filter that the order broke, or the code."""
    found = FILTER.search(message)
    return found[1] if found else str(code)
