"""Runs on candles whose volume nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from backtests.models import BacktestRun
from core.errors import Invalid
from market import candles as store
from market.services import instrument_ensure
from tests.backtests.fixtures import make_candles

SHARE = {"slippage": {"kind": "volume_share", "max_share": 0.1, "impact": 0.1}}


def store_unknown(first: int, last: int) -> None:
    """The candles of the fixtures, of which those from `first` to `last` have no volume."""
    made = make_candles()
    volume = made.volume.copy()
    volume[first:last] = np.nan
    store.write_candles(instrument_ensure(venue="binance", symbol="ETH-BTC"), replace(made, volume=volume, volume_known=False))


def test_fills_that_take_a_share_of_it_are_refused_before_the_run(execute: Callable[..., BacktestRun]) -> None:
    store_unknown(0, 600)
    with pytest.raises(Invalid) as refused:
        execute(**SHARE)
    assert "unknown for ETH-BTC" in str(refused.value.fields["slippage.kind"])


def test_and_in_the_run_where_only_some_of_it_is_unknown(execute: Callable[..., BacktestRun]) -> None:
    store_unknown(300, 310)
    run = execute(**SHARE)
    assert run.status == "failed"
    assert "unknown for ETH-BTC" in run.error
    assert execute(**SHARE, end="2022-01-01T12:00:00Z").status == "completed"


def test_other_runs_go_on_and_give_the_same_results(execute: Callable[..., BacktestRun]) -> None:
    store_unknown(0, 600)
    without = execute()
    assert without.status == "completed", without.error
    store.write_candles(instrument_ensure(venue="binance", symbol="ETH-BTC"), make_candles())
    known = execute()
    assert without.results is not None
    assert known.results is not None
    assert without.results["final_equity"] == known.results["final_equity"]
    assert without.results["fingerprint"] != known.results["fingerprint"]
