"""The work: candles that every engine gets alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pyarrow import csv, feather

from engine.types import Candles

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "candles"
CASH, FEE, FAST, SLOW = 10_000.0, 0.001, 10, 50


def random_walk(count: int = 525_600) -> Candles:
    """A year of one-minute candles: a seeded random walk from 30,000 with 0.0008 a minute; each opens at the last close."""
    steps = np.random.default_rng(42).normal(0.0, 0.0008, count)
    close = 30_000.0 * np.exp(np.cumsum(steps))
    opened = np.concatenate([[30_000.0], close[:-1]])
    time = 1_704_067_200_000 + 60_000 * np.arange(count, dtype=np.int64)
    return Candles("BTC-USD", "1m", time, opened, np.maximum(opened, close), np.minimum(opened, close), close, np.ones(count))


def load_recorded(name: str, symbol: str, interval: str) -> Candles:
    """Recorded candles from ../shared/data: a CSV with a header, or a Feather file."""
    path = SHARED / name
    table = feather.read_table(path) if path.suffix == ".feather" else csv.read_csv(path)
    stamps = np.array(table.column("date" if "date" in table.column_names else "timestamp"))
    prices = (np.array(table.column(each), dtype=np.float64) for each in ("open", "high", "low", "close", "volume"))
    return Candles(symbol, interval, stamps.astype("datetime64[ms]").astype(np.int64), *prices)
