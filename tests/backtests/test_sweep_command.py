"""`manage.py sweep`."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from backtests.models import Sweep
from backtests.sweeps import services
from engine.types import Candles
from tests.backtests.fixtures import CONFIG

pytestmark = pytest.mark.django_db
COMMAND = ["sweep", "--strategy", "sma_cross", "--symbol", "ETH-BTC", "--interval", "5m", "--cash", "10000", "--fee-bps", "10"]
RANGES = ["--set", "fast=5:20:5", "--set", "slow=10,20,30,40"]


@pytest.fixture(autouse=True)
def market(hold: Callable[..., Candles]) -> Candles:
    return hold(count=9_600)


def told(*arguments: str) -> str:
    out = StringIO()
    call_command(*COMMAND, *arguments, stdout=out)
    return out.getvalue()


def test_one_json_object_best_first() -> None:
    report = json.loads(told(*RANGES, "--json"))
    assert (report["status"], report["trials_done"], report["skipped"], report["workers"]) == ("completed", 12, 4, [])
    sharpes = [row["sharpe"] for row in report["results"]]
    assert sharpes == sorted(sharpes, reverse=True)
    assert len(sharpes) == 12
    assert report["summary"]["best"] == report["results"][0]


def test_the_same_as_over_the_service() -> None:
    report = json.loads(told(*RANGES, "--json"))
    config = {**CONFIG, "params": {}, "space": {"fast": "5:20:5", "slow": "10:40:10"}}
    sweep = services.sweep_run(sweep_id=services.sweep_create(config=config).sweep_id)
    assert sweep.config == report["config"]
    assert sweep.summary == report["summary"]


def test_a_table_with_the_number_of_trials_and_a_warning() -> None:
    text = told(*RANGES, "--top", "3")
    assert "12 trials here, 4 combinations refused" in text
    assert "The best 3 of 12 by sharpe." in text
    assert "12 trials were made. The best of many looks good even where none is." in text
    assert "With 12 trials a best Sharpe ratio of" in text
    assert len([line for line in text.splitlines() if line.strip()[:1].isdigit()]) == 3


def test_single_values_are_fixed_and_random_searches_are_drawn() -> None:
    report = json.loads(
        told("--set", "slow=60", "--set", "fast=2:50", "--method", "random", "--trials", "7", "--seed", "3", "--json")
    )
    assert report["config"]["params"] == {"slow": 60}
    assert len(report["results"]) == report["trials_total"] == 7


def test_without_ranges_the_declared_ones_are_searched() -> None:
    report = json.loads(told("--set", "slow=30", "--objective", "total_return", "--json"))
    assert report["space"] == {"fast": list(range(5, 25))}


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["--set", "fats=5:25:1"], "space.fats"),
        (["--set", "fast=25:5:1"], "space.fast"),
        (["--set", "fast"], "params"),
        (["--trials", "9"], "trials"),
        (["--top", "0"], "top"),
        (["--objective", "luck"], "objective"),
    ],
)
def test_what_cannot_be_used_ends_the_command_and_names_the_field(arguments: list[str], field: str) -> None:
    out = StringIO()
    with pytest.raises(CommandError):
        call_command(*COMMAND, *arguments, "--json", stdout=out)
    assert field in json.loads(out.getvalue())["error"]["fields"]
    assert not Sweep.objects.exists()


def test_a_sweep_that_fails_ends_the_command_with_its_reason(strategies: Any) -> None:
    with pytest.raises(CommandError, match="no good"):
        call_command("sweep", "--strategy", "raising_with", "--symbol", "ETH-BTC", "--interval", "5m", "--set", "number=1:3:1")
