"""Recorded trades that the sandbox plays give the recorded candles back, on both venues."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from heapq import merge
from itertools import takewhile
from pathlib import Path
from typing import Any

import pyarrow.feather as feather
import pytest
import requests

from market.sandbox.history import DAY, MINUTE
from market.sandbox.instruments import ListedInstrument
from market.sandbox.scenario import Scenario
from market.sandbox.server import RunningSandbox, running_sandbox
from market.sandbox.tape import of_trades
from tests.market.sandbox.coinbase import rest_client

D = Decimal
START = 1_570_752_000_000
"""2019-10-11 00:00 UTC: two whole days are recorded from there, and a part of a third."""
Row = tuple[int, Decimal, Decimal, Decimal, Decimal, Decimal]
"""(open time, open, high, low, close, volume)"""

XRP_ETH = ListedInstrument("XRP-ETH", D("0.00000001"), D("0.1"), D("0.1"), D(9_000_000), D("0.001"), D("0.0014"))


def rows_of(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = feather.read_table(path).to_pylist()
    return rows


def exact(value: float) -> Decimal:
    """The decimal number whose float this is."""
    return D(repr(value))


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> list[Row]:
    names = ("open", "high", "low", "close", "volume")
    return [
        (int(row["date"].timestamp()) * 1000, *(exact(row[name]) for name in names))  # type: ignore[misc] # five of them
        for row in rows_of(shared_data / "candles/XRP_ETH-1m.feather")
    ]


@pytest.fixture(scope="module")
def played(shared_data: Path) -> Iterator[RunningSandbox]:
    """A sandbox after two days of trades."""
    trades = [
        (row["timestamp"], exact(row["price"]), exact(row["amount"]), row["side"] == "sell")
        for row in rows_of(shared_data / "trades/XRP_ETH-trades.feather")
    ]
    days = list(takewhile(lambda row: row[0] < START + 2 * DAY, trades))
    assert len({row[0] // MINUTE for row in days}) > 1900, "two days of trades"
    ticks = merge(*(of_trades(venue, "XRP-ETH", days) for venue in ("binance", "coinbase")), key=lambda tick: tick.time)
    listed = dict.fromkeys(("binance", "coinbase"), (XRP_ETH,))
    with running_sandbox(Scenario(speed=None, start=START, ticks=ticks, listed=listed)) as sandbox:
        for _ in range(48):
            sandbox.step(DAY // 24)
        yield sandbox


@pytest.mark.parametrize("venue", ["binance", "coinbase"])
def test_the_exchange_keeps_exactly_the_recorded_candles(played: RunningSandbox, recorded: list[Row], venue: str) -> None:
    minutes = played.exchange(venue).history("XRP-ETH").minutes
    told = [(row.time, row.open, row.high, row.low, row.close, row.volume) for row in minutes]
    assert told == [row for row in recorded if row[0] < START + 2 * DAY]


def test_coinbase_tells_them_of_a_day(played: RunningSandbox, recorded: list[Row]) -> None:
    client = rest_client(played)
    told: list[Row] = []
    for begin in range(START // 1000, (START + DAY) // 1000, 350 * 60):
        end = min(begin + 349 * 60, (START + DAY) // 1000 - 60)
        candles = client.get_candles("XRP-ETH", str(begin), str(end), "ONE_MINUTE").candles
        told += [
            (int(row.start) * 1000, D(row.open), D(row.high), D(row.low), D(row.close), D(row.volume)) for row in reversed(candles)
        ]
    assert told == [row for row in recorded if row[0] < START + DAY]
    assert len(told) == 1022


def test_binance_tells_them_of_a_day(played: RunningSandbox, recorded: list[Row]) -> None:
    told: list[Row] = []
    begin, url = START, f"{played.addresses['binance']['rest']}/api/v3/klines"
    while begin < START + DAY:
        asked: dict[str, str | int] = {
            "symbol": "XRPETH",
            "interval": "1m",
            "startTime": begin,
            "endTime": START + DAY - 1,
            "limit": 1000,
        }
        rows = requests.get(url, asked, timeout=20).json()
        told += [(row[0], *map(D, row[1:6])) for row in rows]
        begin = rows[-1][0] + MINUTE if rows else START + DAY
    assert told == [row for row in recorded if row[0] < START + DAY]


def test_longer_candles_are_made_of_the_same_trades(played: RunningSandbox, recorded: list[Row]) -> None:
    hours = played.do(lambda: played.exchange("coinbase").history("XRP-ETH").candles("1h", start=START, limit=48))
    assert len(hours) == 48
    for hour in hours:
        rows = [row for row in recorded if hour.time <= row[0] < hour.time + 60 * MINUTE]
        assert (hour.open, hour.close) == (rows[0][1], rows[-1][4])
        assert (hour.high, hour.low) == (max(row[2] for row in rows), min(row[3] for row in rows))
        assert hour.volume == sum(row[5] for row in rows)
