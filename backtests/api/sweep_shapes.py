"""The shapes of requests and answers about sweeps."""

from __future__ import annotations

from typing import Any

from access.openapi import name_path
from backtests.api import sweep_examples as examples
from backtests.api.shapes import FAULT, NOTICES, STATUS
from backtests.sweeps.config import OBJECTIVES, read_search
from backtests.sweeps.selectors import METRICS
from core.shapes import (
    ANYTHING,
    COUNT,
    DECIMAL,
    FLAG,
    MOMENT,
    NUMBER,
    OBJECT,
    TEXT,
    allow_absent,
    allow_null,
    choice_shape,
    id_shape,
    list_shape,
    map_shape,
    name_object,
    name_page,
    name_shape,
    note_reader,
    object_shape,
)
from engine.space import METHODS
from trading.api.shapes import BEYOND_SETTINGS, INTERVAL, MAYBE_MOMENT, MAYBE_NUMBER, RUN_STORED, SETTINGS

SWEEP_ID = id_shape(16)
name_path("sweep_id", SWEEP_ID, "A sweep's id.")
RANGE = {"type": "object", "required": ["start", "stop"], "properties": dict.fromkeys(("start", "stop", "step"), NUMBER)}
SEARCH = note_reader(
    read_search,
    space=allow_absent(
        map_shape({"anyOf": [TEXT, NUMBER, FLAG, RANGE, list_shape({"anyOf": [TEXT, NUMBER, FLAG]}, minItems=1)]})
        | {
            "description": "Parameter to range: `5:25:1` (stop included), an object of start, stop and step, or a list. "
            "Left out: the strategy's declared ranges of the parameters that are not fixed."
        }
    ),
)
REQUEST = name_shape("SweepSettings", {**SETTINGS, "properties": SETTINGS["properties"] | SEARCH["properties"]}, examples.CONFIG)
BEYOND = (*BEYOND_SETTINGS, "space", "trials")
QUEUED = name_object("SweepState", examples.QUEUED, sweep_id=SWEEP_ID, status=STATUS, trials_total=COUNT, skipped=COUNT)
TRIAL = name_object(
    "Trial",
    examples.TRIAL,
    index=COUNT,
    params=OBJECT,
    final_equity=DECIMAL,
    total_return=MAYBE_NUMBER,
    sharpe=MAYBE_NUMBER,
    sortino=MAYBE_NUMBER,
    calmar=MAYBE_NUMBER,
    max_drawdown=MAYBE_NUMBER,
    trades=COUNT,
)
TRIALS = name_page(TRIAL)
SWEEP_FIELDS: dict[str, Any] = {
    "sweep_id": SWEEP_ID,
    "name": TEXT,
    "status": STATUS,
    "strategy": TEXT,
    "symbols": list_shape(TEXT),
    "interval": INTERVAL,
    "method": choice_shape(METHODS),
    "objective": choice_shape(OBJECTIVES),
    "trials_total": COUNT,
    "trials_done": COUNT,
    "share": NUMBER,
    "skipped": COUNT,
    "error": FAULT,
    "created_at": MOMENT,
    "started_at": MAYBE_MOMENT,
    "finished_at": MAYBE_MOMENT,
    "best": allow_null(TRIAL),
}
SWEEP_ROW = name_object("Sweep", examples.SWEEP, **SWEEP_FIELDS)
SWEEP_ROWS = name_page(SWEEP_ROW)
SUMMARY = name_object(
    "SweepSummary",
    examples.SUMMARY,
    trials=COUNT,
    skipped=COUNT,
    profitable=COUNT,
    traded=COUNT,
    mean_return=MAYBE_NUMBER,
    objective=choice_shape(OBJECTIVES),
    best=TRIAL,
    expected_max_sharpe=MAYBE_NUMBER,
    deflated_sharpe=MAYBE_NUMBER,
    verdict=TEXT,
    warnings=NOTICES,
)
SPACE = map_shape(list_shape(ANYTHING))
STORED = name_object(
    "SweepConfig",
    examples.DETAIL["config"],
    optional=[name for name in RUN_STORED.schema["properties"] if name not in RUN_STORED.schema["required"]],
    **RUN_STORED.schema["properties"],
    space=SPACE,
    method=choice_shape(METHODS),
    trials=allow_null(COUNT),
    objective=choice_shape(OBJECTIVES),
)
SWEEP = name_object(
    "SweepWhole",
    examples.DETAIL,
    **SWEEP_FIELDS,
    space=SPACE,
    config=STORED,
    summary=allow_null(SUMMARY),
    fingerprint=TEXT,
    code_hash=TEXT,
    seed=COUNT,
    candles=COUNT,
    seconds=MAYBE_NUMBER,
)
CELL = allow_null(object_shape(value=MAYBE_NUMBER, trial=COUNT, params=OBJECT, trades=COUNT, trials=COUNT))
HEATMAP = name_object(
    "Heatmap",
    examples.HEATMAP,
    x=TEXT,
    y=allow_null(TEXT),
    metric=choice_shape(METRICS),
    x_values=list_shape(ANYTHING),
    y_values=list_shape(ANYTHING),
    cells=list_shape(list_shape(CELL)),
    best_over=list_shape(TEXT),
    note=TEXT,
)
