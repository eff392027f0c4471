"""The newest order book of each symbol, one hash for each venue and environment. Stream workers write them; pages and the API read
them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import orjson

from core.broker import PATIENT, Unanswered, ask_broker
from core.text import utc_text
from market.exchanges.base import Depth
from market.prices import STALE_AFTER

LEVELS = 10
"""Levels of each side, the best first: as many as a screen can show."""


def depths_key(venue: str, environment: str) -> str:
    return f"depths:{venue}:{environment}"


def depths_put(*, venue: str, environment: str, books: Iterable[Mapping[str, Any]]) -> None:
    """Keep the newest book of each symbol, as `depth_json` made it, in one round trip. If one call is lost, the next makes up for
    it."""
    now = time.time()
    packed: dict[Any, Any] = {one["symbol"]: orjson.dumps([now, one]) for one in books}
    if not packed:
        return
    try:
        ask_broker("depths_put", lambda broker: broker.hset(depths_key(venue, environment), mapping=packed))
    except Unanswered:
        return


def depth_get(*, venue: str, environment: str, symbol: str) -> dict[str, Any] | None:
    """The book as `depth_json` made it, with `age_s` and `stale`. None if none was ever heard, or if the broker does not answer."""
    try:
        text: Any = ask_broker("depth_get", lambda broker: broker.hget(depths_key(venue, environment), symbol), patience=PATIENT)
    except Unanswered:
        return None
    if text is None:
        return None
    heard, book = orjson.loads(text)
    age = max(0.0, time.time() - heard)
    return {"venue": venue, "environment": environment, **book, "age_s": round(age, 3), "stale": age > STALE_AFTER}


def depth_json(book: Depth) -> dict[str, Any]:
    """Levels are [price, quantity] in decimal text, with as many places as the longest of them."""
    bids, asks = book.bids[:LEVELS], book.asks[:LEVELS]
    prices, quantities = (decimal_places(level[column] for level in (*bids, *asks)) for column in (0, 1))
    sides = {
        name: [[f"{price:.{prices}f}", f"{quantity:.{quantities}f}"] for price, quantity in levels]
        for name, levels in (("bids", bids), ("asks", asks))
    }
    return {"symbol": book.symbol, **sides, "time": utc_text(book.time)}


def spread_bps(book: Mapping[str, Any]) -> float | None:
    """The spread between the best prices, in hundredths of a percent of their middle. None if a side is empty."""
    if not book["bids"] or not book["asks"]:
        return None
    bid, ask = (float(book[side][0][0]) for side in ("bids", "asks"))
    return (ask - bid) / ((ask + bid) / 2) * 10_000


def decimal_places(values: Iterable[Decimal]) -> int:
    """How many decimal places write each of them exactly."""
    return max((len(f"{value:f}".partition(".")[2].rstrip("0")) for value in values), default=0)
