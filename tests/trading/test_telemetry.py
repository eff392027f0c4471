"""What the desk reports about itself: the metrics of all processes at one address, clocks, and the doctor's lines."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from core.broker import broker_client
from core.exposition import INDEX, metrics_put
from core.models import Event
from market.clocks import clock_put, clocks_get
from market.connections import open_exchange
from market.exchanges.base import Endpoint, Exchange
from market.sandbox.server import RunningSandbox, running_sandbox
from operations.diagnosis import check_streams
from tests.broker import forget_keys
from tests.market.exchanges.venues import SCENARIO
from tests.trading.live.fixtures import Rows, clear_prices, rows
from trading import metrics
from trading.live.clock import VenueClock
from wallets.models import WalletBalance

__all__ = ["rows"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]
NAMES = tuple(
    """
websocket_connection_status websocket_reconnections websocket_subscribers websocket_messages websocket_broadcast_duration_seconds
redis_connection_pool_active redis_operation_duration_seconds market_ticks tick_processing_seconds bot_evaluation_seconds
bot_evaluation_backlog order_submit_seconds orders fills trades_blocked account_cache_hits account_cache_misses exchange_requests
exchange_rate_limited circuit_breaker_state portfolio_value bot_pnl bots_active backtests backtest_duration_seconds
""".split()  # noqa: SIM905
)


@pytest.fixture
def quiet() -> None:
    """No figures and clocks of another test."""
    clear_prices()
    forget_keys(f"{INDEX}*")
    cache.clear()


def families() -> dict[str, Any]:
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    text = answer.content.decode()
    found = list(text_string_to_metric_families(text))
    names = [family.name for family in found]
    assert len(names) == len(set(names)), "a family stands there twice"
    return {family.name: family for family in found}


def test_every_promised_metric_is_there(quiet: None, db: None) -> None:
    there = families()
    assert [name for name in NAMES if name not in there] == []


def test_the_figures_of_other_processes_are_told_with_their_name(quiet: None, db: None) -> None:
    metrics.ticks.labels("far-away").inc(3)
    metrics_put("stream:there:7")
    samples = families()["market_ticks"].samples
    mine = [one for one in samples if one.name == "market_ticks_total" and one.labels["venue"] == "far-away"]
    assert {one.labels.get("process"): one.value for one in mine} == {None: 3.0, "stream:there:7": 3.0}


def test_a_process_that_is_gone_is_told_no_more(quiet: None, db: None) -> None:
    metrics_put("stream:there:7")
    broker_client(0.5).zadd(INDEX, {"stream:there:7": 1.0})
    assert not [one for family in families().values() for one in family.samples if "process" in one.labels]


def test_the_dashboard_asks_for_metrics_that_there_are(quiet: None, db: None) -> None:
    board = json.loads((Path(settings.BASE_DIR) / "deploy" / "grafana" / "quarterdeck.json").read_text())
    asked = " ".join(target["expr"] for panel in board["panels"] for target in panel.get("targets", []))
    samples = {name for family in families().values() for name in (family.name, f"{family.name}_total", f"{family.name}_bucket")}
    words = {word for word in asked.replace("(", " ").replace("{", " ").replace("[", " ").replace(")", " ").split() if "_" in word}
    named = {word for word in words if word.split("_")[0] in {name.split("_")[0] for name in NAMES}}
    assert named
    assert sorted(named - samples) == []


def test_the_rows_are_counted_whichever_process_made_them(quiet: None, rows: Rows) -> None:
    bot = rows.bot()
    rows.bot(running=False)
    WalletBalance.objects.create(wallet=bot.wallet, asset="USDT", amount=1_000)
    there = families()
    assert [one.value for one in there["bots_active"].samples] == [1.0]
    value = {tuple(one.labels.values()): one.value for one in there["portfolio_value"].samples}
    assert value == {("USDT", "paper"): 1000.0}


# ---------------------------------------------------------------- clocks and streams


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(SCENARIO) as running:
        yield running


@pytest.fixture
async def exchange(sandbox: RunningSandbox, quiet: None) -> AsyncIterator[Exchange]:
    address = {name: value for name, value in sandbox.addresses["binance"].items() if name != "symbols"}
    async with open_exchange(Endpoint("binance", "sandbox", **address, account="clock")) as found:
        yield found


def alerts() -> list[str]:
    return [event.payload["message"] for event in Event.objects.filter(type="alert")]


async def test_clocks_that_part_are_an_alert_once(sandbox: RunningSandbox, exchange: Exchange, db: None) -> None:
    clock = VenueClock(exchange, "binance-sandbox", "main", lambda call, *given: database_sync_to_async(call)(*given))
    await clock.measure()
    assert await database_sync_to_async(alerts)() == []
    sandbox.fault({"fault": "clock_skew", "venue": "binance", "skew": 5_000})
    await clock.measure()
    await clock.measure()
    told = await database_sync_to_async(alerts)()
    assert len(told) == 1
    assert "5.0 s behind that of binance-sandbox (main)" in told[0]
    assert clocks_get(["binance-sandbox", "coinbase"])["binance-sandbox"] == pytest.approx(5.0, abs=0.5)


def test_the_doctor_tells_streams_and_venue_clocks(quiet: None, rows: Rows) -> None:
    rows.stream("binance", "sandbox", state="live")
    rows.stream("coinbase", "sandbox", state="stale", detail="no prices for 70 s")
    rows.stream("binance", "live", holder="", held_until=None, state="live")
    rows.stream("coinbase", "live", wanted=False, held_until=None)
    clock_put(key="binance-sandbox", offset=-3.2)
    clock_put(key="coinbase-sandbox", offset=0.004)
    told = {check.detail.split(":")[0] + " " + check.name: check for check in check_streams()}
    assert {name: check.state for name, check in told.items()} == {
        "binance-sandbox Stream": "up",
        "coinbase-sandbox Stream": "down",
        "binance Stream": "down",
        "binance-sandbox Venue clock": "down",
        "coinbase-sandbox Venue clock": "up",
    }
    assert "no prices for 70 s" in told["coinbase-sandbox Stream"].detail
    assert "manage.py stream" in told["binance Stream"].remedy
    assert "3.2 s behind ours" in told["binance-sandbox Venue clock"].detail
