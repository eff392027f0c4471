"""`/ws/market/`: clients get what they ask for, thinned to the newest, and every closed candle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from channels.db import database_sync_to_async
from hypothesis import given
from hypothesis import strategies as st

from core.hub import Outbox
from core.push import push_message
from market.consumers import GAP, MOST_SYMBOLS, MarketHub, Thinner
from tests.core.sockets.clients import Client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]
Headers = list[tuple[bytes, bytes]]
MARKET = "/ws/market/"


def tick(price: int, symbol: str = "BTC-USDT", venue: str = "binance", environment: str = "live") -> dict[str, Any]:
    named = {"venue": venue, "environment": environment, "symbol": symbol}
    return {**named, "price": str(price), "bid": None, "ask": None, "time": "2026-01-01T00:00:00Z"}


def candle(close: int, minute: int = 0, *, closed: bool = False) -> dict[str, Any]:
    prices = {"open": "1", "high": "9", "low": "1", "close": str(close), "volume": "3"}
    named = {"venue": "binance", "environment": "live", "symbol": "BTC-USDT", "interval": "1m"}
    return {**named, "time": f"2026-01-01T00:{minute:02}:00Z", **prices, "closed": closed}


async def batch(**lists: list[dict[str, Any]]) -> None:
    await database_sync_to_async(lambda: push_message("market", "batch", **lists))()


async def subscribed(client: Client, *symbols: str) -> None:
    before = len(client.got)
    await client.ask(action="subscribe", symbols=list(symbols))
    assert (await client.until_heard(before + 1))[-1]["type"] == "subscribed"


def payloads(client: Client, kind: str) -> list[dict[str, Any]]:
    return [message["payload"] for message in client.got if message["type"] == kind]


async def test_a_client_gets_the_symbols_that_it_asked_for(headers: Headers) -> None:
    async with Client(MARKET, headers) as anywhere, Client(MARKET, headers) as sandbox:
        await subscribed(anywhere, "btc/usdt")
        await subscribed(sandbox, "binance:sandbox:BTC-USDT", "coinbase-sandbox:ETH-USD")
        await batch(ticks=[tick(1), tick(2, environment="sandbox"), tick(3, "ETH-USD", "coinbase", "sandbox"), tick(4, "ETH-USD")])
        await anywhere.until_heard(3)
        await sandbox.until_heard(3)
        assert payloads(anywhere, "tick") == [tick(1), tick(2, environment="sandbox")]
        assert payloads(sandbox, "tick") == [tick(2, environment="sandbox"), tick(3, "ETH-USD", "coinbase", "sandbox")]
        assert set(anywhere.got[-1]) == {"type", "seq", "ts", "correlation_id", "payload"}


async def test_what_was_given_up_comes_no_more(headers: Headers) -> None:
    async with Client(MARKET, headers) as client:
        await subscribed(client, "BTC-USDT", "ETH-USDT")
        await client.ask(action="unsubscribe", symbols=["BTC-USDT"])
        assert (await client.until_heard(2))[-1]["payload"] == {"symbols": ["ETH-USDT"]}
        await batch(ticks=[tick(1), tick(2, "ETH-USDT")])
        await client.until_heard(3)
        assert payloads(client, "tick") == [tick(2, "ETH-USDT")]


async def test_the_state_of_streams_goes_to_everybody(headers: Headers) -> None:
    async with Client(MARKET, headers) as client:
        await subscribed(client)
        stream = {"venue": "binance", "environment": "live", "state": "stale"}
        await batch(streams=[stream])
        await client.until_heard(2)
        assert payloads(client, "stream_status") == [stream]


async def test_ticks_are_thinned_and_the_newest_wins(headers: Headers) -> None:
    async with Client(MARKET, headers) as client:
        await subscribed(client, "BTC-USDT")
        for price in range(200):
            await batch(ticks=[tick(price)])
        await client.until(lambda: bool(payloads(client, "tick")) and payloads(client, "tick")[-1] == tick(199))
        prices = [int(one["price"]) for one in payloads(client, "tick")]
        assert prices == sorted(prices)
        assert prices[0] == 0


class Clock:
    """In the place of an event loop: time passes, and what is due is done, when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0
        self.due: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, moment: float, work: Callable[[], None]) -> object:
        self.due.append((moment, work))
        return work

    def pass_time(self, seconds: float) -> None:
        end = self.now + seconds
        while self.due and min(one[0] for one in self.due) <= end:
            self.due.sort(key=lambda one: one[0])
            self.now, work = self.due.pop(0)
            work()
        self.now = end


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 0.2)), max_size=80))
def test_no_symbol_is_told_more_than_four_times_a_second_and_each_ends_at_its_newest(entries: list[tuple[str, float]]) -> None:
    clock, told = Clock(), defaultdict[str, list[tuple[float, int]]](list)
    thinner = Thinner(lambda key, entry: told[key[0]].append((clock.now, entry["number"])), clock)  # type: ignore[arg-type]
    newest: dict[str, int] = {}
    for number, (key, pause) in enumerate(entries):
        thinner.take((key,), {"number": number})
        newest[key] = number
        clock.pass_time(pause)
    clock.pass_time(GAP)
    assert {key: rows[-1][1] for key, rows in told.items()} == newest
    for rows in told.values():
        assert all(after[0] - before[0] >= GAP - 1e-9 for before, after in pairwise(rows))


async def test_a_closed_candle_is_never_left_out_or_overtaken(headers: Headers) -> None:
    async with Client(MARKET, headers) as client:
        await subscribed(client, "BTC-USDT")
        for minute in range(5):
            await batch(candles=[candle(1, minute), candle(2, minute), candle(3, minute, closed=True)])
        await batch(candles=[candle(5, 5)])
        await client.until(lambda: bool(payloads(client, "candle")) and payloads(client, "candle")[-1] == candle(5, 5))
        got = payloads(client, "candle")
        assert [one for one in got if one["closed"]] == [candle(3, minute, closed=True) for minute in range(5)]
        assert [one["time"] for one in got] == sorted(one["time"] for one in got)


def test_a_waiting_state_never_overtakes_the_candle_that_closed_before_it() -> None:
    outbox = Outbox(10)
    for text, key in (("growing 1", "growing"), ("closed 1", None), ("growing 2", "growing")):
        outbox.put(text, key)
    assert list(outbox.waiting.values()) == ["closed 1", "growing 2"]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"action": "buy"}, "action"),
        ({"action": "subscribe"}, "symbols"),
        ({"action": "subscribe", "symbols": "BTC-USDT"}, "symbols"),
        ({"action": "subscribe", "symbols": ["nonsense"]}, "symbol"),
        ({"action": "subscribe", "symbols": ["binance:moon:BTC-USDT"]}, "symbols"),
        ({"action": "subscribe", "symbols": [f"A{number}-USD" for number in range(MOST_SYMBOLS + 1)]}, "symbols"),
        ({"action": "subscribe", "symbols": ["A" * 70_000]}, "symbols"),
    ],
)
async def test_what_makes_no_sense_is_said_and_the_socket_stays(headers: Headers, request_: dict[str, Any], field: str) -> None:
    async with Client(MARKET, headers) as client:
        await client.ask(**request_)
        error = (await client.until_heard())[0]
        assert (error["type"], list(error["payload"]["fields"])) == ("error", [field])
        await subscribed(client, "BTC-USDT")


async def test_text_that_is_no_json_is_said(headers: Headers) -> None:
    async with Client(MARKET, headers) as client:
        await client.asked.put({"type": "websocket.receive", "text": "{"})
        assert (await client.until_heard())[0]["payload"]["message"] == "This is not JSON."


async def test_a_client_that_is_gone_leaves_nothing_behind(headers: Headers) -> None:
    async with Client(MARKET, headers) as client:
        await subscribed(client, "BTC-USDT")
        hub = MarketHub.here()
        assert hub.subscribers
    assert not hub.subscribers
    assert not hub.clients
