"""One run's computation, from config and candles to results and tables. Knows no rows and no files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from time import perf_counter
from typing import Any

import numpy as np

from backtests import artifacts, honesty
from engine import playback
from engine.metrics import measure
from engine.simulator import simulate
from engine.strategies import registry
from engine.strategy import Strategy, evaluate
from engine.thinning import thin_curve
from engine.types import Candles, Floats, Signals, Simulation, Table
from trading.setup.config import RunConfig, parse_config

Evaluated = Sequence[tuple[Mapping[str, Floats], Signals]]


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """`results` and `tables` are the same for the same run, to the byte; `seconds` (signals and simulation) is not."""

    results: dict[str, Any]
    tables: dict[str, Table]
    digest: str
    code_hash: str
    seconds: float


def compute_run(
    config: RunConfig,
    candles: Sequence[Candles],
    *,
    fingerprint: str,
    on_progress: Callable[[int], bool],
    check: Callable[[], None],
) -> RunOutcome:
    """`on_progress` as for `simulate`; `check` is called between phases and may raise to stop."""
    strategy = registry.get_strategy(config.strategy)(config.params)
    started = perf_counter()
    evaluated = [evaluate(strategy, one) for one in candles]
    check()
    account = config.account()
    simulation = simulate_config(strategy, config, candles, evaluated, on_progress=on_progress)
    seconds = perf_counter() - started
    check()
    metrics = measure(simulation, candles, account).as_dict()
    examined = honesty.examine_run(
        config=config,
        strategy=strategy,
        candles=candles,
        evaluated=evaluated,
        simulation=simulation,
        metrics=metrics,
        simulate_at=lambda costs: simulate_config(strategy, config, candles, evaluated, costs=costs),
    )
    check()
    code_hash = code_hash_of(type(strategy))
    reproduced = {"fingerprint": fingerprint, "code_hash": code_hash, "seed": config.seed, "config": config.to_json()}
    results = {**metrics, **reproduced, "honesty": examined}
    tables = tables_of(simulation, evaluated, len(candles), account.cash)
    return RunOutcome(results, tables, digest_outcome(results, tables), code_hash, seconds)


def simulate_config(
    strategy: Strategy,
    config: RunConfig,
    candles: Sequence[Candles],
    evaluated: Evaluated,
    *,
    costs: float = 1.0,
    on_progress: Callable[[int], bool] | None = None,
) -> Simulation:
    signals = [signals for _, signals in evaluated]
    account = config.account(costs=costs)
    warmup = strategy.warmup_at(config.interval)
    return simulate(account, candles, signals, warmup=warmup, position=strategy.position, on_progress=on_progress)


def tables_of(simulation: Simulation, evaluated: Evaluated, symbols: int, cash: float) -> dict[str, Table]:
    """What is stored beside the results."""
    equity = simulation.equity
    fills = playback.fills_with_averages(simulation, symbols)
    marks, rows = playback.make_checkpoints(simulation.orders)
    return {
        "equity": Table({"time": simulation.time, "equity": equity, "drawdown": drawdown_of(equity, cash)}),
        "orders": simulation.orders,
        "fills": fills,
        "trades": simulation.trades,
        "fills_by_symbol": playback.by_symbol(fills),
        "checkpoints": marks,
        "checkpoint_orders": rows,
        **{f"indicators_{number}": Table(dict(columns)) for number, (columns, _) in enumerate(evaluated)},
    }


def drawdown_of(equity: Floats, cash: float) -> Floats:
    """How far from the highest equity so far, the initial cash included, as a ratio: -0.1 is 10 % below it."""
    fall: Floats = equity / np.maximum(np.maximum.accumulate(equity), cash) - 1.0
    return fall


def digest_outcome(results: Mapping[str, Any], tables: Mapping[str, Table]) -> str:
    return hashlib.sha256(canonical_json(results) + artifacts.digest_tables(tables).encode()).hexdigest()


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and no spaces; NaN and infinity are not JSON and raise."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def warm_up() -> None:
    """A tiny run, for the sake of the kernels that it loads (or compiles, on a new machine)."""
    length = 300
    close = 100.0 + np.sin(np.arange(length) / 5.0)
    time = np.arange(length, dtype=np.int64) * 60_000
    candles = Candles("BTC-USD", "1m", time, close, close + 1.0, close - 1.0, close, np.ones(length))
    config = parse_config({"strategy": "sma_cross", "symbol": "BTC-USD", "interval": "1m"})
    outcome = compute_run(config, [candles], fingerprint="", on_progress=lambda done: True, check=lambda: None)
    thin_curve(outcome.tables["equity"]["equity"], 10)


@cache
def code_hash_of(strategy: type[Strategy]) -> str:
    """Of the code this process runs: files that change under a running worker do not change what it does."""
    return strategy.code_hash()
