"""A feed against every way in which a venue's stream fails: no candle is lost or doubled, and the feed reports what happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from redis.asyncio import Redis

from market.feed import Timing
from tests.market.exchanges.venues import OTHERS, START, SYMBOLS, Desk, Venue, until
from tests.market.feed.feeds import Running, patient, running_feed

D = Decimal
BEGIN = datetime.fromtimestamp(START / 1000, UTC)
MINUTE = timedelta(minutes=1)
both = pytest.mark.parametrize("venue", ["binance", "coinbase"])


def minutes(desk: Desk, venue: Venue, count: int, *, first: int = 1) -> list[str]:
    """Lets minutes pass, each with two trades. The decimals of the last price are the number of the minute."""
    prices = [f"65000.{number:02d}" for number in range(first, first + count)]
    for price in prices:
        desk.trade(venue, "65000.99", "0.5", seconds=20)
        desk.trade(venue, price, seconds=40)
    return prices


async def same_as_the_venue(desk: Desk, venue: Venue, running: Running, count: int) -> None:
    """The feed has handed on every candle of the market once, in order, with the venue's own values."""
    symbol = SYMBOLS[venue]
    await until(lambda: len(running.closed_candles(symbol)) >= count, f"{count} closed candles")
    found = running.closed_candles(symbol)
    exchange = await desk.connect(venue)
    theirs = await exchange.candles(symbol, "1m", BEGIN, BEGIN + count * MINUTE)
    assert [(bar.time, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in found[:count]] == [
        (bar.time, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in theirs
    ]
    assert [bar.time for bar in found] == [BEGIN + number * MINUTE for number in range(len(found))]


@both
async def test_ticks_and_closed_candles_arrive(desk: Desk, venue: Venue) -> None:
    async with running_feed(desk, venue) as running:
        await running.until_state("live")
        desk.trade(venue, "65001")
        await running.until_price(SYMBOLS[venue], "65001")
        minutes(desk, venue, 4)
        desk.sandbox.step(5_000)
        await same_as_the_venue(desk, venue, running, 4)
        status = running.statuses[-1]
        assert (status.reconnects, status.symbols, status.venue) == (0, (SYMBOLS[venue],), venue)
        assert status.messages > 0
        assert running.incidents == []


@both
async def test_while_the_socket_is_down_prices_and_candles_come_by_rest(desk: Desk, venue: Venue) -> None:
    async with running_feed(desk, venue) as running:
        await running.until_state("live")
        desk.trade(venue, "65001")
        minutes(desk, venue, 2)
        stream = "coinbase/ws*" if venue == "coinbase" else "*stream*"
        desk.fault(fault="outage", venue=venue, stream=stream)
        desk.fault(fault="drop", venue=venue)
        desk.sandbox.step(1)
        await running.until_state("polling")
        prices = minutes(desk, venue, 3, first=10)
        await running.until_price(SYMBOLS[venue], prices[-1])
        desk.sandbox.step(5_000)
        await same_as_the_venue(desk, venue, running, 5)
        desk.sandbox.do(desk.sandbox.sandbox.faults.clear)
        await running.until_state("live")
        last = minutes(desk, venue, 2, first=20)[-1]
        await running.until_price(SYMBOLS[venue], last)
        desk.sandbox.step(5_000)
        await same_as_the_venue(desk, venue, running, 7)
        (downtime,) = running.over("downtime")
        assert downtime.begin <= (downtime.end or downtime.begin)
        assert running.statuses[-1].reconnects == 1
        assert running.states == ["connecting", "live", "polling", "live"]


@both
async def test_a_mute_stream_is_found_out_and_opened_anew(desk: Desk, venue: Venue) -> None:
    async with running_feed(desk, venue) as running:
        await running.until_state("live")
        desk.trade(venue, "65001")
        await running.until_price(SYMBOLS[venue], "65001")
        desk.fault(fault="stall", venue=venue)
        desk.trade(venue, "65055.5")
        await until(lambda: any(each.kind == "silence" for each in running.incidents), "an incident")
        desk.sandbox.do(desk.sandbox.sandbox.faults.clear)
        await until(lambda: bool(running.over("silence")), "its end")
        desk.trade(venue, "65066.5")
        await running.until_price(SYMBOLS[venue], "65066.5")
        assert running.incidents[0].symbol == SYMBOLS[venue]
        assert running.statuses[-1].reconnects >= 1


@both
async def test_a_quiet_market_is_no_mute_stream(desk: Desk, venue: Venue) -> None:
    async with running_feed(desk, venue, timing=patient(silence=0.05, settle=0.02)) as running:
        await running.until_state("live")
        desk.trade(venue, "65001")
        await until(lambda: running.prices(SYMBOLS[venue]).count(D(65001)) > 3, "prices that REST bears out")
        assert running.incidents == []
        assert running.statuses[-1].reconnects == 0


@both
async def test_a_socket_without_a_word_is_borne_out_by_rest_and_soon_counts_as_mute(desk: Desk, venue: Venue) -> None:
    async with running_feed(desk, venue, timing=patient(silence=3600, hush=0.05)) as running:
        await running.until_state("live")
        desk.trade(venue, "65001")
        await running.until_price(SYMBOLS[venue], "65001")
        desk.fault(fault="stall", venue=venue)
        desk.sandbox.step(60_000)
        later = datetime.fromtimestamp(desk.sandbox.sandbox.tape.now / 1000, UTC)
        await until(lambda: running.statuses[-1].last_message_at == later, "word of the venue by REST")
        assert running.incidents == []
        desk.trade(venue, "65055.5")
        await until(lambda: any(each.kind == "silence" for each in running.incidents), "an incident")
        await running.until_price(SYMBOLS[venue], "65055.5")


@both
async def test_what_the_stream_lost_is_told_and_fetched(desk: Desk, venue: Venue) -> None:
    async with running_feed(desk, venue) as running:
        await running.until_state("live")
        desk.trade(venue, "65001")
        await running.until_price(SYMBOLS[venue], "65001")
        stream = {"binance": "*@aggTrade", "coinbase": "market_trades"}[venue]
        desk.fault(fault="gap", venue=venue, stream=stream)
        minutes(desk, venue, 3)
        desk.sandbox.step(5_000)
        await until(lambda: bool(running.gaps), "a gap")
        await same_as_the_venue(desk, venue, running, 3)
        await until(lambda: running.statuses[-1].gaps == 1, "its count")
        assert [each.kind for each in running.incidents if each.kind == "gap"] == ["gap"]


async def test_a_closed_candle_that_never_came_is_asked_for_before_the_next_is_told(desk: Desk) -> None:
    async with running_feed(desk, "binance", timing=patient(late=3600)) as running:
        await running.until_state("live")
        desk.trade("binance", "65001")
        desk.fault(fault="gap", venue="binance", stream="*@kline_1m", times=4)
        minutes(desk, "binance", 4)
        await same_as_the_venue(desk, "binance", running, 3)


@both
async def test_it_goes_on_from_the_candle_that_the_caller_has(desk: Desk, venue: Venue) -> None:
    symbol = SYMBOLS[venue]
    async with running_feed(desk, venue, closed={(symbol, "1m"): BEGIN - 4 * MINUTE}) as running:
        desk.sandbox.step(1000)
        await until(lambda: len(running.closed_candles(symbol)) == 3, "three candles of the past")
        assert [bar.time for bar in running.closed_candles(symbol)] == [BEGIN - number * MINUTE for number in (3, 2, 1)]


@both
async def test_a_new_symbol_joins_and_without_any_it_pauses(desk: Desk, venue: Venue) -> None:
    symbol, other = SYMBOLS[venue], OTHERS[venue]
    async with running_feed(desk, venue) as running:
        await running.until_state("live")
        running.wanted.set([symbol, other], ["1m", "5m"])
        await until(lambda: bool(running.over("reconnect")), "a new subscription")
        await running.until_state("live")
        desk.trade(venue, "3333.5", symbol=other)
        await running.until_price(other, "3333.5")
        running.wanted.set([symbol], ["1m"])
        desk.trade(venue, "3344.5", symbol=other)
        desk.trade(venue, "65044.5")
        await running.until_price(symbol, "65044.5")
        assert D("3344.5") not in running.prices(other)
        running.wanted.set([], ["1m"])
        await running.until_state("paused")
        running.wanted.set([symbol], ["1m"])
        await running.until_state("live")
        assert not [each for each in running.incidents if each.kind == "downtime"]


@both
async def test_a_slow_handler_gets_the_newest_tick_and_every_closed_candle(desk: Desk, venue: Venue) -> None:
    async with running_feed(desk, venue) as running:
        await running.until_state("live")
        desk.trade(venue, "65001")
        await running.until_price(SYMBOLS[venue], "65001")
        running.gate.clear()
        last = minutes(desk, venue, 30)[-1]
        desk.sandbox.step(5_000)
        await until(lambda: running.statuses[-1].coalesced > 20, "ticks that newer ones replaced")
        running.gate.set()
        await same_as_the_venue(desk, venue, running, 30)
        await running.until_price(SYMBOLS[venue], last)
        assert len(running.prices(SYMBOLS[venue])) < 62


async def test_a_handler_that_fails_loses_one_event_only(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    async with running_feed(desk, "binance") as running:
        await running.until_state("live")
        events, running.events = running.events, None  # type: ignore[assignment]
        desk.trade("binance", "65001")
        await until(lambda: "handler failed" in caplog.text, "an error that is logged")
        running.events = events
        desk.trade("binance", "65002")
        await running.until_price("BTC-USDT", "65002")


@both
async def test_a_symbol_that_is_not_listed_costs_the_others_nothing(desk: Desk, venue: Venue) -> None:
    async with running_feed(desk, venue, symbols=[SYMBOLS[venue], "NO-SUCH"]) as running:
        await running.until_state("live")
        desk.trade(venue, "65001.5")
        await running.until_price(SYMBOLS[venue], "65001.5")


@both
async def test_without_any_prices_it_is_stale(desk: Desk, venue: Venue) -> None:
    async with running_feed(desk, venue) as running:
        await running.until_state("live")
        desk.fault(fault="outage", venue=venue)
        desk.sandbox.step(1)
        await running.until_state("stale")
        desk.sandbox.do(desk.sandbox.sandbox.faults.clear)
        await desk.redis.delete(f"exchange:{venue}:sandbox:breaker")
        await running.until_state("live")


async def test_redis_that_is_gone_costs_no_tick(desk: Desk, redis: Redis) -> None:
    desk.redis = Redis.from_url("redis://127.0.0.1:1/0")
    with pytest.raises(Exception, match="budget"):
        await desk.connect("binance")  # a clock that was never measured signs nothing
    desk.redis = redis
    async with running_feed(desk, "binance") as running:
        await running.until_state("live")
        await redis.connection_pool.disconnect()
        desk.trade("binance", "65001")
        await running.until_price("BTC-USDT", "65001")


def test_it_waits_5_10_20_40_and_then_60_seconds_with_jitter() -> None:
    timing = Timing()
    assert [timing.wait(attempt, 0.5) for attempt in range(7)] == [5, 10, 20, 40, 60, 60, 60]
    assert timing.wait(0, 0.0) == pytest.approx(4)
    assert timing.wait(99, 1.0) == pytest.approx(72)


async def test_a_goodbye_of_the_venue_costs_no_wait(desk: Desk) -> None:
    """A planned end is no downtime, and what is missed between the connections is filled."""
    async with running_feed(desk, "binance", timing=patient(backoff=(3600,))) as running:
        await running.until_state("live")
        minutes(desk, "binance", 2)
        desk.fault(fault="say", venue="binance", stream="*@aggTrade", set={"stream": "!serverShutdown", "data.e": "serverShutdown"})
        minutes(desk, "binance", 2, first=10)
        await until(lambda: bool(running.over("reconnect")), "the next connection")
        desk.sandbox.step(5_000)
        await same_as_the_venue(desk, "binance", running, 4)
        assert not [each for each in running.incidents if each.kind == "downtime"]
        desk.fault(fault="say", venue="binance", stream="*@aggTrade", set={"data.e": "serverShutdown"})
        desk.trade("binance", "65002")
        await running.until_state("polling")  # once more, and it waits as for any other loss
