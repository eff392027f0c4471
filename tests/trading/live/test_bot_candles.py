"""Candles are taken in once and in order, however late the close of one comes."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from engine.live import OHLCV
from engine.live.types import SignalRow
from tests.backtests.fixtures import make_candles
from tests.trading.making import VENUE, config, keep, paper_wallet
from trading.live.bot_candles import BotCandles
from trading.live.bot_steps import BotInputs, BotSteps
from trading.live.history import CandleHistory, Decisions
from trading.live.strategy_host import StrategyHost
from trading.models import Fill
from trading.services.bot_loading import bot_load
from trading.services.bots import bot_create, bot_start

pytestmark = pytest.mark.django_db

SYMBOL = "ETH-BTC"


class Recorded:
    """The market of a venue whose candles the test appends; it always has prices."""

    tradable = None

    def __init__(self, history: CandleHistory) -> None:
        self.history = history

    def find_price(self, symbol: str) -> None:
        return None

    def find_history(self, symbol: str, interval: str) -> CandleHistory:
        return self.history

    def find_open_time(self, symbol: str, interval: str) -> None:
        return None

    def explain_no_prices(self) -> str:
        return ""


class BuysAtOnce(Decisions):
    def row(self, *args: Any) -> SignalRow:
        return SignalRow(entry=True)


def test_a_paper_bot_waits_for_a_late_close_before_it_takes_in_the_next_open() -> None:
    made = make_candles(count=60)
    known = keep(made)
    bot = bot_create(name="late", mode="paper", wallet_id=paper_wallet().wallet_id, config=config(venue=VENUE))
    loaded = bot_load(bot_start(bot_id=bot.bot_id).pk)
    history = CandleHistory(known)
    step, last = known.step, int(known.time[-1])
    inputs = BotInputs(Recorded(history), Mock(), BuysAtOnce(), lambda: last + 4 * step)  # type: ignore[arg-type]
    candles = BotCandles(BotSteps(loaded, inputs, Mock()), StrategyHost(loaded.config))
    flat = OHLCV(10.0, 10.0, 10.0, 10.0, 1000.0)

    candles.close(last)  # it wants to buy at the next open
    candles.open(last + 2 * step, {SYMBOL: 11.0})  # of the candle in between, the close is still to come
    history.append(last + step, flat)
    candles.catch_up()
    history.append(last + 2 * step, OHLCV(11.0, 11.0, 11.0, 11.0, 1000.0))
    candles.catch_up()
    assert loaded.time == last + 2 * step
    assert [fill.price for fill in Fill.objects.filter(bot=bot)] == [10]
