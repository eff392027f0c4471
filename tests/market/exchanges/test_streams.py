"""The venues' sockets over the real libraries: every message comes through once and in order, and no stream ends silently."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, nullcontext
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from market.exchanges.base import (
    Alive,
    Balances,
    Candle,
    Depth,
    MarketEvent,
    Refused,
    Report,
    Retryable,
    StreamGap,
    Tick,
    Unauthorised,
    UserEvent,
)
from market.exchanges.binance.streams import stream_names
from tests.market.exchanges.venues import OTHERS, SYMBOLS, Desk, Venue, limit, market

D = Decimal
T = TypeVar("T")
both = pytest.mark.parametrize("venue", ["binance", "coinbase"])
TRADES = {"binance": "*@aggTrade", "coinbase": "market_trades"}
USER = {"binance": "ws-api/v3", "coinbase": "coinbase/ws/user"}


async def next_of(events: AsyncIterator[Any], kind: type[T]) -> T:
    async with asyncio.timeout(20):
        async for event in events:
            if isinstance(event, kind):
                return event
    raise AssertionError(f"no {kind.__name__} came")


async def drain(events: AsyncIterator[Any]) -> None:
    async with asyncio.timeout(20):
        async for _ in events:
            pass


async def ends(events: AsyncIterator[Any]) -> None:
    with pytest.raises(Retryable):
        await drain(events)


@asynccontextmanager
async def listening(
    desk: Desk, venue: Venue, *intervals: str, depth: bool = False
) -> AsyncIterator[AsyncGenerator[MarketEvent, None]]:
    exchange = await desk.connect(venue)
    async with aclosing(exchange.market_stream([SYMBOLS[venue], OTHERS[venue]], intervals, depth=depth)) as events:
        await next_of(events, Alive)
        yield events


@asynccontextmanager
async def own(desk: Desk, venue: Venue) -> AsyncIterator[AsyncGenerator[UserEvent, None]]:
    exchange = await desk.connect(venue)
    async with aclosing(exchange.user_stream()) as events:
        await next_of(events, Alive)
        yield events


@both
async def test_trades_are_ticks(desk: Desk, venue: Venue) -> None:
    async with listening(desk, venue) as events:
        for number in range(1, 4):
            desk.trade(venue, f"6500{number}.25", f"0.{number}")
        ticks = [await next_of(events, Tick) for _ in range(3)]
        assert [(tick.symbol, tick.price, tick.quantity) for tick in ticks] == [
            (SYMBOLS[venue], D(f"6500{number}.25"), D(f"0.{number}")) for number in range(1, 4)
        ]
        assert all(tick.received > 0 for tick in ticks)
        desk.trade(venue, "3300.5", symbol=OTHERS[venue])
        assert (await next_of(events, Tick)).symbol == OTHERS[venue]


@both
async def test_candles_grow_and_close(desk: Desk, venue: Venue) -> None:
    desk.trade(venue, "65000", "1")
    async with listening(desk, venue, "1m") as events:
        desk.trade(venue, "65010", "2", seconds=60)
        desk.trade(venue, "65005", "3", seconds=10)
        desk.trade(venue, "65001", "1", seconds=60)
        candles: list[Candle] = []
        while not any(candle.closed and candle.open == D(65010) for candle in candles):
            candles.append(await next_of(events, Candle))
        closed = candles[-1]
        assert (closed.high, closed.low, closed.close, closed.volume) == (D(65010), D(65005), D(65005), D(5))
        assert any(not candle.closed and candle.time == closed.time for candle in candles)


@both
async def test_depth_of_the_book(desk: Desk, venue: Venue) -> None:
    async with listening(desk, venue, depth=True) as events:
        desk.trade(venue, "65020")
        depth = await next_of(events, Depth)
        assert depth.bids[0][0] < depth.asks[0][0]
        assert (list(depth.bids), list(depth.asks)) == (sorted(depth.bids, reverse=True), sorted(depth.asks))


@both
@pytest.mark.parametrize("fault", [{"fault": "drop"}, {"fault": "close", "code": 1001}, {"fault": "close", "code": 1000}])
async def test_a_lost_socket_says_so(desk: Desk, venue: Venue, fault: dict[str, Any]) -> None:
    async with listening(desk, venue) as events, own(desk, venue) as reports:
        desk.fault(**fault, venue=venue)
        desk.sandbox.step(1)
        await ends(events)
        desk.fault(**fault, venue=venue)
        desk.sandbox.step(1)
        await ends(reports)


@both
async def test_a_message_that_is_missing_is_told(desk: Desk, venue: Venue) -> None:
    async with listening(desk, venue) as events:
        desk.trade(venue, "65001")
        await next_of(events, Tick)
        desk.fault(fault="gap", venue=venue, stream=TRADES[venue])
        desk.trade(venue, "65002")
        desk.trade(venue, "65003")
        gap = await next_of(events, StreamGap)
        assert gap.symbol == (SYMBOLS[venue] if venue == "binance" else "")
        if venue == "coinbase":
            await ends(events)  # only a new connection has a whole state


@both
@pytest.mark.parametrize("fault", ["duplicate", "reorder"])
async def test_no_trade_is_told_twice_or_late(desk: Desk, venue: Venue, fault: str) -> None:
    async with listening(desk, venue) as events:
        desk.trade(venue, "65001")
        seen = [await next_of(events, Tick)]
        desk.fault(fault=fault, venue=venue, stream=TRADES[venue])
        for price in ("65002", "65003", "65004"):
            desk.trade(venue, price)
        with pytest.raises(Retryable) if venue == "coinbase" and fault == "reorder" else nullcontext():
            while seen[-1].price != D(65004):
                seen.append(await next_of(events, Tick))
        prices = [tick.price for tick in seen]
        assert prices == sorted(set(prices))


@both
async def test_a_malformed_frame_costs_itself_only(desk: Desk, venue: Venue) -> None:
    exchange = await desk.connect(venue)
    async with aclosing(exchange.market_stream([SYMBOLS[venue]], [])) as events:
        await next_of(events, Alive)
        desk.fault(fault="malformed", venue=venue, stream=TRADES[venue])
        desk.trade(venue, "65002")
        desk.trade(venue, "65003")
        if venue == "coinbase":
            await next_of(events, StreamGap)  # its number could not be read either
        else:
            assert (await next_of(events, Tick)).price == D(65003)
        assert exchange.skipped_frames == 1


@both
async def test_our_orders_are_reported(desk: Desk, venue: Venue) -> None:
    async with own(desk, venue) as events:
        exchange = await desk.connect(venue)
        await exchange.place(limit(venue, "u-1"))
        report = await next_of(events, Report)
        assert (report.client_order_id, report.status, report.quantity, report.filled) == ("u-1", "accepted", D("0.01"), D(0))
        await exchange.cancel(SYMBOLS[venue], "u-1")
        assert (await next_of(events, Report)).status == "cancelled"
        await exchange.place(market(venue, "u-2"))
        while (report := await next_of(events, Report)).status != "filled":
            pass
        assert (report.client_order_id, report.filled) == ("u-2", D("0.01"))
        if venue == "binance":
            assert sum(each.quantity for each in report.executions) == D("0.01")
            changed = {each.asset for each in (await next_of(events, Balances)).balances}
            assert changed >= {"BTC"}


@both
async def test_a_new_subscription_hears_again(desk: Desk, venue: Venue) -> None:
    exchange = await desk.connect(venue)
    for number in range(3):
        async with aclosing(exchange.user_stream()) as events:
            await next_of(events, Alive)
            await exchange.place(limit(venue, f"again-{number}"))
            while (await next_of(events, Report)).client_order_id != f"again-{number}":
                pass
            desk.fault(fault="drop", venue=venue, stream=USER[venue])
            desk.sandbox.step(1)
            await ends(events)


@both
async def test_a_stream_that_cannot_be_opened_is_retryable_and_a_wrong_key_is_not(desk: Desk, venue: Venue) -> None:
    exchange = await desk.connect(venue, api_key="stranger")
    with pytest.raises(Unauthorised):
        await next_of(exchange.user_stream(), Alive)
    desk.fault(fault="outage", venue=venue)
    with pytest.raises(Retryable):
        await next_of(exchange.market_stream([SYMBOLS[venue]], []), Alive)


async def test_a_mute_socket_of_coinbase_is_dead(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("market.exchanges.coinbase.streams.SILENCE", 1.5)
    async with own(desk, "coinbase") as events:
        desk.fault(fault="stall", venue="coinbase")
        await ends(events)


async def test_a_quiet_user_stream_of_binance_is_asked_whether_it_lives(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("market.exchanges.binance.streams.BEAT", 0.1)
    async with own(desk, "binance") as events:
        await next_of(events, Alive)
        monkeypatch.setattr("market.exchanges.binance.streams.OPENING", 0.1)
        desk.fault(fault="stall", venue="binance")
        await ends(events)


def test_binance_is_not_asked_for_candles_that_it_counts_in_its_own_way() -> None:
    names = stream_names(["BTC-USDT"], ["1m", "8h", "3d", "1w", "1M"], depth=False)
    assert names == [f"btcusdt@{kind}" for kind in ("aggTrade", "kline_1m", "kline_8h", "kline_1w", "kline_1M")]


async def test_subscriptions_go_out_no_faster_than_binance_takes_them(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("market.exchanges.binance.streams.CHUNK", 1)
    async with listening(desk, "binance", "1m", "5m") as events:
        desk.trade("binance", "65001")
        assert (await next_of(events, Tick)).price == D(65001)


async def test_more_streams_than_binance_takes_are_refused_with_what_would_do(desk: Desk) -> None:
    exchange = await desk.connect("binance")
    stream = exchange.market_stream([f"A{number}-USDT" for number in range(1025)], [])
    with pytest.raises(Refused, match=r"^symbols: .*1024.*1025.*fewer symbols"):
        await next_of(stream, Alive)
