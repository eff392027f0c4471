"""A sandbox as a desk sees it, and what tests do there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from redis.asyncio import Redis

from market.exchanges import connect
from market.exchanges.base import Endpoint, Exchange, OrderRequest
from market.exchanges.breaker import Breaker
from market.exchanges.budget import Budget
from market.sandbox.scenario import Scenario
from market.sandbox.server import RunningSandbox

Venue = Literal["binance", "coinbase"]
SYMBOLS: dict[str, str] = {"binance": "BTC-USDT", "coinbase": "BTC-USD"}
OTHERS: dict[str, str] = {"binance": "ETH-USDT", "coinbase": "ETH-USD"}
# An hour ago, at the beginning of a minute: what its market does lies in the venue's past, so its candles are closed.
START = int(time.time() // 60 - 60) * 60_000
SCENARIO = Scenario(speed=None, start=START, minutes=120, rate=1e-9)


@dataclass
class Desk:
    sandbox: RunningSandbox
    redis: Redis
    stack: AsyncExitStack

    def endpoint(self, venue: Venue, **changes: Any) -> Endpoint:
        address = {name: value for name, value in self.sandbox.addresses[venue].items() if name != "symbols"}
        return replace(Endpoint(venue, "sandbox", **address, account="1"), **changes)

    def exchange(self, venue: Venue, *, count: Callable[[str], None] | None = None, **changes: Any) -> Exchange:
        endpoint = self.endpoint(venue, **changes)
        return connect(endpoint, budget=Budget(self.redis, endpoint), breaker=Breaker(self.redis, endpoint), count=count)

    async def connect(self, venue: Venue, **changes: Any) -> Exchange:
        exchange = self.exchange(venue, **changes)
        await exchange.connect()
        self.stack.push_async_callback(exchange.close)
        return exchange

    def trade(self, venue: Venue, price: str, qty: str = "1", *, symbol: str = "", seconds: float = 0.0) -> None:
        """Makes a trade at the venue, so many seconds of market time later."""
        self.sandbox.step(int(seconds * 1000))
        exchange = self.sandbox.exchange(venue)
        symbol = symbol or SYMBOLS[venue]
        self.sandbox.do(lambda: exchange.trade(symbol, Decimal(price), Decimal(qty), buyer_is_maker=False, time=exchange.clock()))

    def fault(self, **rule: Any) -> None:
        self.sandbox.do(lambda: self.sandbox.sandbox.faults.add([rule]))

    def orders_at(self, venue: Venue) -> int:
        account = next(iter(self.sandbox.exchange(venue).accounts.values()))
        return len(account.orders)


def limit(venue: Venue, client_order_id: str, price: str = "60000", quantity: str = "0.01", **more: Any) -> OrderRequest:
    return OrderRequest(client_order_id, SYMBOLS[venue], "buy", "limit", Decimal(quantity), Decimal(price), **more)


def market(venue: Venue, client_order_id: str, quantity: str = "0.01") -> OrderRequest:
    return OrderRequest(client_order_id, SYMBOLS[venue], "buy", "market", Decimal(quantity))


async def until(condition: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Waits for a condition, long enough for a busy machine."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 (nobody tells when it holds)
            await asyncio.sleep(0.005)
    assert condition(), what
