"""The newest price of each symbol, one hash for each venue and environment. Stream workers write, pages and the API read them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

import orjson
from redis import Redis

from core.broker import PATIENT, Unanswered, ask_broker
from market.exchanges.base import Tick

STALE_AFTER = 60.0
"""Seconds without news of a symbol after which its price is old."""

Pair = tuple[str, str, str]
"""(venue, environment, symbol)"""


@dataclass(frozen=True, slots=True)
class Price:
    """In quote. `time` is the venue's; `heard` is when we wrote it, in seconds since 1970."""

    price: Decimal
    time: datetime
    heard: float
    bid: Decimal | None = None
    ask: Decimal | None = None

    @property
    def age(self) -> float:
        """Seconds since it was heard."""
        return max(0.0, time.time() - self.heard)

    @property
    def stale(self) -> bool:
        return self.age > STALE_AFTER


def prices_key(venue: str, environment: str) -> str:
    return f"prices:{venue}:{environment}"


def prices_put(*, venue: str, environment: str, ticks: Iterable[Tick]) -> None:
    """Keep the newest tick of each symbol, in one round trip. It is called a few times a second, and if one call is lost, the next
    makes up for it."""
    now = time.time()
    packed: dict[Any, Any] = {tick.symbol: pack_tick(tick, now) for tick in ticks}
    if not packed:
        return
    try:
        ask_broker("prices_put", lambda broker: broker.hset(prices_key(venue, environment), mapping=packed))
    except Unanswered:
        return


def prices_get(pairs: Iterable[Pair]) -> dict[Pair, Price]:
    """The prices that are known, in one round trip. One is missing if it was never heard, or if the broker does not answer."""
    wanted = sorted(set(pairs))
    groups = [(name, [pair[2] for pair in group]) for name, group in groupby(wanted, key=lambda pair: pair[:2])]
    if not groups:
        return {}

    def read_prices(broker: Redis) -> list[list[bytes | None]]:
        pipeline = broker.pipeline(transaction=False)
        for name, symbols in groups:
            pipeline.hmget(prices_key(*name), symbols)
        answers: list[list[bytes | None]] = pipeline.execute()
        return answers

    try:
        rows = ask_broker("prices_get", read_prices, patience=PATIENT)
    except Unanswered:
        return {}
    texts = (text for row in rows for text in row)
    return {pair: unpack_price(text) for pair, text in zip(wanted, texts, strict=True) if text}


def prices_all(feeds: Iterable[tuple[str, str]]) -> dict[Pair, Price]:
    """Every known price of these (venue, environment), by venue, environment and symbol."""
    wanted = sorted(set(feeds))

    def read_hashes(broker: Redis) -> list[Mapping[bytes, bytes]]:
        pipeline = broker.pipeline(transaction=False)
        for name in wanted:
            pipeline.hgetall(prices_key(*name))
        answers: list[Mapping[bytes, bytes]] = pipeline.execute()
        return answers

    try:
        rows = ask_broker("prices_get", read_hashes, patience=PATIENT) if wanted else []
    except Unanswered:
        return {}
    return {
        (*name, symbol.decode()): unpack_price(text)
        for name, row in zip(wanted, rows, strict=True)
        for symbol, text in sorted(row.items())
    }


def pack_tick(tick: Tick, now: float) -> bytes:
    sides = [None if side is None else str(side) for side in (tick.bid, tick.ask)]
    return orjson.dumps([str(tick.price), tick.time.timestamp(), now, *sides])


def unpack_price(text: bytes) -> Price:
    price, moment, heard, *sides = orjson.loads(text)
    bid, offer = (None if side is None else Decimal(side) for side in sides)
    return Price(Decimal(price), datetime.fromtimestamp(moment, UTC), heard, bid, offer)
