"""What `make bench AGAINST=path` makes of the figures of pairs, and what it says to a wrong path."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

from benchmarks.pairs.__main__ import find_differences, main, read_options
from benchmarks.pairs.probes import HELPERS, KINDS
from benchmarks.pairs.statistics import compare_pairs, find_interval


def test_the_same_figures_give_a_ratio_of_one() -> None:
    found = compare_pairs([0.01, 0.02, 0.03], [0.01, 0.02, 0.03])
    assert (found.old, found.new, found.ratio, found.low, found.high) == (0.02, 0.02, 1.0, 1.0, 1.0)
    assert found.within


def test_a_slow_spell_that_meets_both_sides_of_a_pair_does_not_move_the_ratio() -> None:
    old = [1.0, 1.0, 7.0, 1.0, 3.0]
    found = compare_pairs(old, [1.1 * seconds for seconds in old])
    assert found.ratio == pytest.approx(1.1)
    assert (found.low, found.high) == pytest.approx((1.1, 1.1))
    assert not found.within


def test_an_interval_holds_the_median_lies_within_the_ratios_and_is_the_same_each_time() -> None:
    ratios = np.random.default_rng(7).normal(1.0, 0.02, 15)
    low, high = find_interval(ratios)
    assert ratios.min() <= low < np.median(ratios) < high <= ratios.max()
    assert find_interval(ratios) == (low, high)


def test_an_interval_holds_the_true_ratio_in_about_nineteen_of_twenty_cases() -> None:
    random = np.random.default_rng(11)
    intervals = [find_interval(random.normal(1.0, 0.03, 15)) for _ in range(100)]
    assert 87 <= sum(low <= 1.0 <= high for low, high in intervals) <= 100


def test_one_pair_that_is_off_does_not_decide() -> None:
    assert compare_pairs([1.0] * 15, [1.0] * 14 + [2.0]).within
    assert not compare_pairs([1.0] * 15, [1.0] * 7 + [1.2] * 8).within


def test_options_may_stand_in_any_order() -> None:
    for words in (["single", "help", "--pairs", "5"], ["--pairs", "5", "single", "help"]):
        options = read_options(["--against", "elsewhere", *words])
        assert (options.probes, options.pairs, options.against) == (["single", "help"], 5, Path("elsewhere"))
    assert read_options(["--against", "elsewhere"]).pairs == 15


def test_a_wrong_path_and_a_wrong_probe_end_with_one_plain_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--against", str(tmp_path / "nowhere")])
    assert str(ended.value) == f"{tmp_path / 'nowhere'} is no checkout of Quarterdeck: there is no manage.py in it."
    with pytest.raises(SystemExit):
        main(["--against", str(tmp_path), "sing"])
    assert "There is no probe sing. There are single, sweep, post, order, help, start." in capsys.readouterr().err


def test_builds_that_did_not_do_the_same_work_are_told_of() -> None:
    assert find_differences([{"cpu": 1.0, "found": [1, 2.0]}], [{"cpu": 2.0, "found": [1, 2.0]}]) == []
    assert find_differences([{"cpu": 1.0}], [{"cpu": 2.0}]) == []
    assert find_differences([{"found": 7}], [{"found": 8}]) == ["the old build found 7, the new one 8"]


@pytest.mark.parametrize("name", [*KINDS, *HELPERS])
def test_each_probe_is_where_it_is_said_to_be(name: str) -> None:
    kind = (KINDS | HELPERS)[name]
    maker = getattr(importlib.import_module(f"benchmarks.pairs.{kind.module}"), kind.maker)
    assert all(hasattr(maker, method) for method in ("prepare", "measure", "close"))
