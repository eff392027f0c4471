"""Everything that is read of sweeps. Pages, API, admin and commands ask here; nothing here writes."""

from __future__ import annotations

from typing import Any

from django.db.models import F, OrderBy, Q, QuerySet

from backtests import data
from backtests.models import Status, Sweep, SweepTrial
from backtests.selectors.runs import MOST, PAGE, RowsPage, read_cursor
from backtests.sweeps.summary import summarise_sweep, trial_json
from core import paging
from core.errors import Invalid, NotFound
from core.fields import did_you_mean
from core.text import utc_text
from core.times import to_ms
from engine.grid import find_close
from trading.setup.config import RunConfig

METRICS = ("sharpe", "sortino", "calmar", "total_return", "max_drawdown", "final_equity", "trades")
SORTS = ("index", *METRICS)


def sweep_get(sweep_id: str) -> Sweep:
    """The sweep; `NotFound` if there is none."""
    name = sweep_id[:64].replace("\x00", "")
    sweep = Sweep.objects.select_related("created_by").filter(sweep_id=name).first()
    if sweep is None:
        raise NotFound(f"There is no sweep {name!r}.")
    return sweep


def sweeps_page(*, status: str = "", strategy: str = "", cursor: str = "", limit: int = PAGE) -> RowsPage:
    """Sweeps, newest first."""
    if status and status not in Status.values:
        raise Invalid.at("status", f"must be one of {', '.join(Status.values)}; got {status[:40]!r}.")
    rows: QuerySet[Sweep] = Sweep.objects.select_related("created_by")
    if status:
        rows = rows.filter(status=status)
    if strategy:
        rows = rows.filter(strategy=strategy)
    return RowsPage(*paging.read_page(rows, cursor=cursor, limit=limit))


def sweep_progress(sweep: Sweep) -> dict[str, Any]:
    """Status and progress, as the API, the command line and the pushes tell it."""
    return {
        "sweep_id": sweep.sweep_id,
        "name": sweep.name,
        "status": sweep.status,
        "strategy": sweep.strategy,
        "symbols": sweep.symbols.split(","),
        "interval": sweep.interval,
        "method": sweep.method,
        "objective": sweep.objective,
        "trials_total": sweep.trials_total,
        "trials_done": sweep.trials_done,
        "share": sweep.trials_done / sweep.trials_total if sweep.trials_total else 0.0,
        "skipped": sweep.skipped,
        "error": {"code": sweep.error_code, "message": sweep.error} if sweep.error_code else None,
        "created_at": utc_text(sweep.created_at),
        "started_at": utc_text(sweep.started_at),
        "finished_at": utc_text(sweep.finished_at),
        "best": (sweep.summary or {}).get("best"),
    }


def sweep_detail(sweep: Sweep) -> dict[str, Any]:
    """Progress, what was asked, and the summary, while it runs that of the trials until now."""
    return {
        **sweep_progress(sweep),
        "space": sweep.space,
        "config": sweep.config,
        "summary": sweep_summary(sweep),
        "fingerprint": sweep.fingerprint,
        "code_hash": sweep.code_hash,
        "seed": sweep.seed,
        "candles": sweep.candles_total,
        "seconds": sweep.seconds,
    }


def sweep_summary(sweep: Sweep) -> dict[str, Any] | None:
    """The stored one once it has ended; None while there is no trial yet."""
    return sweep.summary if sweep.status not in (Status.QUEUED, Status.RUNNING) else summarise_sweep(sweep)


def read_ordering(sort: str) -> tuple[str, bool]:
    """(column, descending)."""
    name = sort.removeprefix("-")
    if name not in SORTS:
        hint = did_you_mean(name, SORTS) or f" Use one of {', '.join(SORTS)}, with a minus in front for descending."
        raise Invalid.at("sort", f"{sort[:40]!r} is not a column.{hint}")
    return name, sort.startswith("-")


def sweep_trials(sweep: Sweep, *, sort: str = "", cursor: str = "", limit: int = PAGE) -> RowsPage:
    """Trials by `sort` (a column, minus for descending; the objective, best first, where it is empty). Undefined values come last.

    `cursor` is the last row's trial number: the next page begins after that row.
    """
    name, falling = read_ordering(sort or f"-{sweep.objective}")
    if not 1 <= limit <= MOST:
        raise Invalid.at("limit", f"Ask for 1 to {MOST:,} rows at a time.")
    rows = SweepTrial.objects.filter(sweep=sweep)
    order = OrderBy(F(name), descending=falling, nulls_last=True)
    if cursor:
        last = rows.filter(index=read_cursor(cursor, "cursor")).first()
        if last is None:
            raise Invalid.at("cursor", "is not a cursor. Take it from the `next` of the page before.")
        rows = rows.filter(rows_after(last, name, falling))
    found = list(rows.order_by(order, "index")[: limit + 1])
    return RowsPage([trial_json(row) for row in found[:limit]], str(found[limit - 1].index) if len(found) > limit else None)


def rows_after(last: SweepTrial, name: str, falling: bool) -> Q:
    """Rows behind `last` by the column, then by the trial's number. Undefined values come last."""
    value = getattr(last, name)
    if value is None:
        return Q(**{f"{name}__isnull": True, "index__gt": last.index})
    behind = Q(**{f"{name}__{'lt' if falling else 'gt'}": value}) | Q(**{name: value, "index__gt": last.index})
    return behind if name == "index" else behind | Q(**{f"{name}__isnull": True})


def sweep_heatmap(sweep: Sweep, *, x: str = "", y: str = "", metric: str = "") -> dict[str, Any]:
    """The metric over two searched parameters, each cell the best over all others; None where there is no trial (yet).

    Without `x` and `y`, the two parameters with the most values; with one searched parameter `y` is None and there is one row.
    """
    metric = choose_axis("metric", metric or sweep.objective, METRICS)
    across, down = choose_axes(sweep, x, y)
    xs, ys = sweep.space[across], sweep.space[down] if down else [None]
    columns, rows = places_of(xs), places_of(ys)
    cells: list[list[dict[str, Any] | None]] = [[None] * len(xs) for _ in ys]
    for trial in SweepTrial.objects.filter(sweep=sweep).order_by("index").iterator(2_000):
        row, column = rows[value_key(trial.params[down] if down else None)], columns[value_key(trial.params[across])]
        cells[row][column] = is_better(cells[row][column], trial, metric)
    others = [name for name in sweep.space if name not in (across, down) and len(sweep.space[name]) > 1]
    return {
        "x": across,
        "y": down,
        "metric": metric,
        "x_values": xs,
        "y_values": ys if down else [],
        "cells": cells,
        "best_over": others,
        "note": f"Each cell is the best over {' and '.join(others)}." if others else "",
    }


def is_better(there: dict[str, Any] | None, trial: SweepTrial, metric: str) -> dict[str, Any]:
    value = getattr(trial, metric)
    mine = {"value": None if value is None else float(value), "trial": trial.index, "params": trial.params, "trades": trial.trades}
    if there is None:
        return {**mine, "trials": 1}
    wins = mine["value"] is not None and (there["value"] is None or mine["value"] > there["value"])
    return {**(mine if wins else there), "trials": there["trials"] + 1}


def choose_axes(sweep: Sweep, x: str, y: str) -> tuple[str, str | None]:
    names = list(sweep.space)
    longest = sorted(names, key=lambda name: -len(sweep.space[name]))  # stable: of equals the first
    x = choose_axis("x", x, names) if x else next(name for name in longest if name != y)
    if len(names) == 1:
        return x, None
    y = choose_axis("y", y, names) if y else next(name for name in longest if name != x)
    if x == y:
        raise Invalid.at("y", f"must be another parameter than x; both are {x}.")
    return x, y


def choose_axis(field: str, value: str, known: Any) -> str:
    if value not in known:
        hint = did_you_mean(value, known) or f" Use one of {', '.join(known)}."
        raise Invalid.at(field, f"{value[:40]!r} is not one of this sweep's.{hint}")
    return value


def value_key(value: Any) -> str:
    """1 and 1.0 are one value, True and 1 are two."""
    return f"{value:.12g}" if isinstance(value, int | float) and not isinstance(value, bool) else repr(value)


def places_of(values: list[Any]) -> dict[str, int]:
    return {value_key(value): place for place, value in enumerate(values)}


def candles_expected(config: RunConfig) -> int:
    """About how many candles one trial sees, from the store's rows alone."""
    config, series, _ = data.find_market(config)
    total = 0
    for symbol in config.symbols:
        source = data.source_series(config, symbol, series)
        first, end = to_ms(source.first), find_close(source.interval, to_ms(source.last))
        start = max(first, to_ms(config.start)) if config.start else first
        stop = min(end, to_ms(config.end)) if config.end else end
        total += data.count_between(config.interval, start, stop)
    return total
