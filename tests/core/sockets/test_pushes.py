"""Pushes and prices reach every process, and never hold up whoever sends them."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from channels.layers import get_channel_layer
from redis import Redis

from core import broker
from core.push import group_channel, push_message, pushing_later
from market.exchanges.base import Tick
from market.prices import prices_all, prices_get, prices_put
from tests.running import wait_for
from tests.trading.live.fixtures import clear_prices

pytestmark = pytest.mark.services
PAIR = ("binance", "live", "BTC-USDT")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    clear_prices()
    yield
    broker.Pause.until = 0.0


@pytest.fixture
def away(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """A broker that is not there; what is put at the path is taken for it."""
    path = tmp_path / "broker.sock"
    settings.CHANNEL_LAYERS = {
        "default": {**settings.CHANNEL_LAYERS["default"], "CONFIG": {"hosts": [{"address": f"unix://{path}"}]}}
    }
    broker.broker_client.cache_clear()
    yield path
    broker.broker_client.cache_clear()


def tick(price: str = "100", symbol: str = "BTC-USDT", **given: Any) -> Tick:
    return Tick("binance", symbol, Decimal(price), datetime(2026, 1, 1, tzinfo=UTC), **given)


def put(*ticks: Tick) -> None:
    prices_put(venue="binance", environment="live", ticks=ticks)


async def test_pushes_that_nobody_waits_for_arrive_in_their_order_and_before_the_end() -> None:
    layer = get_channel_layer()
    assert layer is not None
    channel = await layer.new_channel()
    await layer.group_add("some.group", channel)
    with pushing_later():
        for number in range(20):
            push_message("some.group", "news", number=number)
    heard = [await asyncio.wait_for(layer.receive(channel), 5) for _ in range(20)]
    assert [message["payload"]["number"] for message in heard] == list(range(20))


async def test_a_push_reaches_whoever_is_in_the_group() -> None:
    layer = get_channel_layer()
    assert layer is not None
    channel = await layer.new_channel()
    await layer.group_add("some.group", channel)
    pushing = threading.Thread(target=push_message, args=("some.group", "news"), kwargs={"number": 3, "text": "é", "nothing": None})
    pushing.start()
    assert await layer.receive(channel) == {
        "type": "pushed",
        "kind": "news",
        "payload": {"number": 3, "text": "é", "nothing": None},
    }
    pushing.join()
    await layer.group_discard("some.group", channel)


def test_a_push_that_cannot_be_written_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    push_message("live", "fill", price=object())
    assert "push fill to live cannot be written" in caplog.text


def test_a_broker_that_is_down_is_asked_once_a_while(away: Path) -> None:
    push_message("live", "fill")
    until = broker.Pause.until
    assert until > time.monotonic()
    push_message("live", "fill")
    assert broker.Pause.until == until
    assert prices_get([PAIR]) == {}


def test_a_broker_that_takes_calls_and_never_answers_holds_nobody_up(away: Path) -> None:
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(away))
        deaf.listen()
        push_message("live", "fill")
    assert broker.Pause.until > time.monotonic()
    assert broker.CONNECTED_IN + broker.HURRIED < 0.1


def test_pushes_go_on_when_the_broker_is_back() -> None:
    server = Redis.from_url(broker.broker_address())
    listening = server.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
    listening.subscribe(group_channel("back"))
    listening.get_message(timeout=5)
    push_message("back", "before")
    server.client_kill_filter(_type="normal", skipme=True)  # what a restart does to every idle connection
    push_message("back", "lost")
    wait_for(lambda: broker.Pause.until < time.monotonic(), "a broker that is asked again")
    push_message("back", "after")
    heard: list[bytes] = []

    def after() -> bool:
        message = listening.get_message(timeout=0.1)
        heard.extend([message["data"]] if message else [])
        return any(b"after" in data for data in heard)

    wait_for(after, "the push after the restart")
    listening.close()


def test_the_newest_price_is_exact_and_has_both_sides() -> None:
    put(tick("1"), tick("0.000000012345678901", bid=Decimal("0.00000001"), ask=None))
    found = prices_get([PAIR, ("coinbase", "live", "BTC-USDT"), ("binance", "sandbox", "BTC-USDT")])
    assert list(found) == [PAIR]
    assert (found[PAIR].price, found[PAIR].bid, found[PAIR].ask) == (Decimal("0.000000012345678901"), Decimal("0.00000001"), None)
    assert found[PAIR].time == datetime(2026, 1, 1, tzinfo=UTC)
    assert not found[PAIR].stale  # by when it was heard, whatever the venue's clock says


def test_all_prices_of_some_feeds_come_in_order() -> None:
    put(tick("2", "ETH-USDT"), tick("1"))
    prices_put(venue="coinbase", environment="live", ticks=[tick("3", "BTC-USD")])
    found = prices_all([("coinbase", "live"), ("binance", "live"), ("binance", "sandbox")])
    assert [pair[2] for pair in found] == ["BTC-USDT", "ETH-USDT", "BTC-USD"]
    assert prices_all([]) == {}
    assert prices_get([]) == {}
