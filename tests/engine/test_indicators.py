"""Indicators against exact arithmetic, TA-Lib and plain definitions, and never a value from the future."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import indicators as ta
from engine.types import Floats

steady = settings(derandomize=True, deadline=None, database=None)


def walk(length: int, seed: int = 7, decimals: int | None = None) -> Floats:
    values = 30_000.0 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.002, length)))
    return values if decimals is None else np.round(values, decimals)


def bars(length: int, seed: int = 7) -> tuple[Floats, Floats, Floats]:
    close = walk(length, seed)
    noise = np.abs(np.random.default_rng(seed + 1).normal(0, 20, (2, length)))
    return close + noise[0], close - noise[1], close


ONE: dict[str, Callable[[Floats, int], Any]] = {
    "sma": ta.sma,
    "ema": ta.ema,
    "wma": ta.wma,
    "rsi": ta.rsi,
    "rate_of_change": ta.rate_of_change,
    "deviation": ta.deviation,
    "highest": ta.highest,
    "lowest": ta.lowest,
    "macd": lambda x, n: ta.macd(x, n, 2 * n, 3),
    "bollinger": lambda x, n: ta.bollinger(x, n, 2.0),
    "realised_volatility": lambda x, n: ta.realised_volatility(x, n, 60_000),
    "atr": lambda x, n: ta.atr(x + 1, x - 1, x, n),
    "donchian": lambda x, n: ta.donchian(x + 1, x - 1, n),
    "supertrend": lambda x, n: ta.supertrend(x + 1, x - 1, x, n, 3.0),
    "previous": ta.previous,
}


def columns(result: Any) -> tuple[Floats, ...]:
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("decimals", [None, 2])
def test_a_prefix_gives_the_prefix_to_the_last_bit(name: str, decimals: int | None) -> None:
    values = walk(1_500, decimals=decimals)
    whole = columns(ONE[name](values, 17))
    for cut in (1, 16, 17, 18, 19, 51, 255, 257, 600, 1_024, 1_499):
        for part, full in zip(columns(ONE[name](values[:cut], 17)), whole, strict=True):
            np.testing.assert_array_equal(part, full[:cut])


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize(("length", "n"), [(0, 3), (1, 1), (1, 5), (5, 5), (4, 9), (30, 1)])
def test_every_length_and_period_has_a_value_or_nan_for_each_candle(name: str, length: int, n: int) -> None:
    for column in columns(ONE[name](walk(length), n)):
        assert column.shape == (length,)
        if n > length:
            assert np.isnan(column).all()


@pytest.mark.parametrize("name", ["sma", "ema", "wma", "highest", "lowest"])
def test_a_period_of_one_is_the_value_itself(name: str) -> None:
    values = walk(50)
    np.testing.assert_allclose(ONE[name](values, 1), values, rtol=1e-15)


@pytest.mark.parametrize("name", ["sma", "ema", "wma", "rsi", "deviation", "highest", "lowest"])
def test_unknown_values_at_the_start_are_passed_over(name: str) -> None:
    values = walk(100)
    padded = np.concatenate([np.full(13, np.nan), values])
    np.testing.assert_array_equal(ONE[name](padded, 10)[13:], ONE[name](values, 10))


def test_a_period_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        ta.sma(walk(10), 0)


@pytest.mark.parametrize(("name", "theirs"), [("sma", talib.SMA), ("ema", talib.EMA), ("wma", talib.WMA), ("rsi", talib.RSI)])
def test_averages_and_rsi_agree_with_talib(name: str, theirs: Callable[[Floats, int], Floats]) -> None:
    values = walk(2_000)
    np.testing.assert_allclose(ONE[name](values, 14), theirs(values, 14), rtol=1e-9)


def test_bollinger_atr_and_channels_agree_with_talib() -> None:
    high, low, close = bars(2_000)
    middle, upper, lower = ta.bollinger(close, 20, 2.0)
    their_upper, their_middle, their_lower = talib.BBANDS(close, 20, 2.0, 2.0)
    np.testing.assert_allclose([middle, upper, lower], [their_middle, their_upper, their_lower], rtol=1e-9)
    np.testing.assert_allclose(ta.atr(high, low, close, 14), talib.ATR(high, low, close, 14), rtol=1e-9)
    np.testing.assert_array_equal(ta.donchian(high, low, 20), [talib.MAX(high, 20), talib.MIN(low, 20)])


def test_macd_agrees_with_talib_once_the_seeds_have_faded() -> None:
    values = walk(2_000)
    for ours, theirs in zip(ta.macd(values, 12, 26, 9), talib.MACD(values, 12, 26, 9), strict=True):
        np.testing.assert_allclose(ours[600:], theirs[600:], atol=1e-6)


# --- Exact averages -------------------------------------------------------------------------------------------------------


def exact_sma(values: Floats, n: int) -> list[float]:
    """Each average as the fraction it is, rounded once."""
    units = [Fraction(repr(float(value))) for value in values]
    return [math.nan if i < n - 1 else float(sum(units[i - n + 1 : i + 1], Fraction(0)) / n) for i in range(len(units))]


@steady
@given(
    units=st.lists(st.integers(1, 40_000), min_size=1, max_size=60),
    places=st.integers(0, 12),
    n=st.integers(1, 12),
)
def test_averages_of_decimals_are_the_exact_ones_rounded_once(units: list[int], places: int, n: int) -> None:
    values = np.array([float(f"{unit}e-{places}") for unit in units])
    np.testing.assert_array_equal(ta.sma(values, n), exact_sma(values, n))


@steady
@given(low=st.integers(1_000, 2_000), units=st.lists(st.integers(0, 3), min_size=30, max_size=120))
def test_equal_averages_of_two_periods_are_equal_floats(low: int, units: list[int]) -> None:
    """Few levels make many ties; crosses must be those of exact fractions."""
    values = np.array([float(f"{low + unit}e-2") for unit in units])
    fast, slow = ta.sma_many(values, [3, 7])
    exact = [Fraction(low + unit, 100) for unit in units]
    for i in range(6, len(units)):
        a, b = sum(exact[i - 2 : i + 1]) / 3, sum(exact[i - 6 : i + 1]) / 7
        assert (fast[i] > slow[i], fast[i] < slow[i]) == (a > b, a < b)


def test_averages_of_any_floats_do_not_drift() -> None:
    values = walk(20_000)
    values[5_000:5_050] *= 1e6
    exact = [float(sum(map(Fraction, values[i - 49 : i + 1].tolist()), Fraction(0)) / 50) for i in range(19_000, 20_000)]
    np.testing.assert_array_equal(ta.sma(values, 50)[19_000:], exact)


def test_a_flat_stretch_of_any_float_is_its_own_average() -> None:
    values = np.full(500, 30_000.123456789012345 / 7)
    for n in (3, 10, 49, 50):
        assert set(ta.sma(values, n)[n - 1 :]) == {values[0]}
        assert set(ta.ema(values, n)[n - 1 :]) == {values[0]}
        assert set(ta.deviation(values, n)[n - 1 :]) == {0.0}


@pytest.mark.parametrize("odd", [math.pi, 1e300, 12_345.678_912_345_6])
def test_a_value_that_is_no_decimal_changes_nothing_before_it(odd: float) -> None:
    values = walk(900, decimals=2)
    mixed = values.copy()
    mixed[700] = odd
    np.testing.assert_array_equal(ta.sma(mixed, 20)[:700], ta.sma(values, 20)[:700])
    expected = [float(sum(map(Fraction, mixed[i - 19 : i + 1].tolist()), Fraction(0)) / 20) for i in range(700, 900)]
    if odd < 1e9:
        np.testing.assert_allclose(ta.sma(mixed, 20)[700:], expected, rtol=1e-15)


def test_sma_many_equals_sma_one_by_one() -> None:
    for values in (walk(3_000), walk(3_000, decimals=2)):
        for n, average in zip([5, 10, 50], ta.sma_many(values, [5, 10, 50]), strict=True):
            np.testing.assert_array_equal(average, ta.sma(values, n))


# --- Plain definitions ----------------------------------------------------------------------------------------------------


@steady
@given(
    steps=st.lists(st.sampled_from([0.0, 0.0, 0.01, -0.01, 3.7, -2.2, 900.0, -850.0]), min_size=2, max_size=400),
    n=st.integers(2, 30),
    taken=st.integers(0, 1),
)
def test_deviation_is_that_of_each_window(steps: list[float], n: int, taken: int) -> None:
    values = 30_000.0 + np.cumsum(steps)
    found = ta.deviation(values, n, taken)
    for i in range(n - 1, len(values)):
        assert found[i] == pytest.approx(np.std(values[i - n + 1 : i + 1], ddof=taken), rel=1e-3, abs=1e-9)


@steady
@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=80), n=st.integers(1, 90))
def test_highest_and_lowest_are_those_of_each_window(values: list[float], n: int) -> None:
    x = np.array(values)
    windows = [x[i - n + 1 : i + 1] if i >= n - 1 else np.array([np.nan]) for i in range(len(x))]
    np.testing.assert_array_equal(ta.highest(x, n), [window.max() for window in windows])
    np.testing.assert_array_equal(ta.lowest(x, n), [window.min() for window in windows])


def test_realised_volatility_is_the_yearly_deviation_of_log_returns() -> None:
    values = walk(300)
    returns = np.diff(np.log(values))
    expected = np.std(returns[-60:], ddof=1) * math.sqrt(365 * 24 * 60)
    assert ta.realised_volatility(values, 60, 60_000)[-1] == pytest.approx(expected, rel=1e-9)
    assert np.isnan(ta.realised_volatility(values, 60, 60_000)[:60]).all()


def test_rsi_without_moves_is_in_the_middle_and_with_gains_only_at_the_top() -> None:
    assert set(ta.rsi(np.full(50, 5.0), 14)[14:]) == {50.0}
    assert set(ta.rsi(np.arange(1.0, 50.0), 14)[14:]) == {100.0}


def test_supertrend_stays_below_a_rise_and_flips_on_the_fall() -> None:
    close = np.concatenate([np.linspace(100, 200, 60), np.linspace(200, 100, 60)])
    line, direction = ta.supertrend(close + 1, close - 1, close, 10, 3.0)
    assert direction[50] == 1
    assert line[50] < close[50]
    assert direction[110] == -1
    assert line[110] > close[110]
    rising = line[(direction == 1) & (np.arange(120) < 60)]
    assert (np.diff(rising) >= 0).all()


def test_a_cross_is_above_now_and_at_or_below_before() -> None:
    a = np.array([1.0, 2.0, 3.0, 2.0, 2.0, np.nan, 3.0, 3.0])
    b = np.array([2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, np.nan])
    assert ta.crossed_above(a, b).tolist() == [False, False, True, False, True, False, False, False]
    assert ta.crossed_below(b, a).tolist() == ta.crossed_above(a, b).tolist()
    assert ta.crossed_above(a, 2.0).tolist() == [False, False, True, False, False, False, False, False]
    assert ta.crossed_below(np.array([3.0, 2.0, 1.0]), 2.0).tolist() == [False, False, True]


@settings(steady, max_examples=30)
@given(seed=st.integers(0, 1_000), n=st.integers(1, 40))
def test_read_only_and_strided_columns_are_read_as_they_are(seed: int, n: int) -> None:
    values = walk(200, seed)
    table = np.column_stack([values, values + 1])
    table.flags.writeable = False
    np.testing.assert_array_equal(ta.sma(table[:, 0], n), ta.sma(values, n))
