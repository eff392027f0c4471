"""A sandbox for all that the venues are made to say. It counts no requests, because there are hundreds in a few seconds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis

from market.sandbox.server import RunningSandbox, running_sandbox
from tests.market.exchanges.conftest import redis
from tests.market.exchanges.venues import SCENARIO, Desk

__all__ = ["redis"]
MANY = 10**9


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(SCENARIO) as running, pytest.MonkeyPatch.context() as patch:
        limits = running.sandbox.binance.limits
        limits.weight.limit = limits.orders.limit = limits.wallet.limit = limits.wallet_key.limit = MANY
        for name in ("PRIVATE", "PUBLIC"):
            patch.setattr(f"market.sandbox.coinbase.rest.{name}", MANY)
        yield running


@pytest.fixture
async def desk(sandbox: RunningSandbox, redis: Redis) -> AsyncIterator[Desk]:
    limits = sandbox.sandbox.binance.limits
    limits.weight.count = limits.wallet.count = limits.wallet_key.count = 0  # what it tells of them counts
    async with AsyncExitStack() as stack:
        yield Desk(sandbox, redis, stack)
