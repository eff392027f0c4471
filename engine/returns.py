"""What an equity curve came to: daily returns, ratios, drawdowns. Compiled, and the same code for one run and for sweeps.

NaN stands for a figure that is not defined (a ratio over no deviation, growth of a span too short to speak of).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from engine.averages import as_column, compiled
from engine.indicators import YEAR_MS
from engine.types import Floats, Ints

DAY_MS = 86_400_000
YEAR_DAYS = 365
LEAST_DAYS = 30
"""A shorter span is not carried to a year: 8 % in a day would be 10^12 % of growth, and the ratio of a few days is chance."""
DEEPEST = 5
"""How many drawdowns are kept."""


@compiled
def day_ends(closes: Ints) -> Ints:
    """Index of the last candle closed by the end of each UTC day, from the day of the first close to that of the last.

    A day without a close repeats the index before it: the equity did not change, and its return is 0.
    """
    first = (closes[0] - 1) // DAY_MS
    ends = np.empty((closes[-1] - 1) // DAY_MS - first + 1, dtype=np.int64)
    for day in range(len(ends)):
        ends[day] = np.searchsorted(closes, (first + day + 1) * DAY_MS, side="right") - 1
    return ends


@compiled
def daily_returns(equity: Floats, ends: Ints, cash: float) -> Floats:
    """Equity at each day's end over that of the day before, less 1; the first day's over the initial cash.

    The first and the last day count as days however short they are. Once the equity is gone, returns are 0.
    """
    returns = np.zeros(len(ends))
    before = cash
    for day in range(len(ends)):
        now = equity[ends[day]]
        if before > 0.0:
            returns[day] = now / before - 1.0
        before = now
    return returns


@compiled
def deviation_of(returns: Floats) -> float:
    """Standard deviation of daily returns, n - 1; NaN for fewer than two. What is rounding noise counts as none."""
    if len(returns) < 2:
        return np.nan
    mean = returns.mean()
    squares = largest = 0.0
    for value in returns:
        squares += (value - mean) ** 2
        largest = max(largest, abs(value))
    deviation = np.sqrt(squares / (len(returns) - 1))
    return deviation if deviation > 1e-12 * largest else 0.0


@compiled
def yearly_volatility(returns: Floats) -> float:
    """Yearly: s x sqrt(365), s the standard deviation (n - 1) of daily returns; NaN for fewer than `LEAST_DAYS`."""
    return float(deviation_of(returns) * np.sqrt(YEAR_DAYS)) if len(returns) >= LEAST_DAYS else np.nan


@compiled
def sharpe_ratio(returns: Floats) -> float:
    """m / s x sqrt(365): mean over standard deviation (n - 1) of daily returns, risk-free rate 0; NaN for fewer than `LEAST_DAYS`.

    Sharpe (1994), The Sharpe Ratio, Journal of Portfolio Management 21(1).
    """
    if len(returns) < LEAST_DAYS:
        return np.nan
    deviation = deviation_of(returns)
    return returns.mean() / deviation * np.sqrt(YEAR_DAYS) if deviation > 0.0 else np.nan


@compiled
def sortino_ratio(returns: Floats) -> float:
    """m / d x sqrt(365), d = sqrt(mean(min(r, 0)^2)) over all days; minimum acceptable return 0; NaN for fewer than `LEAST_DAYS`.

    Sortino & van der Meer (1991), Downside Risk, Journal of Portfolio Management 17(4).
    """
    if len(returns) < LEAST_DAYS:
        return np.nan
    squares = 0.0
    for value in returns:
        squares += value * value if value < 0.0 else 0.0
    return returns.mean() / np.sqrt(squares / len(returns)) * np.sqrt(YEAR_DAYS) if squares > 0.0 else np.nan


@compiled
def measure_shape(returns: Floats) -> tuple[float, float]:
    """(skewness, kurtosis) of daily returns, by the moments of the population; a normal distribution has 0 and 3."""
    if not deviation_of(returns) > 0.0:
        return np.nan, np.nan
    distance = returns - returns.mean()
    second = (distance**2).mean()
    return (distance**3).mean() / second**1.5, (distance**4).mean() / second**2


@compiled
def growth_rate(final: float, cash: float, elapsed_ms: int) -> float:
    """CAGR: (final / cash)^(365 days / elapsed) - 1; -1 when all is lost, NaN for less than `LEAST_DAYS` and where the power is
    beyond a float."""
    if elapsed_ms < LEAST_DAYS * DAY_MS:
        return np.nan
    if final <= 0.0:
        return -1.0
    rate = (final / cash) ** (YEAR_MS / elapsed_ms) - 1.0
    return rate if rate < np.inf else np.nan


@compiled
def calmar_ratio(growth: float, drawdown: float) -> float:
    """CAGR / |maximum drawdown|, over the whole span. Young (1991), Calmar Ratio: A Smoother Tool, Futures 20(1)."""
    return growth / -drawdown if drawdown < 0.0 else np.nan


@njit(cache=True, error_model="numpy", fastmath={"nnan", "nsz", "reassoc"})  # lets the two reductions run on vectors
def _find_extremes(values: Floats) -> tuple[float, float]:
    low = high = values[0]
    for value in values:
        low = min(low, value)
        high = max(high, value)
    return low, high


@compiled
def _keep_drawdown(kept: Floats, depth: float, peak: int, trough: int, end: int) -> None:
    """Puts a drawdown in its place among the deepest; of equal ones the earlier stands first."""
    row = len(kept)
    while row > 0 and depth < kept[row - 1, 0]:
        row -= 1
    if row < len(kept):
        for below in range(len(kept) - 1, row, -1):
            kept[below] = kept[below - 1]
        kept[row, 0], kept[row, 1], kept[row, 2], kept[row, 3] = depth, peak, trough, end


@compiled
def _find_first(values: Floats, start: int, value: float) -> int:
    while values[start] != value:
        start += 1
    return start


@compiled
def _peak_time(closes: Ints, start: int, peak: int) -> int:
    """When equity was at a peak: the candle's close, or the start for the initial cash."""
    return int(closes[peak]) if peak >= 0 else start


@compiled
def find_drawdowns(equity: Floats, closes: Ints, start: int, cash: float) -> tuple[Floats, int]:
    """(the deepest drawdowns, the longest one's milliseconds) of equity at these `closes`, from the open at `start` on.

    A drawdown lasts from the last close at a peak (index -1: the initial cash) to the first close at or above it again, or to
    the end (index = length). Rows: depth (trough / peak - 1), index of peak, of trough, of end; depth 0 in rows that are not used.
    """
    kept = np.zeros((DEEPEST, 4))
    peak, at, low, near, longest = cash, -1, np.inf, -1, 0
    for begin in range(0, len(equity), 256):
        block = equity[begin : begin + 256]
        bottom, top = _find_extremes(block)
        if top < peak:  # under water throughout
            if bottom < low:
                low, near = bottom, begin
            continue
        for i in range(begin, begin + len(block)):
            if equity[i] < peak:
                if equity[i] < low:
                    low, near = equity[i], i
                continue
            if low < peak:
                _keep_drawdown(kept, low / peak - 1.0, at, _find_first(equity, near, low), i)
                longest = max(longest, closes[i] - _peak_time(closes, start, at))
            peak, at, low = equity[i], i, np.inf
    if low < peak:
        _keep_drawdown(kept, low / peak - 1.0, at, _find_first(equity, near, low), len(equity))
        longest = max(longest, closes[-1] - _peak_time(closes, start, at))
    return kept, longest


@compiled
def _measure_quickly(equity: Floats, time: Ints, closes: Ints, cash: float) -> tuple[float, ...]:
    returns = daily_returns(equity, day_ends(closes), cash)
    final = equity[-1]
    depth = find_drawdowns(equity, closes, time[0], cash)[0][0, 0]
    calmar = calmar_ratio(growth_rate(final, cash, closes[-1] - time[0]), depth)
    return final, final / cash - 1.0, sharpe_ratio(returns), sortino_ratio(returns), calmar, depth


def time_column(time: Ints) -> Ints:
    """`time` as the kernels take it: contiguous and read-only, so that each is compiled once."""
    view = np.ascontiguousarray(time, dtype=np.int64).view()
    view.flags.writeable = False
    return view


def measure_quickly(equity: Floats, time: Ints, closes: Ints, cash: float) -> tuple[float, float, float, float, float, float]:
    """(final equity, total return, Sharpe, Sortino, Calmar, maximum drawdown): what a sweep keeps of a trial.

    The same figures as `metrics.measure` gives, to the last bit, before rounding; NaN where not defined. `time` and
    `closes` are when the candles, at least one, open and close.
    """
    spans = time_column(time), time_column(closes)
    final, total, sharpe, sortino, calmar, depth = _measure_quickly(as_column(equity), *spans, float(cash))
    return final, total, sharpe, sortino, calmar, depth
