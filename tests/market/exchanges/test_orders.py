"""The order path over the real libraries, on both venues: each order happens once, and every outcome gets its right name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from redis.asyncio import Redis

from market.exchanges import connect
from market.exchanges.base import (
    Endpoint,
    NotFoundAtVenue,
    OrderRequest,
    RateLimited,
    Refused,
    Report,
    Retryable,
    Unauthorised,
    Unknown,
)
from market.exchanges.breaker import Breaker
from market.exchanges.budget import Budget
from market.sandbox.server import running_sandbox
from tests.market.exchanges.venues import OTHERS, SCENARIO, START, SYMBOLS, Desk, Venue, limit, market

D = Decimal
BEGIN = datetime.fromtimestamp(START / 1000, UTC)
both = pytest.mark.parametrize("venue", ["binance", "coinbase"])
ORDER_PATH = {"binance": "/api/v3/order", "coinbase": "/api/v3/brokerage/orders"}
CANCEL_PATH = {"binance": "/api/v3/order", "coinbase": "/api/v3/brokerage/orders/batch_cancel"}


@both
async def test_market_data_by_rest(desk: Desk, venue: Venue) -> None:
    exchange = await desk.connect(venue)
    symbol, other = SYMBOLS[venue], OTHERS[venue]
    (rules,) = await exchange.instruments([symbol])
    assert (rules.symbol, rules.tick_size, rules.trading) == (symbol, D("0.01"), True)
    assert {each.symbol for each in await exchange.instruments()} > {symbol, other}
    ticks = {tick.symbol: tick for tick in await exchange.tickers([symbol, other])}
    prices = desk.sandbox.exchange(venue).markets
    assert {name: tick.price for name, tick in ticks.items()} == {name: prices[name].book.last for name in (symbol, other)}
    depth = await exchange.depth(symbol, 5)
    assert depth.bids[0][0] < depth.asks[0][0]
    assert list(depth.bids) == sorted(depth.bids, reverse=True)


@both
@pytest.mark.parametrize(("interval", "count"), [("1m", 60), ("5m", 12), ("15m", 4), ("1h", 1)])
async def test_candles_are_the_venues_own(desk: Desk, venue: Venue, interval: str, count: int) -> None:
    exchange, hour = await desk.connect(venue), timedelta(hours=1)
    begin = BEGIN.replace(minute=0) - hour
    minutes = await exchange.candles(SYMBOLS[venue], "1m", begin, begin + hour)
    bars = await exchange.candles(SYMBOLS[venue], interval, begin, begin + hour)
    assert len(bars) == count
    assert all(bar.closed and begin <= bar.time < begin + hour for bar in bars)
    assert (bars[0].open, bars[-1].close) == (minutes[0].open, minutes[-1].close)
    assert sum(bar.volume for bar in bars) == sum(bar.volume for bar in minutes)
    assert max(bar.high for bar in bars) == max(bar.high for bar in minutes)


@both
async def test_the_account_by_rest(desk: Desk, venue: Venue) -> None:
    exchange = await desk.connect(venue)
    balances = {each.asset: each for each in await exchange.balances()}
    assert (balances["BTC"].free, balances["BTC"].held) == (D(2), D(0))
    tier = await exchange.fee_tier(SYMBOLS[venue])
    assert (tier.maker, tier.taker) == {"binance": (D("0.001"), D("0.001")), "coinbase": (D("0.004"), D("0.006"))}[venue]
    permissions = await exchange.permissions()
    assert (permissions.can_read, permissions.can_trade, permissions.can_withdraw) == (True, True, False)


@both
async def test_the_life_of_a_resting_order(desk: Desk, venue: Venue) -> None:
    exchange, symbol = await desk.connect(venue), SYMBOLS[venue]
    placed = await exchange.place(limit(venue, "life-1"))
    assert (placed.client_order_id, placed.status, placed.filled) == ("life-1", "accepted", D(0))
    (opened,) = await exchange.open_orders([symbol])
    assert isinstance(opened, Report)
    assert (opened.client_order_id, opened.venue_order_id) == ("life-1", placed.venue_order_id)
    assert (opened.quantity, opened.limit, opened.side, opened.type) == (D("0.01"), D(60000), "buy", "limit")
    assert await exchange.open_orders([OTHERS[venue]]) == []
    assert (await exchange.order(symbol, "life-1")).status == "accepted"
    cancelled = await exchange.cancel(symbol, "life-1")
    assert (cancelled.client_order_id, cancelled.status) == ("life-1", "cancelled")
    with pytest.raises(NotFoundAtVenue):
        await exchange.cancel(symbol, "life-1")
    assert (await exchange.order(symbol, "", placed.venue_order_id)).status == "cancelled"
    with pytest.raises(NotFoundAtVenue):
        await exchange.order(symbol, "never-sent")


@both
async def test_executions_come_to_what_is_filled(desk: Desk, venue: Venue) -> None:
    exchange, symbol = await desk.connect(venue), SYMBOLS[venue]
    placed = await exchange.place(market(venue, "fill-1", "0.5"))
    report = await exchange.order(symbol, "fill-1")
    assert (report.status, report.filled) == ("filled", D("0.5"))
    assert len(report.executions) > 1
    assert sum(each.quantity for each in report.executions) == D("0.5")
    ours = desk.sandbox.exchange(venue).accounts
    theirs = [fill for account in ours.values() for fill in account.fills]
    assert [(each.price, each.quantity, each.fee, each.fee_asset) for each in report.executions] == [
        (fill.price, fill.qty, fill.fee, fill.fee_asset) for fill in theirs
    ]
    fills = await exchange.fills(symbol, BEGIN - timedelta(hours=1))
    assert [execution for _, execution in fills] == list(report.executions)
    assert {order for order, _ in fills} == {placed.venue_order_id}


@both
async def test_the_same_id_never_places_twice(desk: Desk, venue: Venue) -> None:
    exchange = await desk.connect(venue)
    first, second = await exchange.place(limit(venue, "once")), await exchange.place(limit(venue, "once"))
    assert first.venue_order_id == second.venue_order_id
    assert desk.orders_at(venue) == 1


@both
@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": D("1E-9")},
        {"limit": D("60000.001")},
        {"quantity": D(3)},
        {"symbol": "NO-SUCH"},
        {"time_in_force": "post_only", "limit": D(66000)},
    ],
    ids=["lot", "tick", "balance", "symbol", "post_only"],
)
async def test_what_the_venue_does_not_take_is_refused_with_its_reason(desk: Desk, venue: Venue, changes: dict[str, Any]) -> None:
    exchange = await desk.connect(venue)
    with pytest.raises(Refused) as refusal:
        await exchange.place(replace(limit(venue, "bad"), **changes))
    assert str(refusal.value)
    assert refusal.value.code
    assert desk.orders_at(venue) == 0


@both
async def test_an_order_whose_answer_is_lost_is_unknown_and_can_be_asked_for(desk: Desk, venue: Venue, impatient: None) -> None:
    exchange = await desk.connect(venue)
    desk.fault(fault="timeout_after", venue=venue, path=ORDER_PATH[venue])
    with pytest.raises(Unknown):
        await exchange.place(limit(venue, "lost"))
    assert (await exchange.order(SYMBOLS[venue], "lost")).status == "accepted"
    assert desk.orders_at(venue) == 1


@both
async def test_an_order_that_never_arrived_is_unknown_too(desk: Desk, venue: Venue, impatient: None) -> None:
    exchange = await desk.connect(venue)
    desk.fault(fault="timeout_before", venue=venue, path=ORDER_PATH[venue])
    with pytest.raises(Unknown):
        await exchange.place(limit(venue, "gone"))
    with pytest.raises(NotFoundAtVenue):
        await exchange.order(SYMBOLS[venue], "gone")


@both
@pytest.mark.parametrize("fault", [{"fault": "error", "status": 503}, {"fault": "malformed"}, {"fault": "outage", "times": 2}])
async def test_orders_are_unknown_and_questions_retryable(desk: Desk, venue: Venue, fault: dict[str, Any]) -> None:
    exchange = await desk.connect(venue)
    desk.fault(**fault, venue=venue, path="*")
    with pytest.raises(Unknown):
        await exchange.place(limit(venue, "unsure"))
    desk.fault(**fault, venue=venue, path="*")
    with pytest.raises(Retryable):
        await exchange.tickers([SYMBOLS[venue]])


@both
async def test_a_cancellation_whose_answer_is_lost_is_unknown(desk: Desk, venue: Venue, impatient: None) -> None:
    exchange = await desk.connect(venue)
    await exchange.place(limit(venue, "c-1"))
    desk.fault(fault="timeout_after", venue=venue, path=CANCEL_PATH[venue])
    with pytest.raises(Unknown):
        await exchange.cancel(SYMBOLS[venue], "c-1")
    assert (await exchange.order(SYMBOLS[venue], "c-1")).status == "cancelled"


@both
@pytest.mark.parametrize("fault", ["rate_limit", "ban"])
async def test_a_rate_limit_of_the_venue_stops_every_process(desk: Desk, venue: Venue, fault: str) -> None:
    one, other = await desk.connect(venue), await desk.connect(venue)
    desk.fault(fault=fault, venue=venue, path="*", retry_after=30)
    with pytest.raises(RateLimited) as refusal:
        await one.balances()
    assert refusal.value.after == pytest.approx(30)
    with pytest.raises(RateLimited):
        await other.place(limit(venue, "later"))
    assert desk.orders_at(venue) == 0


@both
async def test_a_venue_that_is_down_is_left_alone(desk: Desk, venue: Venue) -> None:
    asked: list[str] = []
    watched = desk.exchange(venue, count=asked.append)
    await watched.connect()
    desk.fault(fault="error", venue=venue, path="*", times=100)
    for _ in range(5):
        with pytest.raises(Retryable):
            await watched.tickers([SYMBOLS[venue]])
    with pytest.raises(Retryable, match="not asked"):
        await watched.place(limit(venue, "no"))
    assert asked == ["ok", *["503"] * 5]
    await watched.close()


@both
async def test_a_venue_that_cannot_be_reached_has_got_nothing(redis: Redis, venue: Venue) -> None:
    async with AsyncExitStack() as stack:
        with running_sandbox(SCENARIO) as sandbox:
            exchange = await Desk(sandbox, redis, stack).connect(venue)
        with pytest.raises(Retryable, match="nothing was sent"):
            await exchange.place(limit(venue, "nowhere"))


@both
@pytest.mark.parametrize("skew", [5000, -5000, 60_000])
async def test_a_clock_that_is_off_is_set(desk: Desk, venue: Venue, skew: int) -> None:
    desk.fault(fault="clock_skew", venue=venue, skew=skew)
    exchange = await desk.connect(venue)
    assert await exchange.clock_offset() == pytest.approx(skew / 1000, abs=1)
    assert (await exchange.place(limit(venue, "skew"))).status == "accepted"


@both
async def test_a_clock_that_goes_off_while_we_run_costs_no_question(desk: Desk, venue: Venue) -> None:
    exchange = await desk.connect(venue)
    desk.fault(fault="clock_skew", venue=venue, skew=-60_000)
    assert await exchange.balances()
    desk.sandbox.do(desk.sandbox.sandbox.faults.clear)
    with pytest.raises(Retryable) as problem:
        await exchange.place(limit(venue, "then"))
    assert problem.value.code == "clock"
    assert (await exchange.place(limit(venue, "then"))).status == "accepted"


@both
async def test_a_wrong_key_is_named_and_never_shown(desk: Desk, venue: Venue) -> None:
    exchange, right = await desk.connect(venue, api_key="stranger"), desk.endpoint(venue)
    with pytest.raises(Unauthorised) as refusal:
        await exchange.balances()
    with pytest.raises(Unauthorised):
        await exchange.place(limit(venue, "none"))
    for secret in (right.api_secret, right.api_key, "stranger"):
        assert secret not in f"{refusal.value!r} {right!r}"


@pytest.mark.parametrize(("venue", "secret"), [("coinbase", "no key at all"), ("binance", "-----BEGIN PRIVATE KEY-----\nno\n")])
async def test_a_secret_that_is_no_key_is_said_before_anything_is_sent(desk: Desk, venue: Venue, secret: str) -> None:
    with pytest.raises(Unauthorised, match="api_secret"):
        await desk.connect(venue, api_secret=secret)


async def test_a_binance_secret_that_does_not_fit_is_refused(desk: Desk) -> None:
    exchange = await desk.connect("binance", api_secret="wrong")
    with pytest.raises(Unauthorised):
        await exchange.balances()


@both
async def test_without_a_key_there_is_market_data_only(desk: Desk, venue: Venue) -> None:
    exchange = await desk.connect(venue, api_key="", api_secret="")
    assert await exchange.tickers([SYMBOLS[venue]])
    assert await exchange.candles(SYMBOLS[venue], "1m", BEGIN - timedelta(minutes=2), BEGIN)
    with pytest.raises(Unauthorised):
        await exchange.balances()


@pytest.mark.parametrize("name", ["venue", "rest", "ws", "ws_api", "ws_user"])
async def test_a_venue_that_is_none_and_an_address_in_the_clear_are_refused(redis: Redis, name: str) -> None:
    good = Endpoint("binance", "live")
    changes: dict[str, Any] = {name: "kraken" if name == "venue" else "http://exchange.example/"}
    bad = replace(good, **changes)
    with pytest.raises(Refused, match=f"^{name}:"):
        connect(bad, budget=Budget(redis, good), breaker=Breaker(redis, good))


@both
async def test_what_the_venue_counts_is_known_to_the_budget(desk: Desk, venue: Venue) -> None:
    exchange = await desk.connect(venue)
    await exchange.instruments()
    await exchange.balances()
    name = {"binance": "weight", "coinbase": "requests"}[venue]
    counts = [int(await desk.redis.get(key) or 0) async for key in desk.redis.scan_iter(f"exchange:{venue}:sandbox:*{name}:*")]
    assert sum(counts) >= {"binance": 41, "coinbase": 3}[venue]


async def test_concurrent_orders_read_their_own_headers(desk: Desk) -> None:
    exchange = await desk.connect("binance")
    orders: list[OrderRequest] = [limit("binance", f"many-{number}") for number in range(20)]
    calls: list[Awaitable[Any]] = [exchange.place(order) for order in orders]
    reports = await asyncio.gather(*calls)
    assert [report.client_order_id for report in reports] == [order.client_order_id for order in orders]
    used = [int(await desk.redis.get(key) or 0) async for key in desk.redis.scan_iter("exchange:binance:sandbox:1:orders:*")]
    assert sum(used) >= 20
