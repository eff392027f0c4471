"""`sma_cross` 10/50 on real candles against figures that independent programs agree on: the strategy through the kernel, and the
reference with averages in exact arithmetic, where equal averages are equal."""

from __future__ import annotations

import csv
import gzip
from datetime import datetime
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
import pytest
from pyarrow import feather

from engine.simulator import simulate
from engine.strategies.sma_cross import SmaCross
from engine.strategy import evaluate
from engine.types import Account, Candles, Fees, Signals
from tests.engine.reference import simulate_reference
from tests.engine.reference_values import exact

FAST, SLOW = 10, 50
ACCOUNT = Account(10_000.0, Fees(0.001, 0.001))
COLUMNS = ("open", "high", "low", "close", "volume")
RESULTS = [("ETH_BTC-5m.feather", "5m", 88, 8400.8737), ("BTC-USD-1m-2022-01.csv.gz", "1m", 617, 2615.9695)]


def read(path: Path, interval: str) -> Candles:
    if path.suffix == ".feather":
        table = feather.read_table(path)
        time = table["date"].to_numpy().astype("datetime64[ms]").astype(np.int64)
        columns = [table[name].to_numpy() for name in COLUMNS]
    else:
        with gzip.open(path, "rt") as file:
            rows = list(csv.DictReader(file))
        time = np.array([datetime.fromisoformat(row["timestamp"]).timestamp() * 1000 for row in rows], dtype=np.int64)
        columns = [np.array([float(row[name]) for row in rows]) for name in COLUMNS]
    opened, high, low, close, volume = columns
    return Candles("REAL", interval, time, opened, high, low, close, volume)


def exact_crosses(candles: Candles) -> Signals:
    sums = [exact(0), *accumulate(map(exact, candles.close))]
    ratio = SLOW // FAST
    gaps = [ratio * (sums[i + 1] - sums[i + 1 - FAST]) - (sums[i + 1] - sums[i + 1 - SLOW]) for i in range(SLOW - 1, len(candles))]
    above, below = np.zeros(len(candles), dtype=bool), np.zeros(len(candles), dtype=bool)
    above[SLOW:] = [now > 0 >= before for before, now in pairwise(gaps)]
    below[SLOW:] = [now < 0 <= before for before, now in pairwise(gaps)]
    return Signals(entry=above, exit=below)


@pytest.mark.parametrize(("name", "interval", "trades", "equity"), RESULTS)
def test_the_strategy_through_the_kernel(shared_data: Path, name: str, interval: str, trades: int, equity: float) -> None:
    candles, strategy = read(shared_data / "candles" / name, interval), SmaCross({"fast": FAST, "slow": SLOW})
    _, signals = evaluate(strategy, candles)
    got = simulate(ACCOUNT, [candles], [signals], warmup=strategy.warmup())
    assert len(got.trades) == trades
    assert got.final_cash == pytest.approx(equity, abs=5e-5)


@pytest.mark.parametrize(("name", "interval", "trades", "equity"), RESULTS)
def test_exact_averages_through_the_reference(shared_data: Path, name: str, interval: str, trades: int, equity: float) -> None:
    candles = read(shared_data / "candles" / name, interval)
    got = simulate_reference(ACCOUNT, [candles], [exact_crosses(candles)], warmup=SLOW + 1)
    assert len(got.trades) == trades
    assert float(got.final_cash) == pytest.approx(equity, abs=5e-5)
