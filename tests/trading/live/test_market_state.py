"""What the feed brings wakes the bots that it concerns, and no other."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from core.times import to_ms
from engine.live import PriceLevel
from engine.types import Candles
from market.exchanges.base import Candle, Depth, Tick
from trading.live.history import CandleHistory
from trading.live.market_state import MarketState

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SYMBOL, INTERVAL = "BTC-USD", "1m"


@dataclass(eq=False)
class Listener:
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def on_price(self, tick: Tick, price: float) -> None:
        self.calls.append(("price", price))

    def on_open(self, candle: Candle, time_ms: int) -> None:
        self.calls.append(("open", time_ms))

    def on_close(self, candle: Candle) -> None:
        self.calls.append(("close", to_ms(candle.time)))


def tick(price: str, symbol: str = SYMBOL) -> Tick:
    return Tick("binance", symbol, Decimal(price), NOON)


def candle(minute: int, *, closed: bool = False, symbol: str = SYMBOL) -> Candle:
    ten = Decimal(10)
    return Candle("binance", symbol, INTERVAL, NOON + timedelta(minutes=minute), ten, ten, ten, ten, ten, closed)


def at(minute: int) -> int:
    return to_ms(NOON) + 60_000 * minute


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def recorded() -> list[Candle]:
    return []


@pytest.fixture
def market(listener: Listener, recorded: list[Candle]) -> MarketState:
    one = MarketState("binance", recorded.append)
    empty = np.array([], dtype=np.float64)
    one.histories[SYMBOL, INTERVAL] = CandleHistory(
        Candles(SYMBOL, INTERVAL, np.array([], dtype=np.int64), *(empty for _ in range(5)))
    )
    one.add_listener(listener, [(SYMBOL, INTERVAL)])
    return one


def test_a_price_wakes_those_whose_level_it_has_reached(market: MarketState, listener: Listener) -> None:
    market.put_levels(listener, [PriceLevel(SYMBOL, 0, 9.0, "stop_loss", 11.0)])
    for price in ("10", "10.9", "11", "9"):
        market.on_event(tick(price))
    market.on_event(tick("20", "ETH-USD"))
    assert listener.calls == [("price", 11.0), ("price", 9.0)]
    found = market.find_price(SYMBOL)
    assert found is not None
    assert found[0] == Decimal(9)
    assert market.find_price("SOL-USD") is None


def test_a_candle_that_grows_is_opened_once(market: MarketState, listener: Listener) -> None:
    for minute in (0, 0, 1, 1, 0):
        market.on_event(candle(minute))
    market.on_event(candle(2, symbol="ETH-USD"))
    assert listener.calls == [("open", at(0)), ("open", at(1))]
    assert market.find_open_time(SYMBOL, INTERVAL) == at(1)


def test_a_candle_that_has_closed_is_kept_once_before_its_bots_are_woken(
    market: MarketState, listener: Listener, recorded: list[Candle]
) -> None:
    for minute in (0, 0, 1):
        market.on_event(candle(minute, closed=True))
    market.on_event(candle(0, closed=True, symbol="ETH-USD"))  # no bot has a history of it
    assert listener.calls == [("close", at(0)), ("close", at(1))]
    assert [one.time for one in recorded] == [NOON, NOON + timedelta(minutes=1)]
    assert market.find_history(SYMBOL, INTERVAL).last == at(1)


def test_a_bot_that_is_removed_is_woken_no_more(market: MarketState, listener: Listener) -> None:
    market.put_levels(listener, [PriceLevel(SYMBOL, 0, 9.0, "stop_loss", 11.0)])
    market.remove_listener(listener, [(SYMBOL, INTERVAL)])
    market.on_event(tick("20"))
    market.on_event(candle(0))
    market.on_event(candle(0, closed=True))
    assert listener.calls == []


def test_what_is_fresh_is_taken_once(market: MarketState) -> None:
    for price in ("1", "2"):
        market.on_event(tick(price))
    market.on_event(candle(0))
    ticks, candles = market.take_fresh()
    assert ([one.price for one in ticks], len(candles)) == ([Decimal(2)], 1)
    assert market.take_fresh() == ([], [])


def test_a_tick_has_the_best_bid_and_ask_of_the_newest_book(market: MarketState) -> None:
    def sides() -> tuple[Decimal | None, Decimal | None]:
        market.on_event(tick("100"))
        ((one,), _) = market.take_fresh()
        return one.bid, one.ask

    assert sides() == (None, None)
    level = Decimal(1)
    for bid, ask in (("98", "103"), ("99", "101")):
        market.on_event(Depth("binance", SYMBOL, NOON, ((Decimal(bid), level), (Decimal(90), level)), ((Decimal(ask), level),)))
    assert sides() == (Decimal(99), Decimal(101))
    market.on_event(Depth("binance", SYMBOL, NOON, (), ((Decimal(101), level),)))
    assert sides() == (None, Decimal(101))


@pytest.mark.parametrize(("state", "says"), [("live", False), ("polling", False), ("stale", True), ("connecting", True)])
def test_prices_count_only_while_the_stream_brings_them(market: MarketState, state: Any, says: bool) -> None:
    market.state = state
    assert bool(market.explain_no_prices()) is says
