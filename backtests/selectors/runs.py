"""Runs as rows: one, a page of them, their results."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from backtests.artifacts import Artifact
from backtests.models import BacktestRun, Status
from core import paging
from core.errors import Conflict, Invalid, NotFound
from core.text import utc_text

PAGE = 50
MOST = 500


@dataclass(frozen=True, slots=True)
class RowsPage:
    """`rows`, and the cursor of the page after them; None at the end."""

    rows: list[Any]
    next: str | None


def run_get(run_id: str) -> BacktestRun:
    """The run; `NotFound` if there is none."""
    run = BacktestRun.objects.select_related("created_by", "cloned_from").filter(run_id=run_id[:64].replace("\x00", "")).first()
    if run is None:
        raise NotFound(f"There is no backtest {run_id[:64]!r}.")
    return run


def runs_page(
    *, status: str = "", strategy: str = "", symbol: str = "", search: str = "", cursor: str = "", limit: int = PAGE
) -> RowsPage:
    """Runs, newest first, without their results; filters apply in the database. `cursor` is a page's `next`."""
    rows = runs_matching(status=status, strategy=strategy, symbol=symbol, search=search)
    return RowsPage(*paging.read_page(rows, cursor=cursor, limit=limit))


def runs_matching(*, status: str = "", strategy: str = "", symbol: str = "", search: str = "") -> QuerySet[BacktestRun]:
    """Runs that pass the filters, newest first, without their results."""
    if status and status not in Status.values:
        raise Invalid.at("status", f"must be one of {', '.join(Status.values)}; got {status[:40]!r}.")
    rows: QuerySet[BacktestRun] = BacktestRun.objects.defer("results", "notes").select_related("created_by").order_by("-id")
    if status:
        rows = rows.filter(status=status)
    if strategy:
        rows = rows.filter(strategy=strategy)
    if symbol:
        rows = rows.filter(symbols__regex=rf"(^|,){re.escape(symbol.upper()[:32])}(,|$)")
    if search:
        rows = rows.filter(name__icontains=search) | rows.filter(run_id__startswith=search)
    return rows


def read_cursor(text: str, field: str) -> int:
    """A cursor's number; `Invalid` for what no page gave."""
    if not paging.CURSOR_NUMBER.fullmatch(text):
        raise Invalid.at(field, "is not a cursor. Take it from the `next` of the page before.")
    return int(text)


def run_progress(run: BacktestRun) -> dict[str, Any]:
    """Status and progress, as the API, the command line and the pushes tell it."""
    return {
        "run_id": run.run_id,
        "name": run.name,
        "status": run.status,
        "strategy": run.strategy,
        "symbols": run.symbols.split(","),
        "interval": run.interval,
        "candles_processed": run.candles_processed,
        "candles_total": run.candles_total,
        "share": run.candles_processed / run.candles_total if run.candles_total else 0.0,
        "attempt": run.attempt,
        "cancel_requested": run.cancel_requested,
        "error": {"code": run.error_code, "message": run.error} if run.error_code else None,
        "created_at": utc_text(run.created_at),
        "started_at": utc_text(run.started_at),
        "finished_at": utc_text(run.finished_at),
        "total_return": run.total_return,
        "sharpe": run.sharpe,
        "max_drawdown": run.max_drawdown,
        "trades": run.trades,
    }


def require_completed(run: BacktestRun) -> BacktestRun:
    """The run; `Conflict` saying why where it has no results."""
    if run.status == Status.COMPLETED:
        return run
    if run.status == Status.FAILED:
        raise Conflict(f"The run failed and has no results: {run.error}", code="run_failed")
    if run.status == Status.CANCELLED:
        raise Conflict("The run was cancelled and has no results.", code="run_cancelled")
    raise Conflict(f"The run is {run.status}: its results are not there yet.", code="not_completed")


def open_artifact(run: BacktestRun) -> Artifact:
    """The stored columns of a completed run."""
    require_completed(run)
    return Artifact(run.artifact, run.candles_folder)


def run_results(run: BacktestRun) -> dict[str, Any]:
    """Metrics, honesty checks and what reproduces the run, plus `run_id`, `results_digest` and `candles_per_second` (which differs
    from run to run and is not part of the stored results)."""
    results = dict(require_completed(run).results or {})
    speed = results["candles"] / run.seconds if run.seconds else None
    return {"run_id": run.run_id, **results, "candles_per_second": speed, "results_digest": run.results_digest}


def run_export(run: BacktestRun) -> dict[str, Any]:
    """All there is to say of a run beside its trades, which the caller streams: config, progress, results."""
    return {"run": run_progress(run), "config": run.config, "results": run_results(run)}
