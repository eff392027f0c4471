"""The prices that bots wait for, as the venue worker compares them with ticks."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from engine.live import OHLCV, SignalRow
from market.exchanges.base import Endpoint
from market.services import instrument_ensure
from tests.trading.making import config
from trading.live.bot_runner import BotRunner
from trading.live.venue_worker import VenueWorker
from trading.live.worker import StreamWorker
from trading.models import Bot
from trading.services.bot_loading import bot_load
from trading.services.bots import bot_create, bot_start
from trading.services.loaded_bot import MarketNow
from trading.services.steps import candle_close, candle_open
from wallets.services import account_create, wallet_create

NOWHERE: dict[str, Any] = {"rest": "http://127.0.0.1:1", "ws": "ws://127.0.0.1:1", "ws_api": "ws://127.0.0.1:1"}
START = 1_735_689_600_000
SYMBOL = "ETH-BTC"
FLAT = OHLCV(10.0, 10.0, 10.0, 10.0, 1.0)


def waiting_bot() -> Bot:
    account = account_create(name="account", venue="binance", environment="sandbox", api_key="key", secret="secret", **NOWHERE)
    wallet = wallet_create(name="wallet", kind="exchange", quote="BTC", account=account)
    instrument_ensure(venue="binance-sandbox", symbol=SYMBOL)
    given = config(venue="binance-sandbox", exits={"trailing_stop": 0.1})
    return bot_start(bot_id=bot_create(name="waits", mode="testnet", wallet_id=wallet.wallet_id, config=given).bot_id)


@pytest.mark.django_db(transaction=True)
def test_an_entry_that_waits_for_its_price_is_watched_although_no_row_was_written() -> None:
    """The close at which it is decided writes nothing: there is no order yet."""

    async def watched() -> set[BotRunner]:
        worker = StreamWorker()
        exchange = worker.connect(Endpoint("binance", "sandbox", **NOWHERE))
        station = VenueWorker(worker, 1, "binance", "sandbox", exchange)
        await worker.in_thread(decide, station)
        await asyncio.sleep(0)  # the loop is told from the thread
        try:
            assert not station.roster.levels.hit(SYMBOL, 10.9)
            return station.roster.levels.hit(SYMBOL, 11.0)
        finally:
            await worker.stop()

    assert len(asyncio.run(watched())) == 1


def decide(station: VenueWorker) -> None:
    runtime = BotRunner(bot_load(waiting_bot().pk), station)
    market = MarketNow(datetime.now(UTC), {}, "candle")
    candle_open(runtime.holding, START, {SYMBOL: 10.0}, market)
    written = candle_close(runtime.holding, START, {SYMBOL: FLAT}, {SYMBOL: SignalRow(entry=True, entry_stop=11.0)}, market)
    assert not written.news
    station.written(runtime, written)
    connection.close()
