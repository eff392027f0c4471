"""Moving averages, and what all indicators are made with (see `indicators`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba import njit

from engine.memo import remember_results
from engine.types import Floats

compiled: Callable[..., Any] = njit(cache=True, error_model="numpy")


def as_column(values: Any) -> Floats:
    """`values` as a contiguous, read-only float64 view: one type, so that each kernel is compiled once."""
    array = np.ascontiguousarray(values, dtype=np.float64).view()
    array.flags.writeable = False
    return array


def unknown_column(values: Floats) -> Floats:
    return np.full(len(values), np.nan)


def check_period(n: int) -> int:
    if n < 1:
        raise ValueError(f"a period must be at least 1 candle; got {n}")
    return int(n)


def ema_warmup(n: int) -> int:
    """Candles until an `ema`'s first values weigh under 2 %: its decay is e^(-2/n) a candle."""
    return 3 * n


def wilder_warmup(n: int) -> int:
    """Candles until the first values of Wilder's smoothing (`rsi`, `atr`) weigh under 2 %: its decay is e^(-1/n) a candle."""
    return 5 * n


@compiled
def find_start(x: Floats) -> int:
    """Index of the first value that is not NaN."""
    i = 0
    while i < len(x) and np.isnan(x[i]):
        i += 1
    return i


@compiled
def _find_finer(x: Floats, start: int, j: int, scale: float, most: float) -> float:
    """The next scale that fits x[j] and leaves all of x[start:j + 1] under `most`; 0 if there is none."""
    peak = 0.0
    for i in range(start, j + 1):
        peak = max(peak, abs(x[i]))
    while scale <= 1e12 and peak * scale <= most:
        if np.rint(x[j] * scale) / scale == x[j]:
            return scale
        scale *= 10.0
    return 0.0


@compiled
def _find_decimals(x: Floats, start: int, most: float) -> tuple[int, float]:
    """(end, scale): x[start:end] are whole multiples of 1 / scale, a power of ten, of at most `most` units.

    It stops at the first value that is no such multiple, so the result for a prefix is the prefix of the result for the whole.
    """
    scale, i = 1.0, start
    while i < len(x):
        end = min(i + 256, len(x))
        misfits = 0
        for j in range(i, end):  # no way out of this loop, so that it runs on vectors
            units = np.rint(x[j] * scale)
            misfits += (units / scale != x[j]) | (abs(units) > most)
        for j in range(i, end if misfits else i):
            units = np.rint(x[j] * scale)
            if units / scale != x[j] or abs(units) > most:
                finer = _find_finer(x, start, j, scale, most)
                if finer == 0.0:
                    return j, scale
                scale = finer
        i = end
    return i, scale


@compiled
def _sma_decimal(x: Floats, n: int, start: int, end: int, scale: float, out: Floats) -> None:
    """Averages of whole multiples of 1 / scale: the sums are exact, and each is divided once."""
    total, divisor = 0.0, n * scale
    for i in range(start, min(start + n, end)):
        total += np.rint(x[i] * scale)
    if end - start >= n:
        out[start + n - 1] = total / divisor
    for i in range(start + n, end):
        total += np.rint(x[i] * scale) - np.rint(x[i - n] * scale)
        out[i] = total / divisor


@compiled
def _sma_float(x: Floats, n: int, start: int, first: int, out: Floats) -> None:
    """Averages of any floats from `first` on, x[start] being the first value summed.

    The running sum is a pair `total + rest` of twice the precision (Knuth's TwoSum), and the quotient is corrected by its
    remainder (Dekker's product), so that the result is the correctly rounded one. In blocks, so that only the sum is serial.
    """
    block, share = 512, 1.0 / n
    totals, rests, zeros = np.empty(block), np.empty(block), np.zeros(block)
    total = rest = 0.0
    i = start
    while i < len(x):
        size = min(block, len(x) - i, start + n - i if i < start + n else block)
        new, old = x[i : i + size], x[i - n : i - n + size] if i >= start + n else zeros
        for j in range(size):
            change = new[j] - old[j]
            back = change - new[j]
            totals[j] = change
            rests[j] = (new[j] - (change - back)) - (old[j] + back)
        for j in range(size):
            change = totals[j]
            after = total + change
            back = after - total
            rest += ((total - (after - back)) + (change - back)) + rests[j]
            total = after
            totals[j], rests[j] = total, rest
        averages = out[i : i + size]
        for j in range(max(0, first - i), size):
            quotient = (totals[j] + rests[j]) * share  # near enough; the remainder is divided exactly
            split = 134217729.0 * quotient
            upper = split - (split - quotient)
            averages[j] = quotient + (((totals[j] - upper * n) - (quotient - upper) * n) + rests[j]) / n
        i += size


@compiled
def _fill_sma(x: Floats, n: int, start: int, end: int, scale: float, out: Floats) -> None:
    out[: start + n - 1] = np.nan
    _sma_decimal(x, n, start, end, scale, out)
    if end < len(x):
        _sma_float(x, n, max(start, end - n + 1), max(end, start + n - 1), out)


@remember_results
def _decimal_part(values: Floats, most: float) -> tuple[int, int, float]:
    start = find_start(values)
    return (start, *_find_decimals(values, start, most))


def sma_many(values: Floats, periods: Sequence[int]) -> list[Floats]:
    """`sma` for each period; the column is looked through once for all of them."""
    x, longest = as_column(values), max(map(check_period, periods))
    # Sums up to 2^53 are exact in a float, and up to 15 digits a float has one decimal form.
    start, end, scale = _decimal_part(x, min(1e15, 2.0**53 / longest))
    return [_average_column(x, n, start, end, scale) for n in periods]


@remember_results
def _average_column(x: Floats, n: int, start: int, end: int, scale: float) -> Floats:
    out = np.empty(len(x))
    _fill_sma(x, n, start, end, scale, out)
    return out


def sma(values: Floats, n: int) -> Floats:
    """Simple moving average of the last n values, without rounding noise.

    Where the values are decimals of up to 12 places, as prices are, each average is the correctly rounded quotient of an exact sum:
    equal averages are equal floats, whatever their periods, and a greater one is not smaller. From the first value on that is no
    such decimal, sums are kept to twice a float's precision.
    """
    return sma_many(values, [n])[0]


@compiled
def _fill_ema(x: Floats, n: int, out: Floats) -> None:
    start = find_start(x)
    if len(x) - start < n:
        return
    drift = 0.0
    for i in range(start, start + n):
        drift += x[i] - x[start]
    value = x[start] + drift / n  # differences, so that a flat stretch has its own level to the last bit
    weight = 2.0 / (n + 1)
    out[start + n - 1] = value
    for i in range(start + n, len(x)):
        value += weight * (x[i] - value)
        out[i] = value


@remember_results
def ema(values: Floats, n: int) -> Floats:
    """Exponential moving average, weight 2 / (n + 1), begun with the simple average of the first n values."""
    x = as_column(values)
    out = unknown_column(x)
    _fill_ema(x, check_period(n), out)
    return out


@compiled
def _fill_wma(x: Floats, n: int, out: Floats) -> None:
    whole = n * (n + 1) / 2.0
    for begin in range(find_start(x) + n - 1, len(x), 1024):
        sums = out[begin : begin + 1024]
        sums[:] = 0.0
        for k in range(n):
            older = x[begin - k : begin - k + len(sums)]
            for i in range(len(sums)):
                sums[i] += (n - k) * older[i]
        for i in range(len(sums)):
            sums[i] /= whole


@remember_results
def wma(values: Floats, n: int) -> Floats:
    """Linearly weighted moving average: the newest value weighs n, the oldest 1. Takes time in proportion to n."""
    x = as_column(values)
    out = unknown_column(x)
    _fill_wma(x, check_period(n), out)
    return out
