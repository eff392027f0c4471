"""Probes of the engine alone: one backtest, and a sweep."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import numpy as np

from benchmarks.pairs.lookup import has_module, load_engine, load_first
from benchmarks.pairs.probes import Answer

CANDLES = 525_600
CASH, FEE, FAST, SLOW = 10_000.0, 0.001, 10, 50
REPEATS = 20
POINTS = [{"fast": fast, "slow": slow} for fast in range(5, 25, 2) for slow in range(30, 130, 10)]


def make_columns(count: int) -> dict[str, Any]:
    """One-minute candles, a seeded random walk from 30,000 with 0.0008 a minute; each opens at the last close."""
    close = 30_000.0 * np.exp(np.cumsum(np.random.default_rng(42).normal(0.0, 0.0008, count)))
    opened = np.concatenate([[30_000.0], close[:-1]])
    times = 1_704_067_200_000 + 60_000 * np.arange(count, dtype=np.int64)
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    return {"time": times, "open": opened, "high": high, "low": low, "close": close, "volume": np.ones(count)}


def make_candles() -> Any:
    return load_engine("types").Candles("BTC-USD", "1m", *make_columns(CANDLES).values())


def make_account() -> Any:
    types = load_engine("types")
    return types.Account(cash=CASH, fees=types.Fees(FEE, FEE))


def keep_memory() -> None:
    """As a worker of runs is set up, in the builds that do so."""
    if has_module("backtests.heap"):
        load_first(["backtests.heap"]).keep_freed()


class Single:
    """`sma_cross` 10/50 from arrays to full results, warm: seconds of a run, over several."""

    def __init__(self, var: str, rounds: int) -> None:
        self.candles, self.account = make_candles(), make_account()
        self.strategy = load_engine("strategies.sma_cross").SmaCross({"fast": FAST, "slow": SLOW})
        evaluate, simulate, measure = (
            getattr(load_engine(module), name)
            for module, name in (("strategy", "evaluate"), ("simulator", "simulate"), ("metrics", "measure"))
        )
        self.evaluate = partial(evaluate, self.strategy, self.candles)
        self.simulate, self.figures = simulate, measure

    def run(self) -> Any:
        _, signals = self.evaluate()
        simulation = self.simulate(self.account, [self.candles], [signals], warmup=self.strategy.warmup())
        return self.figures(simulation, [self.candles], self.account)

    def prepare(self) -> Answer:
        keep_memory()
        for _ in range(REPEATS):
            self.run()
        return {}

    def measure(self, request: Answer) -> Answer:
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(REPEATS):
            metrics = self.run()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        return {"cpu": cpu / REPEATS, "wall": wall / REPEATS, "found": [metrics.trades, metrics.final_equity]}

    def close(self) -> None:
        """Nothing was started."""


class Sweep:
    """A hundred combinations of `sma_cross` in one process, averages and all: seconds of the whole."""

    def __init__(self, var: str, rounds: int) -> None:
        self.candles, self.account = make_candles(), make_account()
        self.strategy = load_engine("strategies.sma_cross").SmaCross
        self.bench = load_engine("sweep").Bench

    def prepare(self) -> Answer:
        keep_memory()
        self.measure({})
        return {}

    def measure(self, request: Answer) -> Answer:
        wall, cpu = time.perf_counter(), time.process_time()
        bench = self.bench(self.strategy, self.account, [self.candles])
        trials = [bench.trial(point) for point in POINTS]
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        best = max(trial.final_equity for trial in trials)
        return {"cpu": cpu, "wall": wall, "found": [sum(trial.trades for trial in trials), best]}

    def close(self) -> None:
        """Nothing was started."""
