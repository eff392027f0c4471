"""A run as its chart draws it: candles, indicators, equity and marks of a window, on one time axis, as coarse as needed."""

from __future__ import annotations

from typing import Any

import numpy as np

from backtests.artifacts import Artifact
from backtests.explanations import fill_in_words
from backtests.models import BacktestRun
from backtests.selectors.equity import buy_and_hold
from backtests.selectors.playback import candle_at, fill_row, symbol_number, symbol_rows
from backtests.selectors.runs import open_artifact
from engine.grid import find_shortest
from engine.types import Floats, Ints

BARS, MOST_BARS = 1_500, 4_000
MOST_MARKS = 600
"""Beyond as many in one window they would hide the candles."""


def run_chart(
    run: BacktestRun, *, symbol: str = "", start: int | None = None, end: int | None = None, bars: int = BARS
) -> dict[str, Any]:
    """At most `bars` bars of the candles that open from `start` up to, not including, `end` (seconds), as columns.

    `size` candles make a bar: a power of two, and bars begin at its multiples, so that windows of one size share their bars. A
    bar has the last value of each indicator and of equity, but the deepest drawdown of its candles, so that none is thinned away.
    """
    artifact, number = open_artifact(run), symbol_number(run, symbol)
    time = artifact.candles(number)["time"]
    first = int(np.searchsorted(time, start * 1000)) if start is not None else 0
    last = max(int(np.searchsorted(time, end * 1000)) if end is not None else len(time), first)
    size = bar_size(last - first, min(max(bars, 10), MOST_BARS))
    starts = np.arange(first // size * size, last, size)
    ends = np.minimum(starts + size, len(time))
    return {
        "symbol": run.symbols.split(",")[number],
        "size": size,
        "step": find_shortest(run.interval) // 1000,
        "first": int(time[0]) // 1000,
        "last": int(time[-1]) // 1000,
        "before": bool(len(starts) and starts[0] > 0),
        "after": bool(len(ends) and ends[-1] < len(time)),
        "columns": bar_columns(run, artifact, number, starts, ends) if len(starts) else {},
        **fill_marks(run, artifact, number, starts, ends),
    }


def bar_size(count: int, bars: int) -> int:
    size = 1
    while count > bars * size:
        size *= 2
    return size


def bar_columns(run: BacktestRun, artifact: Artifact, number: int, starts: Ints, ends: Ints) -> dict[str, Any]:
    """One value a bar, by column; `starts` and `ends` are numbers of candles, the end not included."""
    candles, low, high = artifact.candles(number), int(starts[0]), int(ends[-1])
    inside, close = starts - low, ends - 1
    line = artifact.equity
    at = np.searchsorted(line["time"], candles["time"][close], side="right") - 1
    return {
        "time": candles["time"][starts] // 1000,
        "open": candles["open"][starts],
        "high": np.maximum.reduceat(candles["high"][low:high], inside),
        "low": np.minimum.reduceat(candles["low"][low:high], inside),
        "close": candles["close"][close],
        "volume": np.add.reduceat(candles["volume"][low:high], inside),
        "equity": line["equity"][at],
        "drawdown": deepest_drawdowns(line["time"], line["drawdown"], candles["time"][starts], at),
        "buy_and_hold": buy_and_hold(run, artifact, candles["time"][close]),
        "indicators": {name: np.ascontiguousarray(column[close]) for name, column in artifact.indicators(number).columns.items()},
    }


def deepest_drawdowns(line: Ints, drawdown: Floats, opens: Ints, at: Ints) -> Floats:
    """The lowest drawdown from each bar's first candle on the common time line to its last."""
    begins = np.searchsorted(line, opens)
    low: Floats = np.minimum.reduceat(drawdown[: int(at[-1]) + 1], begins)
    return low


def fill_marks(run: BacktestRun, artifact: Artifact, number: int, starts: Ints, ends: Ints) -> dict[str, Any]:
    """`marks`, each at the bar that holds its fill, and how many fills there are; no marks where they are too many to read."""
    if not len(starts):
        return {"marks": [], "fills": 0}
    opens, line = artifact.candles(number)["time"], artifact.equity["time"]
    low = np.searchsorted(line, opens[starts[0]])
    high = np.searchsorted(line, opens[ends[-1] - 1], side="right")
    mine = symbol_rows(artifact, number)
    index = artifact.fills_by_symbol["index"][mine]
    rows = artifact.fills_by_symbol["row"][mine][np.searchsorted(index, low) : np.searchsorted(index, high)]
    if len(rows) > MOST_MARKS:
        return {"marks": [], "fills": len(rows)}
    bars = opens[starts]
    return {"marks": [fill_mark(run, artifact, int(row), bars) for row in rows], "fills": len(rows)}


def fill_mark(run: BacktestRun, artifact: Artifact, row: int, bars: Ints) -> dict[str, Any]:
    at = int(artifact.equity["time"][artifact.fills["index"][row]])
    fill = fill_row(run, artifact, row)
    return {
        "time": int(bars[candle_at(bars, at)]) // 1000,
        "at": at // 1000,
        "side": fill["side"],
        "detail": fill_in_words(fill),
    }


def candle_number(run: BacktestRun, moment: int) -> int:
    """The number, on the common time line, of the candle that is open at `moment` (seconds); the nearest one outside the span."""
    time = open_artifact(run).equity["time"]
    return int(np.clip(candle_at(time, moment * 1000), 0, len(time) - 1))
