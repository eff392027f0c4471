"""Results outlive a release: where an instrument has no rules, a run gives the bytes that it gave before amounts had a last place
(commit 2af2dbe)."""

from __future__ import annotations

import hashlib

import pytest

from engine.simulator import simulate
from engine.strategies import registry
from engine.strategy import evaluate
from engine.types import Account, Exits, Fees, Rules, Simulation, Sizing, Slippage
from tests.engine.driving import generated

ACCOUNTS = {
    "plain": Account(10_000.0, fees=Fees(0.001, 0.001)),
    "protected": Account(
        10_000.0,
        fees=Fees(0.0004, 0.0006),
        slippage=Slippage("bps", 3.0),
        sizing=Sizing("fraction", 0.37),
        exits=Exits(0.013, 0.017, 0.02, 40),
    ),
    "volume": Account(10_000.0, fees=Fees(0.001, 0.002), slippage=Slippage("volume_share", 0.0, 0.05, 0.1)),
    "least value": Account(10_000.0, fees=Fees(0.001, 0.001), rules=(Rules(min_notional=10.0),)),
}
DIGESTS = {
    "plain": "a73cf40071abf747134e478e64d010e4af3756fbc298c735cf2397a22c32ccbe",
    "protected": "acd79e821316da49a7c16c1b10304a28241239a42b70bbaa6ea40b781b353a56",
    "volume": "31e088b51c499c664fad212a6a5074f22a31e3bd63e1d966fd2bcbfe9a651a10",
    "least value": "a73cf40071abf747134e478e64d010e4af3756fbc298c735cf2397a22c32ccbe",
}


def simulated(name: str, account: Account) -> Simulation:
    candles, strategy = generated(700, 3), registry.get_strategy(name)({})
    signals = [evaluate(strategy, candles)[1]]
    return simulate(account, [candles], signals, warmup=strategy.warmup_at("5m"), position=strategy.position)


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_a_run_without_rules_gives_the_bytes_that_it_gave(kind: str) -> None:
    digest = hashlib.sha256()
    for strategy in ("bollinger", "dca", "donchian_breakout", "grid", "macd", "rsi_reversion", "sma_cross", "volatility_target"):
        found = simulated(strategy, ACCOUNTS[kind])
        digest.update(found.equity.tobytes())
        for table in (found.orders, found.fills, found.trades):
            for name in sorted(table.columns):
                digest.update(table[name].tobytes())
    assert digest.hexdigest() == DIGESTS[kind]
