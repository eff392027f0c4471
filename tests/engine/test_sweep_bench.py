"""A trial on the bench gives what a run of its own gives, to the last bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Invalid, StrategyFailed
from engine.metrics import measure
from engine.simulator import simulate
from engine.strategies import registry
from engine.strategy import Strategy, evaluate, integer
from engine.sweep import Bench
from engine.types import Account, Candles, Exits, Fees, Protections, Signals, Simulation, Sizing, Slippage
from tests.engine import cases

thorough = settings(
    max_examples=cases.EXAMPLES or 300, derandomize=not cases.EXAMPLES, deadline=None, database=None, print_blob=True
)
FIGURES = ("final_equity", "total_return", "sharpe", "sortino", "calmar", "max_drawdown", "skewness", "kurtosis", "trades")


class Given(Strategy):
    """Wants what it is told to, whatever the candles."""

    name, title, description = "given", "Given", "For tests."
    wants: Mapping[str, Signals] = {}
    needs = 0
    number: int = integer(0)

    def warmup(self) -> int:
        return self.needs

    def indicators(self, candles: Candles) -> Mapping[str, Any]:
        return {}

    def signals(self, candles: Candles, columns: Mapping[str, Any]) -> Signals:
        return self.wants[candles.symbol]


def given_by(case: cases.Case) -> type[Given]:
    wants = {one.symbol: signals for one, signals in zip(case.candles, case.signals, strict=True)}
    return type("Told", (Given,), {"wants": wants, "needs": case.warmup, "position": case.position})


def check_equal(
    bench: Bench, params: Mapping[str, Any], simulation: Simulation, candles: Sequence[Candles], account: Account
) -> None:
    metrics = measure(simulation, candles, account)
    trial = bench.trial(params)
    for name in FIGURES:
        expected, found = getattr(metrics, name), getattr(trial, name)
        assert found == expected or (expected is None and np.isnan(found)) or (np.isnan(found) and np.isnan(expected)), name


@given(cases.cases())
@thorough
def test_a_trial_equals_the_run_whatever_the_orders(case: cases.Case) -> None:
    bench = Bench(given_by(case), case.account, case.candles)
    expected = simulate(*case.arguments(), **case.keywords())
    for _ in range(2):  # the second time in the tables of the first
        check_equal(bench, {}, expected, case.candles, case.account)


@st.composite
def plain_cases(draw: st.DrawFn) -> cases.Case:
    """One symbol, in and out at market: what most strategies ask for."""
    grid = draw(st.sampled_from((*cases.DECIMAL_GRIDS, cases.BINARY_GRID)))
    one = draw(cases.candles("S0-USD", grid, draw(st.integers(1, 160)), draw(st.booleans())))
    wants = draw(cases.orders(one, grid))
    wants = replace(wants, entry_limit=None, entry_stop=None, exit_limit=None, exit_stop=None)
    account = draw(cases.accounts(grid, 1))
    slippage = account.slippage if account.slippage.kind != "volume_share" else Slippage("bps", 5.0)
    account = replace(account, exits=Exits(), protections=Protections(), slippage=slippage)
    return cases.Case(account, (one,), (wants,), draw(st.integers(0, 5)), "single")


@given(plain_cases())
@thorough
def test_the_short_way_without_an_order_book_equals_the_run(case: cases.Case) -> None:
    bench = Bench(given_by(case), case.account, case.candles)
    check_equal(bench, {}, simulate(*case.arguments(), **case.keywords()), case.candles, case.account)


def walk(count: int, seed: int = 3) -> Candles:
    rng = np.random.default_rng(seed)
    close = np.round(30_000 * np.exp(np.cumsum(rng.normal(0, 0.002, count))), 2)
    opened = np.concatenate([[30_000.0], close[:-1]])
    spread = 1 + 0.001 * rng.random(count)
    time = 1_640_995_200_000 + 60_000 * np.arange(count)
    return Candles(
        "BTC-USD", "1m", time, opened, np.maximum(opened, close) * spread, np.minimum(opened, close) / spread, close, np.ones(count)
    )


ACCOUNTS = [
    Account(10_000.0, Fees(0.0005, 0.001)),
    Account(
        10_000.0,
        Fees(0.0005, 0.001),
        Slippage("bps", 3.0),
        Sizing("volatility", 0.5, 50),
        Exits(stop_loss=0.02, trailing_stop=0.03),
    ),
]


@pytest.mark.parametrize("account", ACCOUNTS, ids=["plain", "protected"])
@pytest.mark.parametrize("kind", registry.list_strategies(), ids=lambda kind: kind.name)
def test_every_strategy_over_its_search_range(kind: type[Strategy], account: Account) -> None:
    candles = walk(4_000)
    bench = Bench(kind, account, [candles])
    for step in range(3):
        params = {name: spec.search[0] + step * spec.search[2] for name, spec in kind.parameters.items() if spec.search}
        strategy = kind(params)
        _, signals = evaluate(strategy, candles)
        expected = simulate(account, [candles], [signals], warmup=strategy.warmup_at(candles.interval), position=kind.position)
        check_equal(bench, params, expected, [candles], account)


def test_each_indicator_is_computed_once() -> None:
    kind = registry.get_strategy("sma_cross")
    bench = Bench(kind, ACCOUNTS[0], [walk(1_000)])
    for fast in (5, 6, 7):
        for slow in (30, 35, 40):
            bench.trial({"fast": fast, "slow": slow})
    columns = [result for _, result in bench.memory.entries.values() if isinstance(result, np.ndarray)]
    assert len(columns) == 6


def test_refused_parameters_and_failing_strategies_leave_the_bench_usable() -> None:
    bench = Bench(registry.get_strategy("sma_cross"), ACCOUNTS[0], [walk(4_000)])
    before = tuple(bench.trial({"fast": 5, "slow": 20}))
    with pytest.raises(Invalid, match="parameters"):
        bench.trial({"fast": 20, "slow": 5})
    broken = Bench(type("Broken", (Given,), {"wants": {}}), ACCOUNTS[0], [walk(4_000)])
    with pytest.raises(StrategyFailed):
        broken.trial({})
    assert tuple(bench.trial({"fast": 5, "slow": 20})) == pytest.approx(before, nan_ok=True, rel=0)
