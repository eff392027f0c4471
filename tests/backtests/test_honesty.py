"""Look-ahead is caught, and numbers that deceive carry a warning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backtests.models import BacktestRun
from core.text import ms_text
from engine import audit
from engine.strategies import registry
from engine.strategy import Strategy, evaluate
from engine.types import Candles, Table
from tests.backtests.fixtures import make_candles, results_of
from tests.backtests.strategies import Honest, Peeking, PeekingIndicator

Execute = Callable[..., BacktestRun]


def audited(strategy: Strategy, candles: Candles, *, seed: int = 0, cuts: int = audit.CUTS) -> audit.PrefixDifference | None:
    columns, signals = evaluate(strategy, candles)
    return audit.look_ahead(strategy, candles, columns, signals, seed=seed, cuts=cuts)


@pytest.mark.parametrize("seed", range(20))
def test_a_strategy_that_peeks_one_candle_ahead_is_caught(seed: int) -> None:
    candles = make_candles()
    found = audited(Peeking(), candles, seed=seed)
    assert found is not None
    # The last candle of the prefix is the one that could not yet be known.
    assert found.index == found.cut - 1
    assert found.column in {"signals.entry", "signals.exit"}
    assert found.time == candles.time[found.index]


def test_it_is_the_guard_that_catches_it() -> None:
    """The same question without any prefix looked at: nothing is caught, so the test above fails without the guard."""
    assert audited(Peeking(), make_candles(), cuts=0) is None


def test_an_indicator_over_the_whole_history_is_caught() -> None:
    found = audited(PeekingIndicator(), make_candles())
    assert found is not None
    assert found.column == "scaled"


@pytest.mark.parametrize("name", sorted({"honest", *(kind.name for kind in registry.list_strategies())}))
def test_honest_strategies_pass(name: str) -> None:
    strategy = Honest() if name == "honest" else registry.get_strategy(name)()
    assert audited(strategy, make_candles(count=3_000), cuts=24) is None


def test_a_run_says_that_its_strategy_was_caught(candles: Candles, execute: Execute, strategies: None) -> None:
    honesty = results_of(execute(strategy="peeking", params={}))["honesty"]
    assert honesty["look_ahead"]["verdict"] == "caught"
    where = honesty["look_ahead"]["first_difference"]
    assert where["time"] in {ms_text(at) for at in candles.time}
    danger = next(one for one in honesty["warnings"] if one["code"] == "look_ahead")
    assert danger["level"] == "danger"
    assert where["time"] in danger["message"]


def test_an_honest_run_is_clean(run: BacktestRun) -> None:
    assert results_of(run)["honesty"]["look_ahead"]["verdict"] == "clean"


def codes(run: BacktestRun) -> set[str]:
    return {one["code"] for one in results_of(run)["honesty"]["warnings"]}


def test_a_warm_up_that_is_too_short_is_told(candles: Candles, execute: Execute, strategies: None) -> None:
    run = execute(strategy="early", params={})
    assert {"signals_before_warmup", "warmup_too_short"} <= codes(run)
    warmup = results_of(run)["honesty"]["warmup"]
    assert warmup["unknown_after"] == {"late": 30}
    assert warmup["signals_ignored"] == 4


def test_gaps_in_the_span_are_listed(hold: Any, execute: Execute) -> None:
    hold(skip=slice(100, 103))
    run = execute()
    gap = results_of(run)["honesty"]["gaps"][0]
    assert (gap["symbol"], gap["count"], gap["missing"]) == ("ETH-BTC", 1, 3)
    assert gap["largest"] == [{"after": ms_text(make_candles().time[99]), "missing": 3}]
    assert "data_gaps" in codes(run)


def test_double_costs_are_those_of_a_run_at_double_costs(run: BacktestRun, execute: Execute) -> None:
    doubled = execute(fee_bps=20)
    told = results_of(run)["honesty"]["cost_sensitivity"]
    assert told["final_equity"] == results_of(doubled)["final_equity"]
    assert told["total_return"] == results_of(doubled)["total_return"]


def test_no_costs_are_told(candles: Candles, execute: Execute) -> None:
    assert "no_costs" in codes(execute(fee_bps=0))
    assert "no_costs" not in codes(execute(fee_bps=1))


@pytest.mark.parametrize(
    ("profits", "share"),
    [([10.0, 5, 1, 1, 3], 0.9), ([10.0, 20, 30, -30], 2.0), ([1.0], 1.0), ([-5.0, 1], None), ([], None)],
)
def test_share_of_the_three_best_trades(profits: list[float], share: float | None) -> None:
    assert audit.best_three_share(Table({"profit": np.array(profits)})) == (None if share is None else pytest.approx(share))


USUAL: dict[str, Any] = {
    "sharpe": 1.2, "win_rate": 0.5, "profit_factor": 1.4, "cagr": 0.3, "max_drawdown": -0.2, "total_return": 0.5, "trades": 200,
}  # fmt: skip


def test_a_usual_result_has_no_warning() -> None:
    assert audit.too_good(USUAL, days=365, costs=10.0) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sharpe": 3.1}, "sharpe_too_high"),
        ({"win_rate": 0.91}, "win_rate_too_high"),
        ({"profit_factor": 5.1}, "profit_factor_too_high"),
        ({"cagr": 10.5}, "growth_too_high"),
        ({"max_drawdown": -0.009}, "drawdown_too_small"),
        ({"trades": 29}, "few_trades"),
    ],
)
def test_results_too_good_to_be_true_are_told(change: dict[str, Any], code: str) -> None:
    assert [one.code for one in audit.too_good({**USUAL, **change}, days=365, costs=10.0)] == [code]


def test_a_span_without_yearly_figures_says_so() -> None:
    found = audit.too_good({**USUAL, "sharpe": None, "cagr": None}, days=26 / 24, costs=10.0)
    assert [notice.code for notice in found] == ["short_span"]
    assert "shorter than 30 days" in found[0].message


def test_a_high_sharpe_over_a_short_span_is_no_warning() -> None:
    assert audit.too_good({**USUAL, "sharpe": 9}, days=30, costs=10.0) == []
