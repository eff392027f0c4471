"""The live kernels read and write within a trader's arrays of candles, though `kernel.present_book` lets these begin elsewhere.

Each runs in a process of its own, where the arrays lie between pages that nobody may touch (see `guarded`): whoever leaves them
dies.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run_guarded(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.engine.guarded", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize("place", ["begin", "end"])
def test_no_kernel_leaves_the_two_columns_that_a_trader_has(place: str) -> None:
    """All strategies and random accounts, on paper and at a venue, from the first candle on."""
    run = run_guarded(place, "drive")
    assert (run.returncode, run.stdout.split()) == (0, ["done"]), run.stderr


@pytest.mark.parametrize("place", ["begin", "end"])
def test_the_candle_before_is_in_reach(place: str) -> None:
    run = run_guarded(place, "inside")
    assert (run.returncode, run.stdout.split()) == (0, ["nan", "done"]), run.stderr


@pytest.mark.parametrize(("place", "which"), [("begin", "before"), ("end", "after")])
def test_what_lies_outside_cannot_be_touched(place: str, which: str) -> None:
    assert run_guarded(place, which).returncode == -signal.SIGSEGV
