"""Strategies that import the old names still work, with a warning that gives the new ones."""

from __future__ import annotations

import importlib
import subprocess
import sys
import warnings

import pytest

from engine import indicators, types
from engine.strategies import sma_cross
from engine.strategy import Strategy
from tests.running import PROJECT

OLD_AND_NEW = {
    "trading.engine.types": types,
    "trading.engine.indicators": indicators,
    "trading.strategies.sma_cross": sma_cross,
}

SOURCE = """
from trading.engine.errors import Invalid
from trading.engine.strategy import Strategy, integer
from trading.engine import indicators as ta
from trading.strategies.sma_cross import SmaCross

class Mine(Strategy):
    name, title, description = "mine", "Mine", "One of the old names."
    length: int = integer(10, low=2, high=50, help="Candles")

class Other(SmaCross):
    name = "other"
"""


@pytest.mark.parametrize("old", OLD_AND_NEW)
def test_an_old_name_is_the_same_module_and_names_the_new_home(old: str) -> None:
    sys.modules.pop(old, None)
    with pytest.warns(FutureWarning, match=f"{old} is {OLD_AND_NEW[old].__name__} now"):
        assert importlib.import_module(old) is OLD_AND_NEW[old]


def test_a_strategy_of_the_old_names_is_a_strategy() -> None:
    names: dict[str, type[Strategy]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        exec(SOURCE, names)
    assert issubclass(names["Mine"], Strategy)
    assert issubclass(names["Other"], sma_cross.SmaCross)
    assert names["Mine"].parameters["length"].default == 10


def test_a_name_that_never_was_is_still_not_found() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"trading\.engine\.nothing"):
        importlib.import_module("trading.engine.nothing")


def test_a_command_of_the_old_name_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "always", "-m", "trading.engine.resample"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "trading.engine is engine now" in done.stderr
