"""The trade log: sorted, filtered, paged, and as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from backtests.artifacts import Artifact
from backtests.models import BacktestRun
from backtests.selectors.runs import MOST, PAGE, RowsPage, open_artifact, read_cursor
from backtests.text import finite_ratio, float_text, time_texts
from core.errors import Invalid
from core.fields import Fields, did_you_mean
from engine.types import REASONS, Ints

COLUMNS = {
    "number": "exit_index",
    "symbol": "symbol",
    "entry_time": "entry_index",
    "exit_time": "exit_index",
    "entry_price": "entry_price",
    "exit_price": "exit_price",
    "quantity": "quantity",
    "fees": "fees",
    "slippage": "slippage",
    "profit": "profit",
    "return": "return",
    "duration_s": "duration",
    "entry_reason": "entry_reason",
    "exit_reason": "exit_reason",
}
"""What a row shows, and the stored column that it sorts by."""
OUTCOMES = ("", "won", "lost")
BATCH = 2_000


def run_trades(
    run: BacktestRun,
    *,
    sort: str = "number",
    symbol: str = "",
    reason: str = "",
    outcome: str = "",
    start: str = "",
    end: str = "",
    cursor: str = "",
    limit: int = PAGE,
) -> RowsPage:
    """Trades as rows. `sort` is a column, with a minus for descending; `reason` is why it was closed; `outcome` is won or lost;
    `start` and `end` bound the entry time (end excluded). `cursor` is a page's `next`."""
    artifact = open_artifact(run)
    rows = sorted_rows(artifact, choose_trades(run, artifact, symbol, reason, outcome, start, end), sort)
    first = place_after(rows, read_cursor(cursor, "cursor")) if cursor else 0
    last = first + min(max(limit, 1), MOST)
    page = rows[first:last]
    return RowsPage(trades_rows(run, artifact, page), str(int(page[-1])) if last < len(rows) else None)


def choose_trades(run: BacktestRun, artifact: Artifact, symbol: str, reason: str, outcome: str, start: str, end: str) -> Ints:
    """Numbers of the trades that pass the filters."""
    trades, time = artifact.trades, artifact.equity["time"]
    symbols = run.symbols.split(",")
    form = Fields({"start": start, "end": end})
    since, until = form.moment("start"), form.moment("end")
    for name, value, known in (("symbol", symbol, symbols), ("reason", reason, REASONS), ("outcome", outcome, OUTCOMES)):
        if value and value not in known:
            form.fault(name, f"must be one of {', '.join(filter(None, known))}; got {value[:40]!r}.{did_you_mean(value, known)}")
    form.refuse("The trades cannot be filtered so.")
    passed = np.ones(len(trades), dtype=np.bool_)
    if symbol:
        passed &= trades["symbol"] == symbols.index(symbol)
    if reason:
        passed &= trades["exit_reason"] == REASONS.index(reason)
    if outcome:
        passed &= trades["profit"] > 0 if outcome == "won" else trades["profit"] < 0
    if since:
        passed &= trades["entry_index"] >= np.searchsorted(time, since.timestamp() * 1000)
    if until:
        passed &= trades["entry_index"] < np.searchsorted(time, until.timestamp() * 1000)
    return np.flatnonzero(passed)


def sorted_rows(artifact: Artifact, rows: Ints, sort: str) -> Ints:
    name = sort.removeprefix("-")
    if name not in COLUMNS:
        raise Invalid.at("sort", f"must be one of {', '.join(COLUMNS)}, with a minus for descending.{did_you_mean(name, COLUMNS)}")
    if name == "number":
        return rows[::-1] if sort.startswith("-") else rows
    key = sort_column(artifact, COLUMNS[name])[rows]
    # Falling order keeps equal ones in rising order of their number, too.
    return rows[np.argsort(-key.astype(np.float64) if sort.startswith("-") else key, kind="stable")]


def sort_column(artifact: Artifact, name: str) -> Any:
    trades = artifact.trades
    return trades["exit_index"] - trades["entry_index"] if name == "duration" else trades[name]


def place_after(rows: Ints, number: int) -> int:
    """The place behind the trade that the page before ended with."""
    found = np.flatnonzero(rows == number)
    if not len(found):
        raise Invalid.at("cursor", "belongs to another list. Take it from the `next` of the page before.")
    return int(found[0]) + 1


def trades_rows(run: BacktestRun, artifact: Artifact, rows: Ints) -> list[dict[str, Any]]:
    """The trades of these numbers, JSON-ready. `number` counts from 1, in the order they were closed."""
    table, time, symbols = artifact.trades, artifact.equity["time"], run.symbols.split(",")
    columns = {name: table[name][rows].tolist() for name in table.columns}
    entered, left = time[columns["entry_index"]], time[columns["exit_index"]]
    seconds, entered_at, left_at = ((left - entered) // 1000).tolist(), time_texts(entered), time_texts(left)
    return [
        {
            "number": number + 1,
            "symbol": symbols[columns["symbol"][i]],
            "entry_time": entered_at[i],
            "exit_time": left_at[i],
            **{name: float_text(columns[name][i]) for name in ("entry_price", "exit_price", "quantity")},
            **{name: float_text(columns[name][i]) for name in ("fees", "slippage", "profit")},
            "return": finite_ratio(columns["return"][i]),
            "duration_s": seconds[i],
            "entry_reason": REASONS[columns["entry_reason"][i]],
            "exit_reason": REASONS[columns["exit_reason"][i]],
        }
        for i, number in enumerate(rows.tolist())
    ]


def trades_all(run: BacktestRun) -> Iterator[list[dict[str, Any]]]:
    """Every trade, in batches."""
    artifact = open_artifact(run)
    for first in range(0, len(artifact.trades), BATCH):
        yield trades_rows(run, artifact, np.arange(first, min(first + BATCH, len(artifact.trades))))


def trades_csv(run: BacktestRun) -> Iterator[str]:
    """The whole log as CSV, a piece at a time. No field can hold a comma or a quote."""
    open_artifact(run)
    yield ",".join(COLUMNS) + "\r\n"
    for rows in trades_all(run):
        yield "".join(",".join(str("" if row[name] is None else row[name]) for name in COLUMNS) + "\r\n" for row in rows)
