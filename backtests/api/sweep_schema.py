"""What requests and answers about sweeps look like, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from access.openapi import query_parameter
from backtests.api.schema import CONFIG as RUN
from backtests.api.schema import CONFIG_EXAMPLE as RUN_EXAMPLE
from backtests.api.schema import CURSOR, LIMIT
from backtests.models import Status
from backtests.sweeps.config import FIRST_TRIALS, OBJECTIVES
from backtests.sweeps.selectors import METRICS
from engine.space import METHODS, MOST_TRIALS

RANGE = {"type": "object", "properties": {name: {"type": "number"} for name in ("start", "stop", "step")}}
CONFIG: dict[str, Any] = {
    **RUN,
    "properties": {
        **RUN["properties"],
        "params": {"type": "object", "description": "Parameters that all trials share. Not those in space."},
        "space": {
            "type": "object",
            "nullable": True,
            "description": "Parameter to range: `5:25:1` (stop included), an object of start, stop and step, or a list. "
            "Left out: the strategy's declared ranges of the parameters that are not fixed.",
            "additionalProperties": {"oneOf": [{"type": "string"}, RANGE, {"type": "array", "items": {}}]},
        },
        "method": {"type": "string", "enum": list(METHODS), "default": "grid"},
        "trials": {
            "type": "integer",
            "nullable": True,
            "minimum": 1,
            "maximum": MOST_TRIALS,
            "default": FIRST_TRIALS,
            "description": "Random searches only.",
        },
        "objective": {"type": "string", "enum": list(OBJECTIVES), "default": "sharpe", "description": "What the best is best in."},
        "seed": {"type": "integer", "description": "Decides which combinations a random search draws."},
    },
}
CONFIG_EXAMPLE = {**RUN_EXAMPLE, "params": {}, "space": {"fast": "5:24:1", "slow": "30:125:5"}, "objective": "sharpe"}
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
    "config": CONFIG_EXAMPLE,
    "summary": SUMMARY,
    "fingerprint": "c5a77faaacba5c94588c1df6862ecbc22860ce8dfc2c115fa26c8899b6ba0820",
    "code_hash": "6a204bd89f3c8348afd5c77c717a097a...",
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
LIST = [
    query_parameter("status", "Only these.", values=Status.values),
    query_parameter("strategy", "Only of this strategy."),
    CURSOR,
    LIMIT,
]
TRIALS = [
    query_parameter("sort", "A column, with a minus in front descending. Left out: the objective, best first."),
    CURSOR,
    LIMIT,
]
AXES = [
    query_parameter("x", "A searched parameter; left out, the one with the most values."),
    query_parameter("y", "Another one."),
    query_parameter("metric", "The objective where left out.", values=METRICS),
]
