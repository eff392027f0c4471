"""What a venue says that it does not trade is said of the bot and of the venue, before an order meets it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from market.exchanges.base import InstrumentRules
from market.sandbox.server import RunningSandbox
from tests.chaos.desk import bot, fixed, start, wallet
from tests.trading.live.test_bot_runner import make_runner
from tests.trading.live.test_levels import SYMBOL, waiting_bot
from tests.trading.working import sandbox, until, working
from trading.live import listing
from trading.live.bot_figures import report_figures
from trading.live.listing import DOUBTED_EVERY, VenueListing
from trading.models import BotRun, Fill, Order
from trading.services.bot_loading import bot_load
from trading.services.bots import bot_close

__all__ = ["sandbox"]
ONE = Decimal("0.01")
RULES = InstrumentRules(SYMBOL, "ETHBTC", "ETH", "BTC", ONE, ONE, None, None, None)


@pytest.mark.django_db(transaction=True)
def test_a_halt_is_known_as_soon_as_it_meets_an_order(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The venue's list is not due for minutes. Nobody trades any more, so that nothing but the order shows it."""
    monkeypatch.setattr(listing, "DOUBTED_EVERY", 0.5)
    one = start(bot("dca", "binance", "BTC-USDT", {"every": 1, "part": 1}, fixed("150"), {}), wallet(sandbox, "binance"))

    async def played() -> None:
        async with working(sandbox) as worker:

            async def moved(met: Callable[[], bool]) -> bool:
                await worker.pools.in_thread(sandbox.step, 10_000)
                return await worker.pools.in_thread(met)

            await until(lambda: moved(Fill.objects.exists))
            sandbox.fault({"fault": "halt", "venue": "binance", "symbol": "BTC-USDT", "at": 0})
            await worker.pools.in_thread(partial(bot_close, bot_id=one.bot_id))
            await until(lambda: moved(Order.objects.filter(status="rejected").exists))
            await until(lambda: "BTC-USDT" not in (next(iter(worker.venues.values())).market.tradable or ()), 30)

    asyncio.run(played())


@pytest.mark.django_db
def test_a_symbol_in_maintenance_is_said_at_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = make_runner(bot_load(waiting_bot().pk))
    market: Any = Mock(tradable=None, key="binance-sandbox", explain_no_prices=lambda: "", find_price=lambda _: None)
    accounts = Mock(explain_not_ready=lambda _: "", explain_drift=lambda _: "")
    monkeypatch.setattr(runner.steps, "inputs", Mock(market=market, accounts=accounts))
    exchange = Mock(instruments=AsyncMock(side_effect=[[replace(RULES, trading=False)], [RULES], [RULES]]))
    bots = Mock(runners={runner.bot_id: runner}, list_all=lambda: [runner])
    listed = VenueListing(exchange, market, bots, AsyncMock())

    def look() -> tuple[str, str]:
        report_figures([runner])
        return listed.describe_halts(), BotRun.objects.get(pk=runner.loaded_bot.run.pk).held_reason

    def refresh_again(seconds: float) -> int:
        """So long after the last time. Returns how often the venue has been asked."""
        listed.refreshed_at = time.monotonic() - seconds
        asyncio.run(listed.refresh())
        return int(exchange.instruments.await_count)

    assert look() == ("", "")
    asyncio.run(listed.refresh())
    assert look() == (f"The venue does not trade {SYMBOL} at present.", f"binance-sandbox does not trade {SYMBOL} at present.")
    assert refresh_again(DOUBTED_EVERY + 1) == 1
    listed.doubt()
    assert (refresh_again(DOUBTED_EVERY - 1), refresh_again(DOUBTED_EVERY + 1)) == (1, 2)
    assert look() == ("", "")
    written = listed.in_thread.await_count  # type: ignore[attr-defined]
    listed.doubt()
    assert (refresh_again(DOUBTED_EVERY + 1), refresh_again(DOUBTED_EVERY + 1)) == (3, 3)
    assert listed.in_thread.await_count == written  # type: ignore[attr-defined]  # nothing has changed
