"""Every strategy the registry knows: declared in full, blind to the future, warm when it says so, and doing what it says."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyarrow import csv, feather

from core.errors import Invalid
from engine import indicators as ta
from engine.metrics import measure
from engine.simulator import simulate
from engine.strategies import registry
from engine.strategy import Choice, Flag, Integer, Parameter, Strategy, evaluate
from engine.types import INTERVALS, Account, Candles, Fees, Floats, Signals

BUILT_IN = registry.list_strategies()
by_name = pytest.mark.parametrize("strategy", BUILT_IN, ids=lambda strategy: strategy.name)
steady = settings(derandomize=True, deadline=None, database=None)
SIGNALS = [name for name in Signals.__dataclass_fields__ if name != "ladder"]
DOCS = Path(__file__).resolve().parents[2] / "docs"


def generated(length: int, seed: int, interval: str = "5m", decimals: int | None = 2) -> Candles:
    random = np.random.default_rng(seed)
    close = 1_000 * np.exp(np.cumsum(random.normal(0, random.choice([0.0005, 0.01]), length)))
    close[length // 2 : length // 2 + 30] = close[length // 2] if length else 0.0  # a market that stands still
    opens = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(opens, close) * (1 + random.uniform(0, 0.004, length))
    low = np.minimum(opens, close) * (1 - random.uniform(0, 0.004, length))
    if decimals is not None:
        opens, high, low, close = (np.round(column, decimals) for column in (opens, high, low, close))
    time = 1_640_995_200_000 + INTERVALS[interval] * np.arange(length)
    return Candles("BTC-USD", interval, time, opens, high, low, close, random.uniform(1, 9, length))


def closing(closes: Any, interval: str = "1h") -> Candles:
    close = np.asarray(closes, dtype=np.float64)
    time = 1_640_995_200_000 + INTERVALS[interval] * np.arange(len(close))
    return Candles("BTC-USD", interval, time, close, close, close, close, np.ones(len(close)))


def values_of(parameter: Parameter) -> st.SearchStrategy[Any]:
    """Values within the declared range; periods mostly short, so that a few hundred candles can warm them."""
    if isinstance(parameter, Flag):
        return st.booleans()
    if isinstance(parameter, Choice):
        return st.sampled_from(parameter.choices)
    assert parameter.low is not None
    assert parameter.high is not None
    if isinstance(parameter, Integer):
        return st.integers(int(parameter.low), min(int(parameter.high), int(parameter.low) + 40))
    return st.floats(parameter.low, parameter.high)


def drawn(data: st.DataObject, strategy: type[Strategy], interval: str) -> Strategy:
    values = {name: data.draw(values_of(parameter), label=name) for name, parameter in strategy.parameters.items()}
    assume(not strategy.check(values))
    made = strategy(values)
    try:
        made.warmup_at(interval)
    except Invalid:
        assume(False)
    return made


def assert_prefix(strategy: Strategy, candles: Candles, cut: int) -> None:
    """Invariant 6: what is said of a prefix is the prefix of what is said of the whole, to the last bit."""
    whole_columns, whole = evaluate(strategy, candles)
    part_columns, part = evaluate(strategy, candles[:cut])
    for name, column in whole_columns.items():
        np.testing.assert_array_equal(part_columns[name], column[:cut], err_msg=name)
    for name in SIGNALS:
        full, seen = getattr(whole, name), getattr(part, name)
        assert (full is None) == (seen is None), name
        if full is not None:
            np.testing.assert_array_equal(seen, full[:cut], err_msg=name)
    if whole.ladder is not None and cut > whole.ladder.start:
        assert part.ladder is not None
        assert part.ladder.start == whole.ladder.start
        np.testing.assert_array_equal(part.ladder.buy, whole.ladder.buy)
        np.testing.assert_array_equal(part.ladder.sell, whole.ladder.sell)


# --- All of them ----------------------------------------------------------------------------------------------------------


@by_name
@settings(steady, max_examples=25)
@given(data=st.data(), seed=st.integers(0, 10_000), decimals=st.sampled_from([None, 2]), cut=st.integers(1, 700))
def test_no_strategy_sees_the_future(
    strategy: type[Strategy], data: st.DataObject, seed: int, decimals: int | None, cut: int
) -> None:
    assert_prefix(drawn(data, strategy, "5m"), generated(700, seed, decimals=decimals), cut)


@by_name
def test_no_strategy_sees_the_future_of_real_candles(strategy: type[Strategy], shared_data: Path) -> None:
    candles = eth_btc(shared_data)
    for cut in (1, 60, 97, 1_001, 3_333, 5_759):
        assert_prefix(strategy(), candles, cut)


def test_the_prefix_check_catches_a_strategy_that_peeks_one_candle_ahead() -> None:
    class Peeking(Strategy):
        name, title, description = "peeking", "Peeking", "Buys before rises."

        def warmup(self) -> int:
            return 1

        def indicators(self, candles: Candles) -> dict[str, Floats]:
            return {}

        def signals(self, candles: Candles, columns: Any) -> Signals:
            return Signals(entry=np.append(candles.close[1:] > candles.close[:-1], False))

    candles = closing([1, 2, 3, 4, 5, 6])
    with pytest.raises(AssertionError):
        assert_prefix(Peeking(), candles, 3)


@by_name
@settings(steady, max_examples=15)
@given(data=st.data(), seed=st.integers(0, 100))
def test_indicators_are_known_from_the_warm_up_on(strategy: type[Strategy], data: st.DataObject, seed: int) -> None:
    made = drawn(data, strategy, "5m")
    warm = made.warmup_at("5m")
    assume(warm <= 2_000)
    columns, _ = evaluate(made, generated(warm + 5, seed))
    for name, column in columns.items():
        assert not np.isnan(column[warm - 1 :]).any(), name


@by_name
@pytest.mark.parametrize("length", [0, 1, 2, 10])
def test_a_few_candles_or_none_are_no_error(strategy: type[Strategy], length: int) -> None:
    evaluate(strategy(), generated(length, 1))


@by_name
def test_a_strategy_is_declared_in_full(strategy: type[Strategy]) -> None:
    assert strategy.name == strategy.name.lower()
    assert 2 <= len(re.findall(r"[.](?: |$)", strategy.description)) <= 4
    assert strategy.sources
    assert strategy.position in {"single", "merge", "lots"}
    columns, _ = evaluate(strategy(), generated(700, 3))
    assert set(strategy.plots) <= set(columns)


@by_name
def test_every_parameter_has_a_label_help_range_and_search(strategy: type[Strategy]) -> None:
    for name, parameter in strategy.parameters.items():
        assert parameter.label, name
        assert parameter.help.endswith("."), name
        if isinstance(parameter, Choice | Flag):
            continue
        assert parameter.search is not None, name
        start, stop, step = parameter.search
        assert parameter.low is not None
        assert parameter.high is not None
        assert parameter.low <= start < stop <= parameter.high, name
        assert 0 < step <= stop - start, name


@by_name
def test_every_strategy_and_parameter_is_in_the_reference(strategy: type[Strategy]) -> None:
    text = (DOCS / "reference" / "strategies.md").read_text()
    section = text.split(f"## {strategy.title} (`{strategy.name}`)")[1].split("\n## ")[0]
    for name, parameter in strategy.parameters.items():
        row = next(line for line in section.splitlines() if line.startswith(f"| `{name}` |"))
        assert parameter.help in row
        assert f"| {parameter.default} |" in row


def test_the_strategy_of_the_how_to_works_as_it_stands() -> None:
    page = (DOCS / "how-to" / "write-a-strategy.md").read_text()
    names: dict[str, Any] = {"__name__": __name__}
    exec(page.split("```python\n")[1].split("```")[0], names)
    strategy = names["DipInTrend"]()
    candles = generated(700, 4)
    _, found = evaluate(strategy, candles)
    assert where(found.entry)
    assert_prefix(strategy, candles, 333)


# --- Each of them ---------------------------------------------------------------------------------------------------------


def signals(name: str, candles: Candles, **values: Any) -> Signals:
    return evaluate(registry.get_strategy(name)(values), candles)[1]


def where(marks: Any) -> list[int]:
    return [int(index) for index in np.flatnonzero(marks)]


def test_buy_and_hold_enters_once() -> None:
    found = signals("buy_and_hold", closing([1, 2, 3]))
    assert where(found.entry) == [0]
    assert found.exit is None


@pytest.mark.parametrize(("name", "average"), [("sma_cross", ta.sma), ("ema_cross", ta.ema)])
def test_crosses_enter_and_leave_where_the_averages_cross(name: str, average: Any) -> None:
    candles = generated(400, 5)
    fast, slow = average(candles.close, 4), average(candles.close, 9)
    above = [bool(fast[i] > slow[i]) for i in range(400)]
    found = signals(name, candles, fast=4, slow=9)
    assert where(found.entry) == [i for i in range(9, 400) if above[i] and fast[i - 1] <= slow[i - 1]]
    assert where(found.exit) == [i for i in range(9, 400) if fast[i] < slow[i] and fast[i - 1] >= slow[i - 1]]


def test_rsi_reversion_buys_the_way_back_from_oversold() -> None:
    candles = closing([*np.linspace(100, 80, 30), *np.linspace(80, 100, 30)])
    found = signals("rsi_reversion", candles, period=5)
    index = ta.rsi(candles.close, 5)
    assert len(where(found.entry)) == 1
    assert index[where(found.entry)[0]] > 30 >= index[where(found.entry)[0] - 1]
    assert where(found.exit)[0] > where(found.entry)[0]


def test_bollinger_buys_weakness_or_strength_by_its_mode() -> None:
    candles = closing([*[100, 101] * 10, 90, 100, 101, 100, 101, 100, 120, 121])
    weak, strong = (signals("bollinger", candles, period=10, mode=mode) for mode in ("reversion", "breakout"))
    assert where(weak.entry) == [20]
    assert where(strong.entry) == [26]


def test_macd_can_be_held_to_above_zero() -> None:
    candles = generated(500, 8)
    line = ta.macd(candles.close, 12, 26, 9)[0]
    free, held = signals("macd", candles), signals("macd", candles, above_zero=True)
    assert where(held.entry) == [i for i in where(free.entry) if line[i] > 0]
    assert where(held.entry) != where(free.entry)


def test_donchian_looks_at_the_candles_before() -> None:
    found = signals("donchian_breakout", closing([5, 6, 5, 6, 6.5, 6, 5.5, 4.5]), entry_period=3, exit_period=2)
    assert where(found.entry) == [4]
    assert where(found.exit) == [6, 7]


def test_supertrend_follows_its_direction() -> None:
    candles = closing([*np.linspace(100, 60, 40), *np.linspace(60, 120, 40), *np.linspace(120, 60, 40)])
    found = signals("supertrend", candles, period=5, multiplier=2.0)
    assert len(where(found.entry)) == len(where(found.exit)) == 1
    assert 40 < where(found.entry)[0] < 60 < 80 < where(found.exit)[0] < 100


def test_momentum_needs_the_higher_trend() -> None:
    """Two rallies of the same size: one within a fall of the higher interval, one within a rise."""
    fall, rise = np.linspace(200, 100, 200), np.linspace(100, 200, 200)
    closes = np.concatenate([fall, rise])
    closes[100:106] *= 1.03
    closes[330:336] *= 1.03
    found = signals("momentum", closing(closes, "15m"), higher="1h", trend=10, lookback=3, threshold=0.02)
    entries = where(found.entry)
    assert entries
    assert min(entries) > 200
    assert 330 in entries
    assert where(found.exit)


@pytest.mark.parametrize("interval", ["4h", "6h", "1d"])
def test_momentum_refuses_a_higher_interval_that_is_not_higher(interval: str) -> None:
    strategy = registry.get_strategy("momentum")({"higher": "4h"})
    for ask in (lambda: strategy.warmup_at(interval), lambda: evaluate(strategy, closing([1.0] * 50, interval))):
        with pytest.raises(Invalid, match="multiple of the run's interval") as caught:
            ask()
        assert list(caught.value.fields) == ["params.higher"]


def test_volatility_target_holds_what_the_volatility_allows() -> None:
    candles = generated(400, 11, "1h")
    columns, found = evaluate(registry.get_strategy("volatility_target")({"trend": 20, "lookback": 10, "rebalance": 5}), candles)
    target = found.target
    assert target is not None
    rising = candles.close > columns["average"]
    for i in range(20, 400):
        expected = min(1.0, 0.4 / columns["volatility"][i]) if columns["volatility"][i] else 1.0
        if rising[i] and (not rising[i - 1] or i % 5 == 0):
            assert target[i] == expected
        elif rising[i - 1] and not rising[i]:
            assert target[i] == 0
        else:
            assert np.isnan(target[i])


def test_grid_lays_its_rungs_under_the_first_close() -> None:
    ladder = signals("grid", closing([100, 90, 80]), levels=3, spacing=0.1).ladder
    assert ladder is not None
    assert ladder.start == 0
    np.testing.assert_allclose(ladder.sell, [100, 100 / 1.1, 100 / 1.21])
    np.testing.assert_allclose(ladder.buy, [100 / 1.1, 100 / 1.21, 100 / 1.331])


def test_grid_around_the_first_close_begins_with_a_purchase_for_its_upper_levels() -> None:
    found = signals("grid", closing([100, 90, 80]), levels=4, spacing=0.1, above=2)
    assert found.ladder is not None
    np.testing.assert_allclose(found.ladder.sell, [121, 110, 100, 100 / 1.1])
    np.testing.assert_allclose(found.ladder.buy, [110, 100, 100 / 1.1, 100 / 1.21])
    assert where(found.entry) == [0]
    assert found.weight is not None
    assert found.weight[0] == 0.5


def test_dca_buys_at_a_steady_pace() -> None:
    assert where(signals("dca", closing([1.0] * 10), every=4).entry) == [0, 4, 8]


@pytest.mark.parametrize(
    ("name", "values", "field"),
    [
        ("sma_cross", {"fast": 50, "slow": 50}, "fast"),
        ("ema_cross", {"fast": 60}, "fast"),
        ("macd", {"fast": 30}, "fast"),
        ("rsi_reversion", {"oversold": 58}, "oversold"),
        ("donchian_breakout", {"entry_period": 5}, "exit_period"),
        ("momentum", {"higher": "7m"}, "higher"),
        ("grid", {"levels": 5, "above": 6}, "above"),
    ],
)
def test_parameters_that_do_not_go_together_are_refused_by_name(name: str, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        registry.get_strategy(name)(values)
    assert list(caught.value.fields) == [f"params.{field}"]


# --- The registry ---------------------------------------------------------------------------------------------------------


def test_the_twelve_are_there() -> None:
    assert {strategy.name for strategy in BUILT_IN} == {
        *("buy_and_hold", "sma_cross", "ema_cross", "rsi_reversion", "bollinger", "macd"),
        *("donchian_breakout", "supertrend", "momentum", "volatility_target", "grid", "dca"),
    }
    assert registry.list_faults() == {}


def test_an_unknown_name_is_told_the_nearest_one() -> None:
    with pytest.raises(Invalid, match="Did you mean 'sma_cross'") as caught:
        registry.get_strategy("sma_cros")
    assert list(caught.value.fields) == ["strategy"]


PLUG_IN = """
import numpy as np
from engine.strategy import Strategy
from engine.types import Signals

class Contrarian(Strategy):
    name, title, description = "contrarian", "Contrarian", "Buys falls."
    def warmup(self): return 2
    def indicators(self, candles): return {}
    def signals(self, candles, columns): return Signals(entry=np.diff(candles.close, prepend=candles.close[:1]) < 0)

class Usurper(Contrarian):
    name = "sma_cross"

class Half(Strategy):
    name, title, description = "half", "Half", "Lacks its methods."
"""
ENTRY_POINTS = """
[quarterdeck.strategies]
contrarian = plug_in:Contrarian
usurper = plug_in:Usurper
half = plug_in:Half
gone = plug_in_that_is_gone:Anything
"""


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another package, installed as pip would, with one good strategy and three that cannot be used."""
    (tmp_path / "plug_in.py").write_text(PLUG_IN)
    information = tmp_path / "plug_in-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: plug-in\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.find_strategies.cache_clear()
    yield
    sys.modules.pop("plug_in", None)
    registry.find_strategies.cache_clear()


@pytest.mark.usefixtures("plug_in")
def test_packages_add_strategies_and_their_faults_are_reported_not_fatal() -> None:
    assert where(evaluate(registry.get_strategy("contrarian")(), closing([3, 2, 4, 1]))[1].entry) == [1, 3]
    assert registry.get_strategy("sma_cross") in BUILT_IN
    faults = registry.list_faults()
    assert set(faults) == {"usurper", "half", "gone"}
    assert "taken" in faults["usurper"]
    assert "all of its methods" in faults["half"]
    assert "plug_in_that_is_gone" in faults["gone"]


# --- Parity on real candles (show 2 of the issue) -------------------------------------------------------------------------


def candles_of(symbol: str, interval: str, time: Any, table: Any) -> Candles:
    names = ("open", "high", "low", "close", "volume")
    opens, high, low, close, volume = (np.asarray(table[name].to_numpy(), dtype=np.float64) for name in names)
    return Candles(symbol, interval, time.to_numpy().astype("datetime64[ms]").astype(np.int64), opens, high, low, close, volume)


def eth_btc(folder: Path) -> Candles:
    table = feather.read_table(folder / "candles" / "ETH_BTC-5m.feather")
    return candles_of("ETH-BTC", "5m", table["date"], table)


def btc_usd(folder: Path) -> Candles:
    table = csv.read_csv(folder / "candles" / "BTC-USD-1m-2022-01.csv.gz")
    return candles_of("BTC-USD", "1m", table["timestamp"], table)


@pytest.mark.parametrize(("load", "trades", "final"), [(eth_btc, 88, 8400.8737), (btc_usd, 617, 2615.9695)])
def test_sma_cross_on_real_candles_comes_to_what_exact_arithmetic_gives(
    load: Any, trades: int, final: float, shared_data: Path
) -> None:
    candles = load(shared_data)
    strategy = registry.get_strategy("sma_cross")({"fast": 10, "slow": 50})
    account = Account(cash=10_000, fees=Fees(0.001, 0.001))
    found = measure(simulate(account, [candles], [evaluate(strategy, candles)[1]], warmup=strategy.warmup()), [candles], account)
    assert found.trades == trades
    assert found.final_equity == pytest.approx(final, abs=5e-5)
