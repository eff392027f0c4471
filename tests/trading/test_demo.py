"""The bots of the demonstration, driven by a stream worker in this process on the sandbox exchange."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from market.sandbox.scenario import Scenario
from market.sandbox.server import running_sandbox
from trading.demo import SEED, demo_bots_load, drift_plant, sandbox_accounts
from trading.live.worker import StreamWorker
from trading.models import Bot, BotRun, Fill
from wallets.models import Drift

PATIENCE = 180.0
"""Seconds, on a machine that does much else."""


def filled() -> set[str]:
    return set(Fill.objects.values_list("venue", flat=True))


async def trade(venues: set[str]) -> None:
    """Until there are fills at these venues, and no longer than the patience lasts."""
    worker = StreamWorker(warm=True)
    running = asyncio.create_task(worker.run())
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                if await worker.pools.in_thread(filled) == venues:
                    return
                await asyncio.sleep(0.05)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@pytest.mark.django_db(transaction=True)
def test_those_at_a_venue_begin_with_a_purchase_whatever_the_price_does() -> None:
    with running_sandbox(Scenario(seed=SEED)) as sandbox:
        demo_bots_load(sandbox_accounts(sandbox.sandbox.port))
        assert drift_plant() is None
        asyncio.run(trade({"binance-sandbox", "coinbase-sandbox"}))
        run = drift_plant()
        assert run is not None
        assert "fill_twice" in Drift.objects.filter(wallet=run.wallet).values_list("cause", flat=True)
    assert not BotRun.objects.exclude(error="")
    assert set(Fill.objects.values_list("bot__name", flat=True)) == set(
        Bot.objects.filter(mode="testnet").values_list("name", flat=True)
    )
