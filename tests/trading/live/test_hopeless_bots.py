"""A bot that cannot go on does not affect the others at its venue, and what it left there is settled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from engine.strategies import registry
from engine.strategy import Columns
from engine.types import Candles, Signals
from market.sandbox.server import RunningSandbox
from tests.chaos.desk import bot, fixed, start, wallet
from tests.chaos.strategies import Simple
from tests.trading.working import may_trade, sandbox, until, working
from trading.live.worker import StreamWorker
from trading.models import Bot, BotRun, Order, OrderStatus
from trading.services.bots import bot_stop
from wallets.models import Wallet

__all__ = ["sandbox"]
pytestmark = pytest.mark.django_db(transaction=True)
GOOD = bot("dca", "binance", "BTC-USDT", {"every": 1, "part": 1}, fixed("150"), {})


class Rests(Simple):
    """Bids half of the price."""

    name, title = "test_rests", "Rests"

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        always = np.ones(len(candles), dtype=np.bool_)
        return Signals(entry=always, exit=~always, entry_limit=candles.close * 0.5)


class Spoils(Rests):
    """Its author has made a mistake since the bot was started."""

    name, title = "test_spoils", "Spoils"
    spoilt = False

    def warmup(self) -> int:
        if self.spoilt:
            raise ZeroDivisionError("a mistake of its author")
        return 1


@pytest.fixture(autouse=True)
def strategies() -> Iterator[None]:
    for strategy in (Rests, Spoils):
        registry.find_strategies().add(strategy)
    yield
    for strategy in (Rests, Spoils):
        registry.find_strategies().strategies.pop(strategy.name, None)


def resting(strategy: str, where: Wallet, symbol: str = "ETH-USDT") -> Bot:
    return start(bot(strategy, "binance", symbol, {}, fixed("150"), {}), where)


def run_of(one: Bot) -> BotRun:
    return BotRun.objects.get(bot=one)


def play(sandbox: RunningSandbox, met: Callable[[StreamWorker], bool]) -> None:
    async def played() -> None:
        async with working(sandbox) as worker:
            await until(lambda: moved(sandbox, worker, lambda: met(worker)))

    asyncio.run(played())


async def moved(sandbox: RunningSandbox, worker: StreamWorker, met: Callable[[], bool]) -> bool:
    """The market goes on a little."""
    await worker.pools.in_thread(sandbox.step, 10_000)
    return await worker.pools.in_thread(met)


def test_a_bot_whose_strategy_raises_before_it_begins_ends_alone(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    where = wallet(sandbox, "binance")
    spoilt = resting(Spoils.name, where)
    good = start(GOOD, where)
    monkeypatch.setattr(Spoils, "spoilt", True)
    play(sandbox, lambda worker: may_trade(worker, good) and run_of(spoilt).ended_at is not None)
    run = run_of(spoilt)
    assert (run.end_reason, run.error) == ("failed", "Spoils raised ZeroDivisionError: a mistake of its author")
    assert run_of(good).ended_at is None


def test_what_a_bot_without_its_strategy_left_at_the_venue_is_cancelled(sandbox: RunningSandbox) -> None:
    where = wallet(sandbox, "binance")
    lost, good = resting(Rests.name, where), start(GOOD, where)
    play(sandbox, lambda worker: Order.objects.filter(bot=lost, status=OrderStatus.ACCEPTED).exists())
    del registry.find_strategies().strategies[Rests.name]
    left = Order.objects.filter(bot=lost).exclude(status=OrderStatus.CANCELLED)
    play(sandbox, lambda worker: may_trade(worker, good) and not left.exists())
    run = run_of(lost)
    assert run.end_reason == "failed"
    assert "There is no strategy 'test_rests'." in run.error
    assert run_of(good).ended_at is None


def test_a_bot_whose_candles_cannot_be_had_waits_alone_and_does_as_it_is_told(sandbox: RunningSandbox) -> None:
    where = wallet(sandbox, "binance")
    unlisted, good = resting(Rests.name, where, "SOL-USDT"), start(GOOD, where)

    async def played() -> None:
        async with working(sandbox) as worker:
            await until(lambda: worker.pools.in_thread(lambda: may_trade(worker, good) and run_of(unlisted).held_reason != ""))
            assert (await worker.pools.in_thread(run_of, unlisted)).held_reason == "It cannot begin yet: Binance: Invalid symbol."
            await worker.pools.in_thread(lambda: bot_stop(bot_id=unlisted.bot_id))
            await until(lambda: worker.pools.in_thread(lambda: run_of(unlisted).ended_at is not None))

    asyncio.run(played())
    assert run_of(unlisted).end_reason == "stopped"
    assert run_of(good).ended_at is None
