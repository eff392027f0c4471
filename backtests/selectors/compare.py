"""Two or more runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backtests.artifacts import Artifact
from backtests.models import BacktestRun
from backtests.selectors.equity import thin_run
from backtests.selectors.runs import open_artifact, run_get, run_progress
from backtests.text import finite_ratio, float_text
from core.errors import Invalid
from core.text import ms_text
from engine.types import Ints, Table

MOST_RUNS = 8
POINTS = 600
TEXT_KEYS = ("fingerprint", "code_hash")
WHAT_MADE_IT = ("code_hash", "config")
"""Of a run's results: what they were made with, not what came of it."""
RESULT_TABLES = ("equity", "orders", "fills", "trades")


def runs_compare(run_ids: Sequence[str], *, points: int = POINTS) -> dict[str, Any]:
    """{"runs": [progress of each], "config": {name: [value of each]} (what differs),
    "metrics": {name: {"values": [...], "differences": [each less the first]}},
    "equity": {"time": [...], "absolute": [[...]], "normalised": [[...]],
    "drawdown": [[...]]}, "trades": {...}, "same_as_first": [{"code": bool, "result": bool} of each]}.

    Equity stands on one time axis: null before a run's first candle, its last value after its end. `Invalid` at `runs` unless
    two to eight are named.
    """
    wanted = list(dict.fromkeys(run_ids))
    if not 2 <= len(wanted) <= MOST_RUNS:
        raise Invalid.at("runs", f"must name two to {MOST_RUNS} different runs, as in runs=a,b; got {len(wanted)}.")
    runs = [run_get(run_id) for run_id in wanted]
    artifacts = [open_artifact(run) for run in runs]
    return {
        "runs": [run_progress(run) for run in runs],
        "config": config_differences(runs),
        "metrics": metric_differences(runs),
        "equity": equity_curves(runs, artifacts, points),
        "trades": trade_overlap(runs, artifacts),
        "same_as_first": [
            {"code": run.code_hash == runs[0].code_hash, "result": has_same_result((runs[0], artifacts[0]), (run, artifact))}
            for run, artifact in zip(runs, artifacts, strict=True)
        ],
    }


def has_same_result(one: tuple[BacktestRun, Artifact], other: tuple[BacktestRun, Artifact]) -> bool:
    """Whether two runs came to the same figures on the same candles, and their orders, fills, trades and equity are the same to the
    bit. `results_digest` cannot tell: it covers the code's hash, too. Tables are read only where all figures agree."""
    (run, artifact), (other_run, other_artifact) = one, other
    if run.pk == other_run.pk:
        return True
    if figures_of(run) != figures_of(other_run):
        return False
    return all(is_same_table(getattr(artifact, name), getattr(other_artifact, name)) for name in RESULT_TABLES)


def figures_of(run: BacktestRun) -> dict[str, Any]:
    return {name: value for name, value in (run.results or {}).items() if name not in WHAT_MADE_IT}


def is_same_table(one: Table, other: Table) -> bool:
    if list(one.columns) != list(other.columns):
        return False
    return all(is_same_column(one[name], other[name]) for name in one.columns)


def is_same_column(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """By bytes, so that an unknown value (NaN) equals itself."""
    mine, theirs = (np.ascontiguousarray(column) for column in (one, other))
    return mine.dtype == theirs.dtype and np.array_equal(mine.view(np.uint8), theirs.view(np.uint8))


def config_differences(runs: Sequence[BacktestRun]) -> dict[str, list[Any]]:
    """The settings in which they differ, with each run's value; parameters and sections by dotted name."""
    configs = [flatten_config(run.config) for run in runs]
    names = list(dict.fromkeys(name for config in configs for name in config))
    values = {name: [config.get(name) for config in configs] for name in names}
    return {name: each for name, each in values.items() if any(value != each[0] for value in each)}


def flatten_config(config: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in config.items():
        out |= {f"{name}.{key}": inner for key, inner in value.items()} if isinstance(value, dict) else {name: value}
    return out


def metric_differences(runs: Sequence[BacktestRun]) -> dict[str, dict[str, list[Any]]]:
    """Every single-valued metric. Money keeps being text."""
    results = [run.results or {} for run in runs]
    names = [name for name, value in results[0].items() if not isinstance(value, dict | list) and name not in TEXT_KEYS]
    return {name: compare_values([result.get(name) for result in results]) for name in names}


def compare_values(values: list[Any]) -> dict[str, list[Any]]:
    return {"values": values, "differences": [difference_between(value, values[0]) for value in values]}


def difference_between(value: Any, base: Any) -> Any:
    if value is None or base is None:
        return None
    if isinstance(value, str):
        return float_text(round(float(value) - float(base), 8))
    return value - base


def equity_curves(runs: Sequence[BacktestRun], artifacts: Sequence[Artifact], points: int) -> dict[str, Any]:
    """Each curve's own thinned points together are the axis, so that every curve keeps its shape."""
    own = [artifact.equity["time"][thin_run(artifact, points)] for artifact in artifacts]
    axis: Ints = np.unique(np.concatenate(own))
    absolute = [on_axis(artifact, axis, "equity") for artifact in artifacts]
    falls = [on_axis(artifact, axis, "drawdown") for artifact in artifacts]
    return {
        "time": [ms_text(at) for at in axis.tolist()],
        "absolute": [[float_text(value) for value in curve.tolist()] for curve in absolute],
        "normalised": [ratio_list(curve / float(run.config["cash"])) for run, curve in zip(runs, absolute, strict=True)],
        "drawdown": [ratio_list(fall) for fall in falls],
    }


def on_axis(artifact: Artifact, axis: Ints, name: str) -> Any:
    time, column = artifact.equity["time"], artifact.equity[name]
    last = np.searchsorted(time, axis, side="right") - 1
    return np.where(last >= 0, column[np.maximum(last, 0)], np.nan)


def ratio_list(column: Any) -> list[float | None]:
    return [finite_ratio(value) for value in column.tolist()]


def trade_overlap(runs: Sequence[BacktestRun], artifacts: Sequence[Artifact]) -> dict[str, Any]:
    """Trades that more than one run made: the same symbol, entered at the same candle."""
    symbols = sorted({symbol for run in runs for symbol in run.symbols.split(",")})
    entries = [trade_keys(run, artifact, symbols) for run, artifact in zip(runs, artifacts, strict=True)]
    keys, counts = np.unique(np.concatenate(entries), return_counts=True)
    shared, alone = int((counts == len(runs)).sum()), keys[counts == 1]
    return {
        "in_each": [len(mine) for mine in entries],
        "in_all": shared,
        "only_in": [len(np.intersect1d(mine, alone, assume_unique=True)) for mine in entries],
        "share": shared / len(keys) if len(keys) else None,
    }


def trade_keys(run: BacktestRun, artifact: Artifact, symbols: Sequence[str]) -> Ints:
    """One number for each symbol and entry time that the run traded."""
    trades = artifact.trades
    numbers = np.array([symbols.index(symbol) for symbol in run.symbols.split(",")])
    keys: Ints = np.unique(artifact.equity["time"][trades["entry_index"]] * len(symbols) + numbers[trades["symbol"]])
    return keys
