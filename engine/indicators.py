"""Indicators over columns: value i depends on values 0 to i only, and is NaN while it is not known.

Every function takes float columns of one length and gives columns of that length; periods `n` are whole candles from 1 up.
NaN at the start of a column (an indicator of an indicator) is passed over; after that there must be none. The loops are
compiled and take time in proportion to the length, whatever the period; `wma` apart.
"""

from __future__ import annotations

import numpy as np

from engine.averages import (
    as_column,
    check_period,
    compiled,
    ema,
    ema_warmup,
    find_start,
    sma,
    sma_many,
    unknown_column,
    wilder_warmup,
    wma,
)
from engine.memo import remember_results
from engine.types import Bools, Floats

__all__ = [
    "YEAR_MS",
    "atr",
    "bollinger",
    "crossed_above",
    "crossed_below",
    "crosses",
    "deviation",
    "donchian",
    "ema",
    "ema_warmup",
    "highest",
    "log_returns",
    "lowest",
    "macd",
    "previous",
    "rate_of_change",
    "realised_volatility",
    "rsi",
    "sma",
    "sma_many",
    "supertrend",
    "wilder_warmup",
    "wma",
]

YEAR_MS = 365 * 86_400_000
"""The year of every yearly figure: markets that never close have 365 days."""

# --- Oscillators ----------------------------------------------------------------------------------------------------------


@compiled
def _fill_rsi(x: Floats, n: int, out: Floats) -> None:
    start = find_start(x)
    gain = loss = 0.0
    weight = 1.0 / n
    for i in range(start + 1, len(x)):
        change = x[i] - x[i - 1]
        up = change if change > 0.0 else 0.0
        down = up - change
        if i <= start + n:
            gain += up * weight
            loss += down * weight
        else:
            gain += (up - gain) * weight
            loss += (down - loss) * weight
        if i >= start + n:
            out[i] = 100.0 * gain / (gain + loss) if gain + loss > 0.0 else 50.0


@remember_results
def rsi(values: Floats, n: int) -> Floats:
    """Relative strength index, 0 to 100, of Wilder's averages of n gains and losses (Wilder 1978). Without any move it is 50."""
    x = as_column(values)
    out = unknown_column(x)
    _fill_rsi(x, check_period(n), out)
    return out


@remember_results
def macd(values: Floats, fast: int, slow: int, signal: int) -> tuple[Floats, Floats, Floats]:
    """(line, signal, histogram): the fast `ema` less the slow one; the `ema` of that; their difference (Appel 1979)."""
    line: Floats = ema(values, fast) - ema(values, slow)
    average = ema(line, signal)
    return line, average, line - average


@remember_results
def rate_of_change(values: Floats, n: int) -> Floats:
    """Change against the value n candles before, as a ratio: 0.05 is 5 % more."""
    x = as_column(values)
    out = unknown_column(x)
    if check_period(n) < len(x):
        out[n:] = x[n:] / x[:-n] - 1.0
    return out


# --- Volatility -----------------------------------------------------------------------------------------------------------


@compiled
def _sum_around(x: Floats, first: int, last: int) -> tuple[float, float]:
    """Mean of x[first:last], and the sum of squared distances from it, in two passes."""
    drift = squares = 0.0
    for i in range(first, last):
        drift += x[i] - x[first]
    mean = x[first] + drift / (last - first)
    for i in range(first, last):
        squares += (x[i] - mean) ** 2
    return mean, squares


@compiled
def _fill_deviation(x: Floats, n: int, taken: int, out: Floats) -> None:
    """Welford's update along the window, begun afresh now and then and when the squares collapse: errors cannot pile up."""
    start = find_start(x)
    mean = squares = peak = 0.0
    share, left, same = 1.0 / n, 0, 0
    for i in range(start, len(x)):
        same = same + 1 if i > start and x[i] == x[i - 1] else 1
        if i < start + n - 1:
            continue
        if left > 0:
            change, before = x[i] - x[i - n], mean
            mean += change * share
            squares += change * (x[i] - mean + x[i - n] - before)
            peak = squares if squares > peak else peak
        if left == 0 or squares < 1e-7 * peak:
            mean, squares = _sum_around(x, i - n + 1, i + 1)
            left, peak = max(n, 256), squares
        left -= 1
        out[i] = 0.0 if same >= n or squares < 0.0 else np.sqrt(squares / (n - taken))


@remember_results
def deviation(values: Floats, n: int, taken: int = 0) -> Floats:
    """Standard deviation of the last n values, their squares divided by n - taken. A flat stretch has exactly none."""
    x = as_column(values)
    out = unknown_column(x)
    if check_period(n) > taken:
        _fill_deviation(x, n, taken, out)
    return out


@remember_results
def bollinger(values: Floats, n: int, width: float) -> tuple[Floats, Floats, Floats]:
    """(middle, upper, lower): the `sma`, and `width` standard deviations (of the population) around it (Bollinger 2001)."""
    middle, reach = sma(values, n), width * deviation(values, n)
    return middle, middle + reach, middle - reach


@compiled
def _fill_log_returns(x: Floats, out: Floats) -> None:
    for i in range(1, len(x)):
        out[i] = np.log(x[i] / x[i - 1])


@remember_results
def log_returns(values: Floats) -> Floats:
    """Natural logarithm of each value over the one before."""
    x = as_column(values)
    out = unknown_column(x)
    _fill_log_returns(x, out)
    return out


@remember_results
def realised_volatility(values: Floats, n: int, step: int) -> Floats:
    """Yearly volatility: the standard deviation (n - 1) of the last n log returns times the root of candles in 365 days.

    `step` is the candles' interval in milliseconds.
    """
    candle: Floats = deviation(log_returns(values), n, 1)
    return candle * float(np.sqrt(YEAR_MS / step))


@compiled
def _fill_atr(high: Floats, low: Floats, close: Floats, n: int, out: Floats) -> None:
    value, weight = 0.0, 1.0 / n
    for i in range(1, len(close)):
        before = close[i - 1]
        top = high[i] if high[i] > before else before
        bottom = low[i] if low[i] < before else before
        if i <= n:
            value += (top - bottom) * weight
        else:
            value += (top - bottom - value) * weight
        if i >= n:
            out[i] = value


@remember_results
def atr(high: Floats, low: Floats, close: Floats, n: int) -> Floats:
    """Average true range: Wilder's average of n true ranges, in price (Wilder 1978)."""
    out = unknown_column(close)
    _fill_atr(as_column(high), as_column(low), as_column(close), check_period(n), out)
    return out


# --- Channels -------------------------------------------------------------------------------------------------------------


@compiled
def _fill_highest(x: Floats, n: int, out: Floats) -> None:
    """van Herk and Gil-Werman: blocks of n; a window is the tail of one block and the head of the next."""
    start = find_start(x)
    tails, after = np.empty(n), np.full(n, -np.inf)
    for begin in range(start, len(x), n):
        block = x[begin : begin + n]
        size = len(block)
        head = tail = -np.inf
        found = out[begin : begin + size]
        for k in range(size):
            head = block[k] if block[k] > head else head
            found[k] = head if head > after[k] else after[k]
        for k in range(size):
            tail = block[size - 1 - k] if block[size - 1 - k] > tail else tail
            tails[size - 1 - k] = tail
        after[: n - 1] = tails[1:]
    out[start : start + n - 1] = np.nan


@remember_results
def highest(values: Floats, n: int) -> Floats:
    """The largest of the last n values."""
    x = as_column(values)
    out = unknown_column(x)
    _fill_highest(x, check_period(n), out)
    return out


@remember_results
def lowest(values: Floats, n: int) -> Floats:
    """The smallest of the last n values."""
    x = -as_column(values)
    out = unknown_column(x)
    _fill_highest(as_column(x), check_period(n), out)
    return np.negative(out)


def donchian(high: Floats, low: Floats, n: int) -> tuple[Floats, Floats]:
    """(upper, lower): highest high and lowest low of the last n candles, this one among them; `previous` leaves it out."""
    return highest(high, n), lowest(low, n)


@compiled
def _fill_supertrend(high: Floats, low: Floats, close: Floats, reach: Floats, line: Floats, direction: Floats) -> None:
    start = find_start(reach)
    upper, lower, up = np.inf, -np.inf, False
    for i in range(start, len(close)):
        middle = (high[i] + low[i]) / 2.0
        before = close[i - 1] if i > start else close[i]
        upper = middle + reach[i] if middle + reach[i] < upper or before > upper else upper
        lower = middle - reach[i] if middle - reach[i] > lower or before < lower else lower
        up = close[i] >= lower if up else close[i] > upper
        line[i] = lower if up else upper
        direction[i] = 1.0 if up else -1.0


@remember_results
def supertrend(high: Floats, low: Floats, close: Floats, n: int, multiplier: float) -> tuple[Floats, Floats]:
    """(line, direction): a stop `multiplier` x `atr` from the middle that only tightens, and flips when closed through.

    Direction is 1 in a rising trend (the line is below the price) and -1 in a falling one; it begins falling.
    """
    line, direction = unknown_column(close), unknown_column(close)
    reach = multiplier * atr(high, low, close, n)
    _fill_supertrend(as_column(high), as_column(low), as_column(close), as_column(reach), line, direction)
    return line, direction


# --- Crosses --------------------------------------------------------------------------------------------------------------


@compiled
def _fill_crosses(a: Floats, b: Floats, above: Bools, below: Bools) -> None:
    for i in range(1, len(a)):
        above[i] = (a[i] > b[i]) & (a[i - 1] <= b[i - 1])
        below[i] = (a[i] < b[i]) & (a[i - 1] >= b[i - 1])


def crosses(a: Floats, b: Floats | float) -> tuple[Bools, Bools]:
    """(above, below): where a is above b now and was at or below it on the candle before, and the other way round.

    What is not known does not cross.
    """
    level = np.full(len(a), b) if np.isscalar(b) else b
    above, below = np.zeros(len(a), dtype=np.bool_), np.zeros(len(a), dtype=np.bool_)
    _fill_crosses(as_column(a), as_column(level), above, below)
    return above, below


def crossed_above(a: Floats, b: Floats | float) -> Bools:
    """Where a is above b now and was at or below it on the candle before."""
    return crosses(a, b)[0]


def crossed_below(a: Floats, b: Floats | float) -> Bools:
    """Where a is below b now and was at or above it on the candle before."""
    return crosses(a, b)[1]


def previous(values: Floats, by: int = 1) -> Floats:
    """The values of `by` candles before."""
    out = unknown_column(as_column(values))
    if by < len(out):
        out[by:] = values[: len(values) - by]
    return out
