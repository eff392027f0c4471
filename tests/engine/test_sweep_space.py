"""From ranges to the parameter sets that are tried."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Invalid
from engine import space as spaces
from engine.space import MOST_TRIALS, list_declared, read_space
from engine.strategies import registry
from engine.strategy import Strategy

steady = settings(derandomize=True, deadline=None, database=None, max_examples=150)
SMA, MOMENTUM = registry.get_strategy("sma_cross"), registry.get_strategy("momentum")


def combinations(
    strategy: type[Strategy], space: dict[str, list[Any]], *, fixed: dict[str, Any] | None = None, interval: str = "1m", **how: Any
) -> tuple[list[dict[str, Any]], int]:
    values = {name: spec.default for name, spec in strategy.parameters.items()} | (fixed or {})
    return spaces.list_combinations(strategy, space, fixed=values, interval=interval, **how)


def space_of(
    raw: Any, *, strategy: type[Strategy] = SMA, fixed: tuple[str, ...] = (), method: str = "grid"
) -> dict[str, list[Any]]:
    return read_space(strategy, raw, fixed=fixed, method=method)


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        ("5:25:10", [5, 15, 25]),
        ("5:24:10", [5, 15]),
        ("5:7", [5, 6, 7]),
        ("5:5:1", [5]),
        ("10, 5,10", [10, 5]),
        ("7", [7]),
        ([20, "10"], [20, 10]),
        (12, [12]),
        ({"start": 5, "stop": "9", "step": 2}, [5, 7, 9]),
    ],
)
def test_ways_to_write_whole_numbers(raw: Any, values: list[int]) -> None:
    assert space_of({"fast": raw, "slow": "50"})["fast"] == values


def test_ranges_of_numbers_are_exact_decimals() -> None:
    assert space_of({"threshold": "0.1:0.3:0.1"}, strategy=MOMENTUM)["threshold"] == [0.1, 0.2, 0.3]


def test_a_random_search_needs_no_step() -> None:
    values = space_of({"threshold": "0:0.02"}, strategy=MOMENTUM, method="random")["threshold"]
    assert values[0] == 0
    assert values[-1] == 0.02
    assert len(values) == 1_001


def test_choices_are_listed() -> None:
    assert space_of({"higher": "1h,4h"}, strategy=MOMENTUM)["higher"] == ["1h", "4h"]


@pytest.mark.parametrize("kind", registry.list_strategies(), ids=lambda kind: kind.name)
def test_every_declared_range_can_be_used(kind: type[Strategy]) -> None:
    if list_declared(kind):
        space = read_space(kind, None, fixed=(), method="grid")
        assert set(space) == {name for name, spec in kind.parameters.items() if spec.search}


def test_what_is_fixed_is_left_out_of_the_declared_ranges() -> None:
    assert list(space_of(None, fixed=("slow",))) == ["fast"]


@pytest.mark.parametrize(
    ("raw", "field", "words"),
    [
        ({"fats": "5:25:1"}, "space.fats", "Did you mean 'fast'"),
        ({"fast": "25:5:1"}, "space.fast", "after its stop"),
        ({"fast": "5:25:0"}, "space.fast", "step above 0"),
        ({"fast": "5:25:-1"}, "space.fast", "step above 0"),
        ({"fast": "5:x:1"}, "space.fast", "not a number"),
        ({"fast": "5:nan:1"}, "space.fast", "not a number"),
        ({"fast": "5:25:1:1"}, "space.fast", "start:stop:step"),
        ({"fast": "5:"}, "space.fast", "needs a start and a stop"),
        ({"fast": "1:6:0.5"}, "space.fast", "whole number"),
        ({"fast": "0:5:1"}, "space.fast", "from 1 to 5000"),
        ({"fast": ""}, "space.fast", "whole number"),
        ({"fast": []}, "space.fast", "no values"),
        ({"fast": "1:1e9:0.001"}, "space.fast", "at most 10,000"),
        ({"fast": True}, "space.fast", "whole number"),
        ({"slow": "30:50:5"}, "space.slow", "fixed in params"),
        (["fast"], "space", "object"),
        ("fast", "space", "object"),
    ],
)
def test_what_cannot_be_used_is_named_at_its_field(raw: Any, field: str, words: str) -> None:
    with pytest.raises(Invalid) as refusal:
        space_of(raw, fixed=("slow",))
    assert words in refusal.value.fields[field][0]


def test_a_range_of_choices_or_without_a_step_says_what_to_do() -> None:
    with pytest.raises(Invalid) as refusal:
        space_of({"higher": "1h:4h", "threshold": "0:0.02"}, strategy=MOMENTUM)
    assert "list some of its values" in refusal.value.fields["space.higher"][0]
    assert "0:0.02:0.002" in refusal.value.fields["space.threshold"][0]


def test_a_strategy_without_declared_ranges_asks_for_some() -> None:
    with pytest.raises(Invalid) as refusal:
        read_space(registry.get_strategy("buy_and_hold"), {}, fixed=(), method="grid")
    assert "declares no range" in refusal.value.fields["space"][0]


def test_a_grid_is_whole_and_in_order_without_what_the_strategy_refuses() -> None:
    found, skipped = combinations(SMA, {"fast": [10, 20, 30], "slow": [20, 30]}, method="grid")
    assert found == [{"fast": 10, "slow": 20}, {"fast": 10, "slow": 30}, {"fast": 20, "slow": 30}]
    assert skipped == 3


def test_fixed_parameters_count_for_what_is_refused() -> None:
    found, skipped = combinations(SMA, {"fast": [10, 20, 30]}, fixed={"slow": 25}, method="grid")
    assert found == [{"fast": 10}, {"fast": 20}]
    assert skipped == 1


def test_an_interval_that_a_combination_does_not_fit_is_skipped() -> None:
    found, skipped = combinations(MOMENTUM, {"higher": ["15m", "1h", "4h"]}, interval="1h", method="grid")
    assert found == [{"higher": "4h"}]
    assert skipped == 2


def test_where_all_is_refused_the_reason_is_told() -> None:
    with pytest.raises(Invalid) as refusal:
        combinations(SMA, {"fast": [50]}, fixed={"slow": 25}, method="random", trials=5)
    assert "fast must be less than slow" in refusal.value.fields["space"][0]


@pytest.mark.parametrize("points", [250, 2_000])
def test_a_grid_that_is_too_large_says_its_size(points: int) -> None:
    with pytest.raises(Invalid) as refusal:
        combinations(SMA, {"fast": list(range(1, points)), "slow": list(range(2_001, 2_001 + points))}, method="grid")
    assert f"at most {MOST_TRIALS:,}" in refusal.value.fields["space"][0]


values = st.lists(st.integers(1, 60), min_size=1, max_size=12, unique=True)


@given(values, values, st.integers(1, 60), st.integers(0, 2**63 - 1))
@steady
def test_random_combinations_are_different_valid_points_of_the_grid(
    fast: list[int], slow: list[int], trials: int, seed: int
) -> None:
    space = {"fast": fast, "slow": [60 + value for value in slow]}
    grid, _ = combinations(SMA, space, method="grid")
    found, _ = combinations(SMA, space, method="random", trials=trials, seed=seed)
    assert len(found) == min(trials, len(grid))
    places = [grid.index(point) for point in found]
    assert places == sorted(set(places))
    assert found == combinations(SMA, space, method="random", trials=trials, seed=seed)[0]


def test_another_seed_draws_others() -> None:
    space = {"fast": list(range(1, 50)), "slow": list(range(60, 120))}
    first, second = (combinations(SMA, space, method="random", trials=20, seed=seed)[0] for seed in (1, 2))
    assert first != second


def test_every_point_can_be_drawn_and_none_is_favoured() -> None:
    space = {"fast": [1, 2, 3, 4, 5], "slow": [10, 20]}
    drawn = [combinations(SMA, space, method="random", trials=1, seed=seed)[0][0] for seed in range(2_000)]
    counts = [sum(one == {"fast": fast, "slow": slow} for one in drawn) for fast in space["fast"] for slow in space["slow"]]
    assert min(counts) > 200 - 5 * math.sqrt(200)
    assert max(counts) < 200 + 5 * math.sqrt(200)


def test_a_space_beyond_counting_can_be_searched_at_random() -> None:
    space = {name: list(range(low, low + 5_000)) for name, low in (("fast", 1), ("slow", 5_001))}
    found, _ = combinations(SMA, space, method="random", trials=500, seed=3)
    assert len({tuple(point.items()) for point in found}) == 500
