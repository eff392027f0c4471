"""A stream worker in this process, on the sandbox exchange, and what its bots do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import pytest

from market.sandbox.server import RunningSandbox, running_sandbox
from tests.chaos.desk import scenario
from trading.live.bot_runner import BotRunner
from trading.live.worker import StreamWorker
from trading.models import Bot

PATIENCE = 120.0


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(scenario(1)) as running:
        yield running


@asynccontextmanager
async def working(sandbox: RunningSandbox) -> AsyncIterator[StreamWorker]:
    """Its clock is the market's, which moves by hand."""
    worker = StreamWorker(warm=True, clock=lambda: sandbox.sandbox.tape.now / 1000)
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def until(met: Callable[[], bool] | Callable[[], Awaitable[bool]], seconds: float = PATIENCE) -> None:
    async with asyncio.timeout(seconds):
        while True:
            found = met()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.05)


def find_runner(worker: StreamWorker, one: Bot) -> BotRunner | None:
    runners = (venue.bots.find_runner(one.pk) for venue in worker.venues.values())
    return next(filter(None, runners), None)


def why_not(worker: StreamWorker, one: Bot) -> str:
    """Why it may not trade; empty: it may."""
    found = find_runner(worker, one)
    return found.steps.explain_not_ready() if found else "not loaded yet"


def may_trade(worker: StreamWorker, one: Bot) -> bool:
    return not why_not(worker, one)
