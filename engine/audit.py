"""Honesty checks: what a backtest's numbers do not say by themselves.

The look-ahead audit asks the strategy again with the candles' end cut off. Whatever it said about a candle must not change
when later candles are taken away; where it does, the strategy had seen the future. The other checks put plain words to warm-up,
gaps, concentration of profit, costs and numbers that are too good.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from core.errors import StrategyFailed
from engine.grid import number_candles
from engine.returns import LEAST_DAYS
from engine.strategy import Strategy, evaluate
from engine.types import Bools, Candles, Floats, Ints, Signals, Table

CUTS = 8
"""Prefixes looked at a symbol."""
LONGEST_LIST = 10
FAILED = "(the strategy failed on the shorter history)"
NOISE = 1e-9
"""Relative difference between two floats that counts as rounding."""
DAY_MS = 86_400_000
TOO_GOOD = {
    "sharpe_too_high": "A Sharpe ratio above 3 over more than 60 days is rare in real trading. Look for a fault first.",
    "win_rate_too_high": "More than 90 % of the trades won. Check for rare large losses that this span happens not to hold.",
    "profit_factor_too_high": "Winners made more than five times what losers lost. That seldom lasts.",
    "growth_too_high": "Growth above 1000 % a year is usually a short span extrapolated, or a fault.",
    "drawdown_too_small": "A high return with a drawdown under 1 % is not seen in real trading.",
    "short_span": "The span is shorter than {least} days: it has no yearly growth, volatility or ratios.",
    "few_trades": "Too few trades to tell skill from luck: {trades}, where 30 are the least.",
    "no_costs": "Fees and slippage are zero. No venue is free: the result is an upper bound.",
}
SIGNAL_COLUMNS = ("entry", "exit", "entry_limit", "entry_stop", "exit_limit", "exit_stop", "weight", "target")


@dataclass(frozen=True, slots=True)
class Notice:
    """`level`: `info`, `warning`, or `danger` (do not trust the result)."""

    code: str
    level: str
    message: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PrefixDifference:
    """Where a prefix disagreed: the first candle (its open time) and column."""

    symbol: str
    column: str
    index: int
    time: int
    cut: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def look_ahead(
    strategy: Strategy, candles: Candles, columns: Mapping[str, Floats], signals: Signals, *, seed: int, cuts: int = CUTS
) -> PrefixDifference | None:
    """The first disagreement between signals and indicators on prefixes and on the whole, or None if there is none."""
    whole = merge_columns(columns, signals)
    for cut in cut_points(signals, len(candles), strategy.warmup_at(candles.interval), seed, cuts):
        try:
            prefix = merge_columns(*evaluate(strategy, candles[:cut]))
        except StrategyFailed:
            return PrefixDifference(candles.symbol, FAILED, cut - 1, int(candles.time[cut - 1]), cut)
        found = first_difference(whole, prefix, signals, cut)
        if found is not None:
            column, index = found
            return PrefixDifference(candles.symbol, column, index, int(candles.time[index]), cut)
    return None


def cut_points(signals: Signals, length: int, warmup: int, seed: int, cuts: int) -> list[int]:
    """Lengths of the prefixes: most end right after a candle at which the signals change, because a strategy that peeks one candle
    ahead betrays itself on the last candle of a prefix, and only where what it saw there made it act. The others are spread over
    the span, the first near its beginning, where what looks over the whole history cannot yet have seen its extremes."""
    least = max(warmup + 1, 2)
    if length <= least:
        return []
    generator = np.random.default_rng(seed)
    changed = find_changes(signals, length)
    changed = changed[(changed + 1 >= least) & (changed + 1 < length)]
    picked = generator.choice(changed, size=min(len(changed), cuts - cuts * 3 // 8), replace=False) + 1 if len(changed) else changed
    edges = np.geomspace(least, length, cuts - len(picked) + 1)
    rest = [generator.integers(int(low), max(int(high), int(low) + 1)) for low, high in itertools.pairwise(edges)]
    return sorted({int(cut) for cut in [*picked, *rest]})


def find_changes(signals: Signals, length: int) -> Ints:
    """Indices at which any signal differs from the candle before it."""
    changed = np.zeros(length, dtype=np.bool_)
    for name in SIGNAL_COLUMNS:
        array = getattr(signals, name)
        if array is not None:
            changed[1:] |= ~equal_values(np.asarray(array)[1:], np.asarray(array)[:-1])
    return np.flatnonzero(changed)


def merge_columns(columns: Mapping[str, Floats], signals: Signals) -> dict[str, Any]:
    """Indicators and signals as one mapping of columns."""
    return {**columns, **{f"signals.{name}": getattr(signals, name) for name in SIGNAL_COLUMNS}, "ladder": signals.ladder}


def first_difference(whole: Mapping[str, Any], prefix: Mapping[str, Any], signals: Signals, cut: int) -> tuple[str, int] | None:
    found: list[tuple[int, str]] = []
    for name, full in whole.items():
        part = prefix.get(name)
        if name == "ladder":
            if signals.ladder is not None and cut > signals.ladder.start and not same_ladder(full, part):
                found.append((signals.ladder.start, "signals.ladder"))
        elif (full is None) != (part is None):
            found.append((0, name))
        elif full is not None:
            wrong = find_disagreements(np.asarray(full)[:cut], np.asarray(part))
            if len(wrong):
                found.append((int(wrong[0]), name))
    if not found:
        return None
    index, column = min(found)
    return column, index


def find_disagreements(full: Any, part: Any) -> Ints:
    """Indices at which two columns differ by more than rounding."""
    if full.dtype == part.dtype and np.array_equal(full.view(np.uint8), part.view(np.uint8)):
        return np.empty(0, dtype=np.int64)
    if full.dtype.kind != "f":
        return np.flatnonzero(full != part)
    size = np.abs(full[np.isfinite(full)]).max(initial=0.0)
    return np.flatnonzero(~np.isclose(full, part, rtol=NOISE, atol=NOISE * float(size), equal_nan=True))


def equal_values(left: Any, right: Any) -> Bools:
    """Equal, NaN equal to NaN."""
    equal: Bools = np.asarray(left == right)
    return equal | (np.isnan(left) & np.isnan(right)) if left.dtype.kind == "f" else equal


def same_ladder(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    return left.start == right.start and np.array_equal(left.buy, right.buy) and np.array_equal(left.sell, right.sell)


def before_warmup(signals: Signals, warmup: int) -> int:
    """Candles before the warm-up at which the strategy asked for something; all of them are ignored."""
    early = np.zeros(max(warmup - 1, 0), dtype=np.bool_)
    for name in ("entry", "exit", "target"):
        array = getattr(signals, name)
        if array is not None:
            part = np.asarray(array)[: len(early)]
            early[: len(part)] |= ~np.isnan(part) if part.dtype.kind == "f" else part.astype(np.bool_)
    return int(early.sum())


def unknown_after_warmup(columns: Mapping[str, Floats], warmup: int) -> dict[str, int]:
    """Indicators that are still NaN at the first candle that may trade, with how long they stay so."""
    late = {}
    for name, column in columns.items():
        known = np.flatnonzero(~np.isnan(column))
        first = int(known[0]) if len(known) else len(column)
        if first > warmup - 1 >= 0:
            late[name] = first
    return late


def find_gaps(candles: Candles) -> dict[str, Any]:
    """How many stretches of candles are missing inside the span, how many candles in all, and the longest."""
    steps = np.diff(number_candles(candles.interval, candles.time))
    where = np.flatnonzero(steps > 1)
    longest = where[np.argsort(-steps[where], kind="stable")][:LONGEST_LIST]
    return {
        "symbol": candles.symbol,
        "count": len(where),
        "missing": int((steps[where] - 1).sum()),
        "largest": [{"after": int(candles.time[i]), "missing": int(steps[i] - 1)} for i in longest],
    }


def best_three_share(trades: Table) -> float | None:
    """The share of the net profit that the three best trades made; above 1 the rest lost. None without profit."""
    profit = trades["profit"]
    total = float(profit.sum())
    if total <= 0 or not len(profit):
        return None
    return float(np.sort(profit)[-3:].sum() / total)


def too_good(metrics: Mapping[str, Any], *, days: float, costs: float) -> list[Notice]:
    """Plain warnings where numbers are better than markets allow, or rest on too little. `metrics` as `Metrics.as_dict()`."""

    def above(name: str, limit: float) -> bool:
        value = metrics.get(name)
        return value is not None and float(value) > limit

    trades = int(metrics.get("trades") or 0)
    fall = metrics.get("max_drawdown")
    holds = {
        "sharpe_too_high": days > 60 and above("sharpe", 3),
        "win_rate_too_high": trades > 30 and above("win_rate", 0.9),
        "profit_factor_too_high": trades > 5 and above("profit_factor", 5),
        "growth_too_high": above("cagr", 10),
        "drawdown_too_small": fall is not None and abs(float(fall)) < 0.01 and above("total_return", 0.2),
        "short_span": days < LEAST_DAYS,
        "few_trades": trades < 30,
        "no_costs": costs <= 0,
    }
    return [Notice(code, "warning", TOO_GOOD[code].format(trades=trades, least=LEAST_DAYS)) for code, held in holds.items() if held]


def gap_warnings(found: Sequence[Mapping[str, Any]]) -> list[Notice]:
    return [
        Notice(
            "data_gaps",
            "warning",
            f"{gap['symbol']} has {gap['count']} gaps in the span, {gap['missing']} candles in all: nothing could fill there.",
        )
        for gap in found
        if gap["count"]
    ]
