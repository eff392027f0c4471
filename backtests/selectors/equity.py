"""The equity curve: thinned to a screen, or every point by page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from backtests.artifacts import Artifact
from backtests.models import BacktestRun
from backtests.selectors.runs import RowsPage, open_artifact, read_cursor
from backtests.text import finite_ratio, float_text, time_texts
from engine.thinning import thin_curve, worst_fall
from engine.types import Floats, Ints

POINTS = 1_000
MOST_POINTS = 5_000


def run_equity(run: BacktestRun, *, points: int = POINTS) -> list[dict[str, Any]]:
    """About `points` rows {time, equity, drawdown, buy_and_hold} that draw the curve's shape, the deepest fall among them."""
    artifact = open_artifact(run)
    return equity_rows(run, artifact, thin_run(artifact, points))


def run_equity_page(run: BacktestRun, *, cursor: str = "", limit: int = POINTS) -> RowsPage:
    """Every row, `limit` at a time."""
    artifact = open_artifact(run)
    first, total = read_cursor(cursor, "cursor") if cursor else 0, len(artifact.equity)
    last = min(first + min(max(limit, 1), MOST_POINTS), total)
    return RowsPage(equity_rows(run, artifact, np.arange(first, max(first, last))), str(last) if last < total else None)


def thin_run(artifact: Artifact, points: int) -> Ints:
    """Indices of the points that draw the equity curve."""
    equity, drawdown = artifact.equity["equity"], artifact.equity["drawdown"]
    return thin_curve(equity, min(max(points, 3), MOST_POINTS), worst_fall(equity, drawdown))


def equity_rows(run: BacktestRun, artifact: Artifact, index: Ints) -> list[dict[str, Any]]:
    table = artifact.equity
    time, held = table["time"][index], buy_and_hold(run, artifact, table["time"][index])
    columns = zip(time_texts(time), table["equity"][index].tolist(), table["drawdown"][index].tolist(), held.tolist(), strict=True)
    return [
        {"time": at, "equity": float_text(equity), "drawdown": finite_ratio(fall), "buy_and_hold": float_text(hold)}
        for at, equity, fall, hold in columns
    ]


def buy_and_hold(run: BacktestRun, artifact: Artifact, time: Ints) -> Floats:
    """What the cash, split equally over the symbols at their first opens, without costs, is worth at the closes at `time`."""
    worth: Iterable[Floats] = (growth_of_symbol(artifact, number, time) for number in range(len(run.symbols.split(","))))
    total: Floats = float(run.config["cash"]) * np.mean(list(worth), axis=0)
    return total


def growth_of_symbol(artifact: Artifact, symbol: int, time: Ints) -> Floats:
    """Last known close over the first open; 1 before the first candle."""
    candles = artifact.candles(symbol)
    last = np.searchsorted(candles["time"], time, side="right") - 1
    return np.where(last >= 0, candles["close"][np.maximum(last, 0)] / candles["open"][0], 1.0)
