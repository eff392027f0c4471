"""Where books and venue differ by much, the wallet's bots make no entries and say why, until somebody has resolved it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import transaction

from market.sandbox.server import RunningSandbox
from tests.chaos.desk import bot, fixed, lifted_limits, start, wallet
from tests.trading.working import sandbox, until, working
from trading.models import BlockEvent, Bot, BotRun, Order
from wallets.models import Drift, Wallet
from wallets.services.drifts import FoundDrift, drift_resolve, drifts_note
from wallets.services.reconciliations import reconciliation_begin, reconciliation_end

__all__ = ["sandbox"]
pytestmark = pytest.mark.django_db(transaction=True)
BUYER = bot("dca", "binance", "BTC-USDT", {"every": 1, "part": 1}, fixed("150"), {})


def plant(where: Wallet) -> Drift:
    run = reconciliation_begin(wallet=where, trigger="page")
    with transaction.atomic():
        noted = drifts_note(run, [FoundDrift("balance", "ETH", Decimal(0), Decimal(5), "unknown", holds=True)])
        reconciliation_end(run, "drift", drifts=1)
    return noted.standing[0]


def test_bots_make_no_entries_until_it_is_resolved(sandbox: RunningSandbox) -> None:
    where = wallet(sandbox, "binance")
    buyer, drift = start(BUYER, where), plant(where)

    async def play() -> None:
        async with working(sandbox) as worker:
            in_thread = worker.pools.in_thread

            async def moved(met: Callable[[], bool]) -> bool:
                await in_thread(sandbox.step, 60_000)
                return await in_thread(met)

            await until(lambda: moved(lambda: is_blocked(buyer)))
            assert not await in_thread(Order.objects.exists)
            await until(lambda: moved(lambda: "No entries" in BotRun.objects.get(bot=buyer).held_reason))
            await in_thread(lambda: drift_resolve(drift_id=drift.pk, decision={"action": "adopt"}))
            await until(lambda: moved(Order.objects.filter(side="buy").exists))

    with lifted_limits(sandbox):
        asyncio.run(play())


def is_blocked(buyer: Bot) -> bool:
    return BlockEvent.objects.filter(bot=buyer, reason="drift", detail__contains="5 ETH at the venue").exists()
