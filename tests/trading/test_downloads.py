"""`manage.py download_candles` against a sandbox: the venue's candles, resumable, and a clear message for what cannot be had."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from core.text import ms_text
from engine.grid import DAY_MS as DAY
from engine.grid import round_up
from engine.resample import resample
from engine.types import Candles
from market import candles as store
from market.models import CandleSeries
from market.sandbox.history import SandboxCandle
from market.sandbox.scenario import Scenario
from market.sandbox.server import RunningSandbox, running_sandbox
from tests.chaos.desk import account
from tests.market.exchanges.venues import START
from tests.market.files import same
from tests.trading.live.fixtures import clear_prices
from trading import downloads

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]

MINUTE = 60_000


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    clear_prices()
    with running_sandbox(Scenario(speed=None, start=START, minutes=60, rate=1.0, seed=3)) as running:
        running.step(40 * MINUTE)
        for venue in ("binance", "coinbase"):
            account(running, venue)
        yield running


def run(venue: str, symbol: str, first: int, last: int) -> dict[str, Any]:
    """Minutes after the sandbox's start."""
    out, told = StringIO(), StringIO()
    span = {"start": ms_text(START + first * MINUTE), "end": ms_text(START + last * MINUTE)}
    call_command(
        "download_candles", f"--venue={venue}", f"--symbol={symbol}", "--interval=1m", json=True, stdout=out, stderr=told, **span
    )
    assert "100.0%" in told.getvalue()
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


@pytest.mark.parametrize(("venue", "symbol"), [("binance", "BTC-USDT"), ("coinbase", "BTC-USD")])
def test_the_candles_of_the_venue_come_into_the_store(sandbox: RunningSandbox, venue: str, symbol: str) -> None:
    report = run(f"{venue}-sandbox", symbol, 0, 30)
    assert (report["rows"], report["kept"], report["gaps"], report["duplicates"], report["out_of_order"]) == (30, 0, [], 0, 0)
    assert (report["first"], report["last"]) == (ms_text(START), ms_text(START + 29 * MINUTE))
    found = store.load_candles(venue=f"{venue}-sandbox", symbol=symbol, interval="1m")
    assert found.time.tolist() == [START + number * MINUTE for number in range(30)]
    assert report["fingerprint"] == CandleSeries.objects.get().fingerprint


def test_what_is_there_is_not_asked_for_again(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PAGE", 10)
    run("binance-sandbox", "BTC-USDT", 10, 20)
    whole = run("binance-sandbox", "BTC-USDT", 0, 30)
    assert (whole["rows"], whole["kept"]) == (20, 10)
    again = run("binance-sandbox", "BTC-USDT", 0, 30)
    assert (again["rows"], again["kept"], again["fingerprint"]) == (0, 30, whole["fingerprint"])


def test_a_download_that_was_cut_off_goes_on(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PAGE", 10)
    monkeypatch.setattr(downloads, "TRIES", 1)
    pages = []

    def cut(done: int, room: int) -> None:
        pages.append(done)
        if len(pages) == 2:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trading.management.commands.download_candles.Command.progress", lambda self, done, room: cut(done, room))
        with pytest.raises(CommandError, match="goes on from there"):
            run("binance-sandbox", "BTC-USDT", 0, 30)
    report = run("binance-sandbox", "BTC-USDT", 0, 30)
    assert (report["rows"], report["kept"]) == (10, 20)


def test_candles_off_the_grid_are_left_out_and_counted(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch = downloads.fetch_patiently

    async def fetch_late(*asked: Any) -> list[Any]:
        """Three of the venue's candles open seven seconds late."""
        found = await fetch(*asked)
        return [replace(one, time=one.time + timedelta(seconds=7)) for one in found[:3]] + found[3:]

    monkeypatch.setattr(downloads, "fetch_patiently", fetch_late)
    report = run("binance-sandbox", "BTC-USDT", 0, 30)
    assert (report["rows"], report["off_grid"]) == (27, 3)
    found = store.load_candles(venue="binance-sandbox", symbol="BTC-USDT", interval="1m")
    assert found.time.tolist() == [START + number * MINUTE for number in range(3, 30)]


WRONG = [
    ({"venue": "kraken"}, "binance or coinbase"),
    ({"venue": "binance-testnet"}, "no account of binance-testnet"),
    ({"symbol": "NONE-USDT"}, "Invalid symbol"),
    ({"symbol": "?"}, "is not a symbol"),
    ({"interval": "7m"}, "Unknown interval"),
    ({"start": "yesterday"}, "start:"),
    ({"start": "2020-01-02", "end": "2020-01-01"}, "no closed candle"),
]


def test_what_cannot_be_had_is_said(sandbox: RunningSandbox) -> None:
    for given, words in WRONG:
        asked = {"venue": "binance-sandbox", "symbol": "BTC-USDT", "interval": "1m", "start": ms_text(START)} | given
        options = (f"--{name}={value}" for name, value in asked.items())
        with pytest.raises(CommandError, match=words):
            call_command("download_candles", *options, stdout=StringIO(), stderr=StringIO())
    assert not CandleSeries.objects.exists()


def make_past(days: int) -> list[SandboxCandle]:
    """A minute with trades every six hours."""
    first = (START // DAY - days) * DAY
    prices = [Decimal(20_000 + 37 * number % 1_009) for number in range(4 * days)]
    return [
        SandboxCandle(first + number * DAY // 4, price, price + 5, price - 5, price + 1, Decimal(1), price, 1)
        for number, price in enumerate(prices)
    ]


@pytest.fixture
def old_market() -> Iterator[list[SandboxCandle]]:
    """Sandboxes whose market has a past of a hundred days."""
    clear_prices()
    past = make_past(100)
    markets = {("binance", "BTC-USDT"): past, ("coinbase", "BTC-USD"): past}
    with running_sandbox(Scenario(speed=None, start=START, ticks=(), past=markets)) as running:
        for venue in ("binance", "coinbase"):
            account(running, venue)
        yield past


@pytest.mark.parametrize("interval", ["8h", "3d", "1w", "1M"])
@pytest.mark.parametrize(("venue", "symbol"), [("binance", "BTC-USDT"), ("coinbase", "BTC-USD")])
def test_long_candles_are_the_venue_s_or_made_of_its_shorter_ones(
    old_market: list[SandboxCandle], venue: str, symbol: str, interval: str
) -> None:
    columns = ([float(getattr(one, name)) for one in old_market] for name in ("open", "high", "low", "close", "volume"))
    base = Candles(symbol, "1m", np.array([one.time for one in old_market]), *map(np.array, columns))
    begin, whole = int(base.time[0]) + DAY // 2, resample(base, interval, until=START)
    span = {"start": ms_text(begin), "end": ms_text(START)}
    command, out = ("download_candles", f"--venue={venue}-sandbox", f"--symbol={symbol}", f"--interval={interval}"), StringIO()
    call_command(*command, json=True, stdout=out, stderr=StringIO(), **span)
    report = json.loads(out.getvalue())
    expected = whole[int(np.searchsorted(whole.time, round_up(interval, begin))) :]
    assert same(store.load_candles(venue=f"{venue}-sandbox", symbol=symbol, interval=interval), expected)
    assert (report["rows"], report["off_grid"], report["gaps"]) == (len(expected), 0, [])
