"""Orders that the engine refused: what the strategy wanted and did not get."""

from __future__ import annotations

from typing import Any

import numpy as np

from backtests.explanations import REFUSALS_IN_WORDS
from backtests.models import BacktestRun
from backtests.selectors.playback import REFUSED, order_row
from backtests.selectors.runs import MOST, PAGE, RowsPage, open_artifact, read_cursor
from core.errors import Invalid
from engine.types import REFUSALS


def run_refusals(run: BacktestRun, *, code: str = "", cursor: str = "", limit: int = PAGE) -> RowsPage:
    """Refused orders in the order they were made, with their reason code; `code` keeps one reason."""
    if code and code not in REFUSALS:
        raise Invalid.at("code", f"must be one of {', '.join(filter(None, REFUSALS))}; got {code[:40]!r}.")
    artifact = open_artifact(run)
    refused = artifact.orders["status"] == REFUSED
    if code:
        refused = refused & (artifact.orders["refusal"] == REFUSALS.index(code))
    rows = np.flatnonzero(refused)
    first = int(np.searchsorted(rows, read_cursor(cursor, "cursor"), side="right")) if cursor else 0
    page = rows[first : first + min(max(limit, 1), MOST)]
    more = first + len(page) < len(rows)
    return RowsPage([order_row(run, artifact, int(row)) for row in page], str(int(page[-1])) if more else None)


def run_refusal_counts(run: BacktestRun) -> list[dict[str, Any]]:
    """[{"code", "words", "orders"}], most frequent first."""
    orders = open_artifact(run).orders
    counts = np.bincount(orders["refusal"][orders["status"] == REFUSED].astype(np.int64), minlength=len(REFUSALS))
    found = [
        {"code": code, "words": REFUSALS_IN_WORDS.get(code, ""), "orders": int(counts[number])}
        for number, code in enumerate(REFUSALS)
        if counts[number]
    ]
    return sorted(found, key=lambda one: -int(one["orders"]))
