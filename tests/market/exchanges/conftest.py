"""Adapters and feeds against a sandbox of their own, whose market only moves when the test moves it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import aiohttp
import pytest
from redis.asyncio import Redis

from market.exchanges.binance.client import BinanceClient as BinanceClient
from market.exchanges.coinbase import client as coinbase_client
from market.sandbox.server import RunningSandbox, running_sandbox
from tests.market.exchanges.venues import SCENARIO, Desk


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(SCENARIO) as running:
        yield running


@pytest.fixture
async def redis() -> AsyncIterator[Redis]:
    """A Redis without what budgets and breakers of other tests left there."""
    client = Redis.from_url(os.environ["REDIS_URL"])
    keys = [key async for key in client.scan_iter("exchange:*")]
    if keys:
        await client.delete(*keys)
    yield client
    await client.aclose()


@pytest.fixture
async def desk(sandbox: RunningSandbox, redis: Redis) -> AsyncIterator[Desk]:
    async with AsyncExitStack() as stack:
        yield Desk(sandbox, redis, stack)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clients soon stop waiting for an answer."""
    monkeypatch.setattr(BinanceClient, "REQUEST_TIMEOUT", aiohttp.ClientTimeout(total=0.3))
    monkeypatch.setattr(coinbase_client, "TIMEOUT", (0.3, 0.3))
