"""Backtests of the demonstration candles, so that a first desk has something to look at: good, bad and dubious ones."""

from __future__ import annotations

from typing import Any

from backtests import services
from backtests.models import BacktestRun

COMMON: dict[str, Any] = {"venue": "sandbox", "cash": "10000", "fee_bps": 10, "slippage_bps": 2}
RUNS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("What holding would have done", {"strategy": "buy_and_hold", "symbol": "BTC-USD", "interval": "1d"}),
    ("The classic cross, by the minute", {"strategy": "sma_cross", "symbol": "BTC-USD", "interval": "1m"}),
    ("The classic cross, by the hour", {"strategy": "sma_cross", "symbol": "BTC-USD", "interval": "1h"}),
    ("Breakouts of the hour", {"strategy": "donchian_breakout", "symbol": "BTC-USD", "interval": "1h"}),
    (
        "Three symbols share the cash",
        {
            "strategy": "ema_cross",
            "symbols": ["BTC-USD", "ETH-USD", "SOL-USD"],
            "interval": "1h",
            "sizing": {"kind": "fraction", "value": 0.5},
            "limits": {"max_open_positions": 2},
        },
    ),
    ("A grid for quiet weeks", {"strategy": "grid", "symbol": "ETH-USD", "interval": "15m"}),
    (
        "Reversion with a stop",
        {"strategy": "rsi_reversion", "symbol": "ETH-USD", "interval": "15m", "exits": {"stop_loss": 0.03, "take_profit": 0.04}},
    ),
    ("Trend at a steady risk", {"strategy": "volatility_target", "symbol": "BTC-USD", "interval": "4h"}),
)


def runs_create() -> list[BacktestRun]:
    """Queued runs on the candles of `market.services.demo_data_load`."""
    return [services.run_create(config={**COMMON, **config}, name=name) for name, config in RUNS]
