"""Metrics against figures worked out by hand, against their definitions, and where they are not defined."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import returns as curve
from engine.metrics import DEFINITIONS, KINDS, Metrics, measure
from engine.overfitting import deflated_sharpe, expected_maximum_sharpe, probabilistic_sharpe
from engine.types import REASONS, Account, Candles, Floats, Simulation, Table

steady = settings(derandomize=True, deadline=None, database=None)
HOUR, DAY = 3_600_000, 86_400_000
START = 1_640_995_200_000  # 2022-01-01
PROMISED = {
    "final_equity",
    "total_return",
    "cagr",
    "volatility",
    "sharpe",
    "sortino",
    "calmar",
    "max_drawdown",
    "max_drawdown_duration_s",
    "trades",
    "win_rate",
    "profit_factor",
    "expectancy",
    "average_win",
    "average_loss",
    "exposure",
    "turnover",
    "fees_paid",
    "slippage_paid",
    "buy_and_hold_return",
    "per_symbol",
    "per_exit_reason",
    "monthly_returns",
    "candles",
}

Trade = tuple[int, int, int, float, float, str]  # symbol, entry, exit, profit, return, exit reason


def candles(length: int, interval: str = "1h", symbol: str = "BTC-USD", closes: Sequence[float] | None = None) -> Candles:
    step = {"1h": HOUR, "1d": DAY}[interval]
    close = np.asarray(closes if closes is not None else np.full(length, 100.0), dtype=np.float64)
    opens = np.concatenate([close[:1], close[:-1]])
    return Candles(symbol, interval, START + step * np.arange(length), opens, opens, opens, close, np.ones(length))


def trades(rows: Sequence[Trade] = ()) -> Table:
    symbol, entry, exit_, profit, returns, reason = zip(*rows, strict=True) if rows else ((),) * 6
    return Table(
        {
            "symbol": np.array(symbol, dtype=np.int16),
            "entry_index": np.array(entry, dtype=np.int64),
            "exit_index": np.array(exit_, dtype=np.int64),
            "profit": np.array(profit, dtype=np.float64),
            "return": np.array(returns, dtype=np.float64),
            "fees": np.full(len(rows), 0.25),
            "slippage": np.full(len(rows), 0.125),
            "exit_reason": np.array([REASONS.index(word) for word in reason], dtype=np.int8),
        }
    )


def fills(rows: Sequence[tuple[float, float]] = ()) -> Table:
    price, quantity = np.array(rows, dtype=np.float64).reshape(-1, 2).T
    return Table({"price": price, "quantity": quantity, "fee": price * quantity * 0.01, "slippage": np.full(len(price), 0.5)})


def measured(
    equity: Any,
    *,
    interval: str = "1d",
    cash: float = 100.0,
    made: Sequence[Trade] = (),
    filled: Sequence[tuple[float, float]] = (),
    series: Sequence[Candles] | None = None,
) -> dict[str, Any]:
    series = series or [candles(len(equity), interval)]
    levels = np.asarray(equity, dtype=np.float64)
    simulation = Simulation(series[0].time, levels, Table({}), fills(filled), trades(made), float(levels[-1]))
    return measure(simulation, series, Account(cash)).as_dict()


# --- By hand --------------------------------------------------------------------------------------------------------------


def test_ratios_worked_out_by_hand() -> None:
    """Daily returns 10 %, -10 %, 10 %, 0 %, ten times: mean 0.025, squared distances 10 x (0.005625 x 2 + 0.015625 + 0.000625)."""
    found = measured(100 * np.cumprod([1.1, 0.9, 1.1, 1.0] * 10))
    deviation, growth = math.sqrt(0.275 / 39), 1.089**10
    assert found["total_return"] == pytest.approx(growth - 1)
    assert found["volatility"] == pytest.approx(deviation * math.sqrt(365))
    assert found["sharpe"] == pytest.approx(0.025 / deviation * math.sqrt(365))
    assert found["sortino"] == pytest.approx(0.025 / math.sqrt(0.01 / 4) * math.sqrt(365))
    assert found["max_drawdown"] == pytest.approx(-0.1)
    assert found["cagr"] == pytest.approx(growth ** (365 / 40) - 1)
    assert found["calmar"] == pytest.approx((growth ** (365 / 40) - 1) / 0.1)
    assert found["days"] == 40
    assert float(found["final_equity"]) == pytest.approx(100 * growth)


YEARLY = ("cagr", "volatility", "sharpe", "sortino", "calmar", "probabilistic_sharpe")


def test_a_span_too_short_for_a_year_has_no_yearly_figures() -> None:
    """26 hours of a market that rises by 8 % would be a growth of 10^13 % a year, and a Sharpe ratio of 16."""
    short = measured(100 * 1.003 ** np.arange(26), interval="1h")
    assert {name: short[name] for name in YEARLY} == dict.fromkeys(YEARLY)
    assert short["total_return"] == pytest.approx(1.003**25 - 1)


@pytest.mark.parametrize(("days", "known"), [(29, False), (30, True)])
def test_thirty_days_are_enough_for_yearly_figures(days: int, known: bool) -> None:
    found = measured(100 * np.cumprod(([1.02, 0.99] * 15)[:days]))
    assert {found[name] is not None for name in YEARLY} == {known}


def test_drawdowns_worked_out_by_hand() -> None:
    """Peak 120 at the second close, trough 90, back at 120 three candles later; then a smaller fall that is not recovered."""
    found = measured([110, 120, 100, 90, 120, 119], interval="1h")
    assert found["max_drawdown"] == -0.25
    assert found["max_drawdown_duration_s"] == 3 * 3600
    assert found["largest_drawdowns"] == [
        {
            "depth": -0.25,
            "start": "2022-01-01T02:00:00Z",
            "trough": "2022-01-01T04:00:00Z",
            "end": "2022-01-01T05:00:00Z",
            "duration_s": 10800.0,
        },
        {
            "depth": pytest.approx(-1 / 120),
            "start": "2022-01-01T05:00:00Z",
            "trough": "2022-01-01T06:00:00Z",
            "end": None,
            "duration_s": 3600.0,
        },
    ]


def test_a_fall_below_the_initial_cash_counts_from_the_first_open() -> None:
    found = measured([90, 95, 99], interval="1h")
    assert found["max_drawdown"] == -0.1
    assert found["max_drawdown_duration_s"] == 3 * 3600
    assert found["largest_drawdowns"][0]["start"] == "2022-01-01T00:00:00Z"


def test_trade_figures_worked_out_by_hand() -> None:
    made = [
        (0, 1, 3, 30.0, 0.3, "exit_signal"),
        (0, 3, 4, -10.0, -0.1, "stop_loss"),
        (0, 5, 6, -5.0, -0.05, "stop_loss"),
        (0, 6, 9, 20.0, 0.2, "end_of_data"),
    ]
    found = measured(np.linspace(100, 135, 10), interval="1h", made=made, filled=[(100.0, 2.0), (110.0, 1.0)])
    assert found["trades"] == 4
    assert found["win_rate"] == 0.5
    assert found["profit_factor"] == pytest.approx(50 / 15)
    assert (found["expectancy"], found["average_win"], found["average_loss"]) == ("8.75000000", "25.00000000", "-7.50000000")
    assert (found["best_trade"], found["worst_trade"]) == (0.3, -0.1)
    assert found["average_trade_return"] == pytest.approx(0.0875)
    assert found["median_trade_return"] == pytest.approx(0.075)
    assert found["max_consecutive_losses"] == 2
    assert found["average_duration_s"] == (2 + 1 + 1 + 3) / 4 * 3600
    assert found["sqn"] == pytest.approx(0.0875 * 2 / np.std([0.3, -0.1, -0.05, 0.2], ddof=1))
    # Held at the closes of 1, 2, 3, 5, 6, 7, 8 and, sold at the end only, 9.
    assert found["exposure"] == 0.8
    assert found["fees_paid"] == "3.10000000"
    assert found["slippage_paid"] == "1.00000000"
    assert found["turnover"] == pytest.approx(310 / 117.5)
    assert list(found["per_exit_reason"]) == ["exit_signal", "stop_loss", "end_of_data"]
    assert found["per_exit_reason"]["stop_loss"] == {
        "trades": 2,
        "profit": "-15.00000000",
        "win_rate": 0.0,
        "average_return": -0.075,
        "fees": "0.50000000",
        "slippage": "0.25000000",
    }


def test_lots_held_together_are_exposed_once() -> None:
    made = [(0, 2, 8, 1.0, 0.1, "exit_signal"), (0, 0, 4, 1.0, 0.1, "exit_signal"), (0, 3, 5, 1.0, 0.1, "exit_signal")]
    assert measured(np.full(10, 100.0), made=made)["exposure"] == 0.8


def test_symbols_are_told_apart_and_held_in_equal_parts() -> None:
    series = [candles(4, closes=[100, 100, 100, 150]), candles(4, symbol="ETH-USD", closes=[10, 10, 10, 8])]
    made = [(1, 0, 1, -2.0, -0.2, "exit_signal"), (0, 1, 2, 4.0, 0.4, "exit_signal"), (1, 2, 3, 1.0, 0.1, "exit_signal")]
    found = measured([100, 98, 102, 103], series=series, made=made)
    assert found["buy_and_hold_return"] == pytest.approx((0.5 - 0.2) / 2)
    assert found["candles"] == 8
    assert list(found["per_symbol"]) == ["BTC-USD", "ETH-USD"]
    assert found["per_symbol"]["ETH-USD"]["trades"] == 2
    assert found["per_symbol"]["ETH-USD"]["profit"] == "-1.00000000"
    assert found["per_symbol"]["ETH-USD"]["win_rate"] == 0.5
    assert found["per_symbol"]["ETH-USD"]["buy_and_hold_return"] == pytest.approx(-0.2)


def test_days_and_months_end_in_utc() -> None:
    """36 hours from 18:00 on 30 January: a part of the 30th, the whole 31st, a part of 1 February."""
    time = np.arange(36) * HOUR + START + 29 * DAY + 18 * HOUR
    equity = np.full(36, 100.0)
    equity[5:], equity[29:], equity[35:] = 110.0, 99.0, 108.9
    ends = curve.day_ends(curve.time_column(time + HOUR))
    assert ends.tolist() == [5, 29, 35]
    np.testing.assert_allclose(curve.daily_returns(equity, ends, 100.0), [0.1, -0.1, 0.1])
    series = candles(36)
    moved = Candles(series.symbol, "1h", time, series.open, series.high, series.low, series.close, series.volume)
    found = measured(equity, series=[moved])
    assert found["monthly_returns"] == [{"month": "2022-01", "return": -0.01}, {"month": "2022-02", "return": 0.1}]


def test_days_and_months_without_candles_return_nothing() -> None:
    time = np.array([0, 1, 100, 101]) * DAY + START
    series = candles(4, "1d")
    gap = Candles(series.symbol, "1d", time, series.open, series.high, series.low, series.close, series.volume)
    found = measured([110, 121, 121, 133.1], series=[gap])
    assert found["days"] == 102
    assert [row["month"] for row in found["monthly_returns"]] == ["2022-01", "2022-02", "2022-03", "2022-04"]
    assert [row["return"] for row in found["monthly_returns"]] == pytest.approx([0.21, 0, 0, 0.1])


# --- By definition --------------------------------------------------------------------------------------------------------

curves = st.lists(st.floats(-0.3, 0.3), min_size=1, max_size=1_200).map(lambda steps: 100 * np.cumprod(1 + np.array(steps)))


@settings(steady, max_examples=60)
@given(equity=curves)
def test_the_maximum_drawdown_is_the_worst_of_all_pairs(equity: Floats) -> None:
    levels = np.concatenate([[100.0], equity])
    worst = min(levels[j] / levels[: j + 1].max() - 1 for j in range(len(levels)))
    assert measured(equity, interval="1h")["max_drawdown"] == pytest.approx(worst, abs=1e-12)


@settings(steady, max_examples=60)
@given(equity=curves)
def test_the_longest_drawdown_is_the_longest_stretch_under_a_peak(equity: Floats) -> None:
    levels = np.concatenate([[100.0], equity])
    at_peak = np.flatnonzero(levels >= np.maximum.accumulate(levels))
    stretches = np.diff(np.append(at_peak, len(levels) if levels[-1] < levels.max() else at_peak[-1] + 1))
    under = stretches[stretches > 1]
    recovered = [int(stretch) for stretch in under]
    if levels[-1] < levels.max():
        recovered[-1] -= 1  # it ends at the last close, not at a recovery after it
    assert measured(equity, interval="1h")["max_drawdown_duration_s"] == max(recovered, default=0) * 3600


@settings(steady, max_examples=60)
@given(equity=curves)
def test_monthly_returns_compound_to_the_total(equity: Floats) -> None:
    found = measured(equity)
    product = math.prod(1 + row["return"] for row in found["monthly_returns"])
    assert product - 1 == pytest.approx(found["total_return"], rel=1e-6, abs=1e-9)


@settings(steady, max_examples=60)
@given(equity=curves, power=st.integers(-8, 8))
def test_ratios_do_not_depend_on_the_size_of_the_account(equity: Floats, power: int) -> None:
    small, large = measured(equity), measured(equity * 2.0**power, cash=100.0 * 2.0**power)
    for name, kind in KINDS.items():
        if kind in {"percent", "number", "seconds"}:
            assert small[name] == large[name], name


@settings(steady, max_examples=60)
@given(equity=curves)
def test_a_sweep_keeps_the_same_figures_as_a_run(equity: Floats) -> None:
    series = candles(len(equity))
    simulation = Simulation(series.time, equity, Table({}), fills(), trades(), float(equity[-1]))
    full = measure(simulation, [series], Account(100.0))
    figures = (full.final_equity, full.total_return, full.sharpe, full.sortino, full.calmar, full.max_drawdown)
    np.testing.assert_array_equal(
        np.array(figures), np.array(curve.measure_quickly(equity, series.time, series.time + HOUR, 100.0))
    )


def test_sharpe_volatility_and_moments_agree_with_numpy() -> None:
    returns = np.random.default_rng(3).normal(0.001, 0.02, 400)
    found = measured(100 * np.cumprod(1 + returns))
    assert found["sharpe"] == pytest.approx(returns.mean() / returns.std(ddof=1) * math.sqrt(365))
    assert found["volatility"] == pytest.approx(returns.std(ddof=1) * math.sqrt(365))
    scores = (returns - returns.mean()) / returns.std()
    assert found["skewness"] == pytest.approx((scores**3).mean())
    assert found["kurtosis"] == pytest.approx((scores**4).mean())


# --- Not defined ----------------------------------------------------------------------------------------------------------


def test_every_promised_figure_is_there_defined_and_json() -> None:
    found = measured([100.0, 101.0])
    assert set(found) >= PROMISED
    assert set(found) == set(DEFINITIONS) == set(KINDS) == set(Metrics.__dataclass_fields__)
    assert all(definition.endswith(".") for definition in DEFINITIONS.values())
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_every_figure_is_in_the_reference() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "metrics.md").read_text()
    assert [name for name in DEFINITIONS if f"`{name}`" not in text] == []


def test_without_trades_trade_figures_are_null() -> None:
    found = measured([100.0] * 5)
    assert (found["trades"], found["max_consecutive_losses"], found["exposure"], found["turnover"]) == (0, 0, 0.0, 0.0)
    for name in ("win_rate", "profit_factor", "expectancy", "average_win", "average_loss", "best_trade", "worst_trade", "sqn"):
        assert found[name] is None
    assert found["per_exit_reason"] == {}
    assert found["per_symbol"]["BTC-USD"]["win_rate"] is None


def test_a_flat_curve_has_no_ratios() -> None:
    found = measured([100.0] * 30)
    assert (found["sharpe"], found["sortino"], found["calmar"], found["probabilistic_sharpe"]) == (None, None, None, None)
    assert (found["volatility"], found["max_drawdown"], found["cagr"]) == (0.0, 0.0, 0.0)
    assert found["largest_drawdowns"] == []


def test_the_same_gain_every_day_has_no_sharpe_ratio() -> None:
    assert measured(100 * 1.001 ** np.arange(1, 300))["sharpe"] is None


def test_winners_or_losers_alone() -> None:
    won = measured([110.0, 120.0], made=[(0, 0, 1, 10.0, 0.1, "exit_signal"), (0, 0, 1, 10.0, 0.1, "exit_signal")])
    assert (won["win_rate"], won["profit_factor"], won["average_loss"], won["sqn"]) == (1.0, None, None, None)
    lost = measured([90.0], made=[(0, 0, 0, -10.0, -0.1, "stop_loss")])
    assert (lost["win_rate"], lost["profit_factor"], lost["average_win"]) == (0.0, 0.0, None)


def test_growth_beyond_a_float_is_null() -> None:
    assert measured([1e300] * 30)["cagr"] is None


@pytest.mark.parametrize("end", [0.0, -20.0])
def test_an_account_that_is_gone(end: float) -> None:
    found = measured([50.0, *[end] * 29])
    assert found["cagr"] == -1
    assert found["max_drawdown"] == end / 100 - 1
    assert found["monthly_returns"] == [{"month": "2022-01", "return": end / 100 - 1}]
    assert json.dumps(found, allow_nan=False)


def test_money_has_no_minus_zero() -> None:
    assert measured([100.0], made=[(0, 0, 0, -1e-12, -1e-14, "stop_loss")])["expectancy"] == "0.00000000"


# --- Overfitting ----------------------------------------------------------------------------------------------------------


def test_the_papers_numerical_example() -> None:
    """Bailey & Lopez de Prado (2014), section "A numerical example": yearly 2.5 over 1250 days, 100 trials of variance 1/2."""
    sharpe, variance = 2.5 / math.sqrt(250), 0.5 / 250
    assert expected_maximum_sharpe(100, variance) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(sharpe, 1250, -3, 10, 100, variance) == pytest.approx(0.9004, abs=5e-5)
    assert deflated_sharpe(sharpe, 1250, -3, 10, 46, variance) == pytest.approx(0.9505, abs=5e-5)
    assert deflated_sharpe(sharpe, 1250, 0, 3, 88, variance) == pytest.approx(0.9505, abs=5e-5)


def test_one_trial_is_not_deflated_and_one_day_says_nothing() -> None:
    assert expected_maximum_sharpe(1, 1.0) == 0
    assert deflated_sharpe(0.1, 250, 0, 3, 1, 1.0) == probabilistic_sharpe(0.1, 0.0, 250, 0, 3)
    assert math.isnan(probabilistic_sharpe(0.1, 0.0, 1, 0, 3))


def test_the_expected_maximum_is_that_of_drawn_trials() -> None:
    drawn = np.random.default_rng(5).normal(0, 0.05, (20_000, 50)).max(axis=1).mean()
    assert expected_maximum_sharpe(50, 0.05**2) == pytest.approx(drawn, rel=0.02)
