"""A worker's bench: one chunk's trials, computed. Knows no rows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtests import data
from backtests.execution import code_hash_of
from core.errors import StrategyFailed
from engine.strategies import registry
from engine.sweep import Bench, Trial
from engine.types import Account, Candles, Exits
from trading.setup.config import RunConfig


@dataclass(frozen=True, slots=True)
class SweepBench:
    """A bench with what its trials must have in common."""

    bench: Bench
    fingerprint: str
    code_hash: str
    candles: int


class Shelf(threading.local):
    """The bench of the sweep that this thread worked on last: the next chunk finds its candles and indicators there."""

    sweep_id = ""
    desk: SweepBench | None = None


shelf = Shelf()


def desk_for(sweep_id: str, config: RunConfig) -> SweepBench:
    """`Invalid` where the store no longer has the candles."""
    if shelf.sweep_id == sweep_id and shelf.desk is not None:
        return shelf.desk
    clear_benches()
    candles = data.load_candles(config)
    strategy = registry.get_strategy(config.strategy)
    bench = Bench(strategy, config.account(), candles)
    shelf.desk = SweepBench(bench, data.fingerprint_candles(candles), code_hash_of(strategy), sum(map(len, candles)))
    shelf.sweep_id = sweep_id
    return shelf.desk


def clear_benches() -> None:
    """Gives the memory back once a sweep is over."""
    shelf.desk, shelf.sweep_id = None, ""


def compute_trials(
    bench: Bench, fixed: Mapping[str, Any], points: Sequence[Mapping[str, Any]], *, go_on: Callable[[int], None]
) -> list[Trial]:
    """Each point's trial. `go_on(done)` is called after each and may raise to stop."""
    found = []
    for point in points:
        try:
            found.append(bench.trial({**fixed, **point}))
        except StrategyFailed as error:
            at = ", ".join(f"{name}={value}" for name, value in point.items())
            raise StrategyFailed(f"With {at}: {error}", fields=error.fields) from error
        go_on(len(found))
    return found


def warm_up() -> None:
    """Two tiny trials, for the sake of the kernels that they load: without and with an order book."""
    close = 100.0 + np.sin(np.arange(300) / 5.0)
    time = np.arange(300, dtype=np.int64) * 60_000
    candles = Candles("BTC-USD", "1m", time, close, close + 1.0, close - 1.0, close, np.ones(300))
    for exits in (Exits(), Exits(stop_loss=0.1)):
        Bench(registry.get_strategy("sma_cross"), Account(1_000.0, exits=exits), [candles]).trial({"fast": 5, "slow": 20})
