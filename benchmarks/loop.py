"""The yardstick: the same work as one loop, written by hand for this one strategy and nothing else.

It keeps what a result needs (every trade, the equity at each close) and computes the usual figures from it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from engine.types import Floats, Ints

DAY_MS = 86_400_000


@njit(cache=True, error_model="numpy")
def run_loop(opened: Floats, close: Floats, fast: int, slow: int, cash: float, fee: float, equity: Floats, trades: Floats) -> int:
    """Fills `equity` and `trades` (entry, exit, price in, price out, quantity, fees, profit). Returns the trades' number."""
    length = len(close)
    fast_sum, slow_sum, quantity, paid, entry = 0.0, 0.0, 0.0, 0.0, 0
    before, known, wish, count = 0.0, False, 0, 0
    for i in range(length):
        if wish == 1:
            quantity = cash / (opened[i] * (1.0 + fee))
            paid, cash, entry = cash, 0.0, i
        elif wish == -1:
            cash = quantity * opened[i] * (1.0 - fee)
            record_trade(trades, count, entry, i, opened[entry], opened[i], quantity, fee, cash - paid)
            quantity, count = 0.0, count + 1
        wish = 0
        fast_sum += close[i]
        slow_sum += close[i]
        if i >= fast:
            fast_sum -= close[i - fast]
        if i >= slow:
            slow_sum -= close[i - slow]
        if i >= slow - 1:
            apart = fast_sum / fast - slow_sum / slow
            if known and apart > 0.0 >= before and quantity == 0.0:
                wish = 1
            elif known and apart < 0.0 <= before and quantity > 0.0:
                wish = -1
            before, known = apart, True
        equity[i] = cash + quantity * close[i]
    if quantity > 0.0:
        cash = quantity * close[length - 1] * (1.0 - fee)
        record_trade(trades, count, entry, length - 1, opened[entry], close[length - 1], quantity, fee, cash - paid)
        equity[length - 1], count = cash, count + 1
    return count


@njit(cache=True)
def record_trade(
    trades: Floats, row: int, entry: int, left: int, bought: float, sold: float, quantity: float, fee: float, profit: float
) -> None:
    trade = trades[row]
    trade[0], trade[1], trade[2], trade[3], trade[4] = entry, left, bought, sold, quantity
    trade[5] = quantity * (bought + sold) * fee
    trade[6] = profit


@njit(cache=True, error_model="numpy")
def compute_figures(equity: Floats, time: Ints, trades: Floats, cash: float) -> tuple[float, float, float, float, float, float]:
    """Total return, maximum drawdown, Sharpe and Sortino of daily returns, win rate, profit factor."""
    peak, deepest = cash, 0.0
    days, total, squares, below, before, last = 0, 0.0, 0.0, 0.0, cash, time[0] // DAY_MS
    for i in range(len(equity)):
        value = equity[i]
        if value > peak:
            peak = value
        elif value / peak - 1.0 < deepest:
            deepest = value / peak - 1.0
        if i + 1 == len(equity) or time[i + 1] // DAY_MS != last:
            change = value / before - 1.0
            days, total, squares, before = days + 1, total + change, squares + change * change, value
            below += min(change, 0.0) ** 2
            if i + 1 < len(equity):
                last = time[i + 1] // DAY_MS
    mean = total / days
    deviation = math.sqrt(max(0.0, squares - days * mean * mean) / (days - 1))
    won, gained, lost = 0, 0.0, 0.0
    for i in range(len(trades)):
        profit = trades[i, 6]
        won += profit > 0.0
        gained += max(profit, 0.0)
        lost -= min(profit, 0.0)
    year = math.sqrt(365)
    return (
        equity[-1] / cash - 1.0,
        deepest,
        mean / deviation * year,
        mean / math.sqrt(below / days) * year,
        won / len(trades),
        gained / lost,
    )


def run_whole(opened: Floats, close: Floats, time: Ints, fast: int, slow: int, cash: float, fee: float) -> dict[str, Any]:
    """One backtest, its figures included."""
    equity, trades = np.empty(len(close)), np.zeros((len(close) // 2 + 1, 7))
    count = run_loop(opened, close, fast, slow, cash, fee, equity, trades)
    results = compute_figures(equity, time, trades[:count], cash)
    return {"trades": count, "final_equity": float(equity[-1]), "figures": results}
