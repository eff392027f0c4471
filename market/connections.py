"""A connection to a venue for one short task: a command, or a person's question."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.broker import task_client
from market.exchanges import connect
from market.exchanges.account_cache import AccountCache
from market.exchanges.base import Endpoint, Exchange
from market.exchanges.breaker import Breaker
from market.exchanges.budget import Budget


@asynccontextmanager
async def open_exchange(endpoint: Endpoint) -> AsyncIterator[Exchange]:
    """A connected exchange, under the same rate budget and breaker as everything else. Raises what `connect` raises."""
    async with open_account(endpoint) as (exchange, _):
        yield exchange


@asynccontextmanager
async def open_account(endpoint: Endpoint) -> AsyncIterator[tuple[Exchange, AccountCache]]:
    """The same, with the cache of the account's balances that all processes share."""
    async with task_client() as redis:
        exchange = connect(endpoint, budget=Budget(redis, endpoint), breaker=Breaker(redis, endpoint))
        try:
            await exchange.connect()
            yield exchange, AccountCache(redis, endpoint, exchange.balances)
        finally:
            await exchange.close()
