"""Examples of requests and answers about sweeps, for the OpenAPI document."""

from __future__ import annotations

from backtests.api.examples import CONFIG as RUN_CONFIG
from backtests.api.examples import STORED

CONFIG = {**RUN_CONFIG, "params": {}, "space": {"fast": "5:24:1", "slow": "30:125:5"}, "objective": "sharpe"}
QUEUED = {"sweep_id": "3b1f8f0c2d5e9a4b", "status": "queued", "trials_total": 400, "skipped": 0}
TRIAL = {
    "index": 57,
    "params": {"fast": 7, "slow": 115},
    "final_equity": "11210.55310000",
    "total_return": 0.12105531,
    "sharpe": 1.9,
    "sortino": 2.8,
    "calmar": 3.1,
    "max_drawdown": -0.081,
    "trades": 41,
}
SWEEP = {
    "sweep_id": "3b1f8f0c2d5e9a4b",
    "name": "",
    "status": "completed",
    "strategy": "sma_cross",
    "symbols": ["ETH-BTC"],
    "interval": "5m",
    "method": "grid",
    "objective": "sharpe",
    "trials_total": 400,
    "trials_done": 400,
    "share": 1.0,
    "skipped": 0,
    "error": None,
    "created_at": "2026-11-21T09:00:00Z",
    "started_at": "2026-11-21T09:00:00Z",
    "finished_at": "2026-11-21T09:00:02Z",
    "best": TRIAL,
}
VERDICT = "With 400 trials a best Sharpe ratio of 2.10 is what luck alone gives. The best here has 1.90: it shows no skill."
SUMMARY = {
    "trials": 400,
    "skipped": 0,
    "profitable": 31,
    "traded": 400,
    "mean_return": -0.11,
    "objective": "sharpe",
    "best": TRIAL,
    "expected_max_sharpe": 2.1,
    "deflated_sharpe": 0.41,
    "verdict": VERDICT,
    "warnings": [{"code": "not_above_luck", "level": "warning", "message": VERDICT}],
}
DETAIL = {
    **SWEEP,
    "space": {"fast": [5, 6, 7], "slow": [30, 35, 40]},
    "config": {
        **STORED,
        "params": {},
        "space": {"fast": [5, 6, 7], "slow": [30, 35, 40]},
        "method": "grid",
        "trials": None,
        "objective": "sharpe",
    },
    "summary": SUMMARY,
    "fingerprint": "c5a77faaacba5c94588c1df6862ecbc22860ce8dfc2c115fa26c8899b6ba0820",
    "code_hash": "6a204bd89f3c8348afd5c77c717a097ac5a77faaacba5c94588c1df6862ecbc2",
    "seed": 0,
    "candles": 5760,
    "seconds": 1.2,
}
CELL = {"value": 1.9, "trial": 57, "params": {"fast": 7, "slow": 115}, "trades": 41, "trials": 1}
HEATMAP = {
    "x": "fast",
    "y": "slow",
    "metric": "sharpe",
    "x_values": [7],
    "y_values": [115],
    "cells": [[CELL]],
    "best_over": [],
    "note": "",
}
