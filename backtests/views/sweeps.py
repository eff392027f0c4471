"""Pages of parameter sweeps: the list, the form, one sweep with its heat map."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from access.requests import PageRequest, may_trade
from backtests.models import ACTIVE, Status, Sweep
from backtests.sweeps import selectors
from backtests.sweeps.config import OBJECTIVES, parse_sweep, shown_space, trial_config
from backtests.sweeps.forms import SweepForm, fill_form
from backtests.views import new
from backtests.views.actions import SWEEP_PAGES, start_from_form
from backtests.views.requests import part_of
from core.errors import Invalid, NotFound
from market.models import CandleSeries
from trading.setup.forms import ConfigForm

STEPS = 10
"""Shades of the heat map."""
MOST_CELLS = 6_000
MOST_WRITTEN = 24
"""Columns up to which the cells carry their numbers."""
COLUMNS = (
    ("sharpe", "Sharpe", ""),
    ("total_return", "Return", ""),
    ("max_drawdown", "Drawdown", ""),
    ("sortino", "Sortino", "optional"),
    ("calmar", "Calmar", "optional"),
    ("final_equity", "Final equity", "optional"),
    ("trades", "Trades", "optional"),
)


@require_GET
def sweep_list(request: PageRequest) -> HttpResponse:
    """All sweeps, newest first; `part=rows` continues."""
    status = request.GET.get("status", "")
    page = selectors.sweeps_page(
        status=status if status in Status.values else "", cursor=request.GET.get("cursor", "")[:20], limit=50
    )
    template = "backtests/_sweep_rows.html" if part_of(request) == "rows" else "backtests/sweep_list.html"
    rows = [(sweep, selectors.sweep_summary(sweep)) for sweep in page.rows]
    return render(request, template, {"sweeps": rows, "next": page.next, "status": status})


@require_http_methods(["GET", "POST"])
def sweep_new(request: PageRequest) -> HttpResponse:
    """GET: the form, or with `part=strategy` the ranges of a strategy. POST: starts the sweep; `part=check` counts its trials."""
    may_trade(request)
    if request.method == "POST":
        form = SweepForm.of_post(request.POST)
        if request.POST.get("part") == "check":
            return check_form(request, form)
        return start_from_form(request, SWEEP_PAGES, form, lambda: form_context(form, new.stored_series()))
    if part_of(request) == "strategy":
        form = SweepForm({"strategy": request.GET.get("strategy", "")}, [])
        return render(request, "backtests/_sweep_strategy.html", {"form": form})
    series = new.stored_series()
    return render(request, "backtests/sweep_new.html", form_context(first_form(request, series), series))


def form_context(form: SweepForm, series: list[CandleSeries]) -> dict[str, Any]:
    return new.form_context(form, series, reverse("backtests:sweep_new"))


def first_form(request: PageRequest, series: list[CandleSeries]) -> SweepForm:
    if clone := request.GET.get("clone"):
        sweep = selectors.sweep_get(clone)
        return fill_form({**sweep.config, "name": sweep.name})
    plain = new.first_form(request, series)
    values = {name: value for name, value in plain.values.items() if not name.startswith("params.")}
    return SweepForm(values, plain.symbols)


def check_form(request: PageRequest, form: SweepForm) -> HttpResponse:
    """Draws how many trials there would be, or which settings prevent them. Nothing is stored."""
    context: dict[str, Any] = {"form": form}
    try:
        config = parse_sweep(form.config())
        candles = selectors.candles_expected(config.run)
        context["plan"] = {"config": config, "space": shown_space(config.space), "trials": len(config.points), "candles": candles}
    except Invalid as error:
        form.refuse(error)
    return render(request, "backtests/_sweep_plan.html", context)


@require_GET
def sweep_detail(request: PageRequest, sweep_id: str) -> HttpResponse:
    """The page. For htmx: `part=sweep` all of it, `part=heatmap`, `part=trials`, and `part=rows` for the next trials."""
    sweep = selectors.sweep_get(sweep_id)
    part = part_of(request)
    if part == "heatmap":
        return render(request, "backtests/_sweep_heatmap.html", heatmap_context(request, sweep))
    if part in ("trials", "rows"):
        return render(
            request, f"backtests/_sweep_{'trials' if part == 'trials' else 'trial_rows'}.html", trials_context(request, sweep)
        )
    template = "backtests/_sweep.html" if part == "sweep" else "backtests/sweep_detail.html"
    context = {
        **trials_context(request, sweep),
        **heatmap_context(request, sweep),
        "summary": selectors.sweep_summary(sweep),
        "space": shown_space(sweep.space),
        "active": sweep.status in ACTIVE,
    }
    return render(request, template, context)


def trials_context(request: PageRequest, sweep: Sweep) -> dict[str, Any]:
    sort = request.GET.get("sort", "") or f"-{sweep.objective}"
    page = selectors.sweep_trials(sweep, sort=sort, cursor=request.GET.get("cursor", ""), limit=50)
    rows = [{**row, "values_shown": [row["params"][name] for name in sweep.space]} for row in page.rows]
    return {
        "sweep": sweep,
        "rows": rows,
        "next": page.next,
        "sort": sort,
        "headers": trial_headers(sort),
        "places": len(sweep.space) + 9,
    }


def trial_headers(sort: str) -> list[dict[str, str]]:
    found = []
    for name, label, css in COLUMNS:
        now = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
        turned = name if now == "descending" else f"-{name}"
        found.append({"label": label, "css": f"num {css}", "now": now, "sort": turned})
    return found


def heatmap_context(request: PageRequest, sweep: Sweep) -> dict[str, Any]:
    """The map over the axes that the query names; two axes are never the same parameter. Too many cells are not drawn."""
    asked = {name: request.GET.get(name, "")[:80] for name in ("x", "y", "metric")}
    if len(sweep.space) > 1 and asked["x"] and asked["x"] == asked["y"]:
        asked["y"] = next(name for name in sweep.space if name != asked["x"])
    found = selectors.sweep_heatmap(sweep, **asked)
    count = len(found["x_values"]) * max(1, len(found["y_values"]))
    return {
        "sweep": sweep,
        "map": found,
        "map_rows": shade_rows(found) if count <= MOST_CELLS else [],
        "map_cells": count,
        "map_written": len(found["x_values"]) <= MOST_WRITTEN,
        "metrics": [name for name in selectors.METRICS if name not in OBJECTIVES] + list(OBJECTIVES),
        "searched": list(sweep.space),
        "range": value_range(found),
    }


def value_range(found: dict[str, Any]) -> tuple[float, float] | None:
    values = [cell["value"] for row in found["cells"] for cell in row if cell and cell["value"] is not None]
    return (min(values), max(values)) if values else None


def shade_rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of cells, each with its shade from 0 (least) to STEPS - 1 (most); of y the largest value stands on top."""
    low, high = value_range(found) or (0.0, 0.0)

    def shade(value: float | None) -> int | None:
        if value is None:
            return None
        return STEPS - 1 if high == low else min(STEPS - 1, int(STEPS * (value - low) / (high - low)))

    labels = found["y_values"] or [""]
    rows = [
        {
            "label": label,
            "cells": [cell and {**cell, "shade": shade(cell["value"]), "best": cell["value"] == high} for cell in cells],
        }
        for label, cells in zip(labels, found["cells"], strict=True)
    ]
    return rows[::-1]


@require_GET
def trial_new(request: PageRequest, sweep_id: str, index: int) -> HttpResponse:
    """The form of a new backtest, filled with one trial."""
    may_trade(request)
    sweep = selectors.sweep_get(sweep_id)
    trial = sweep.results.filter(index=index).first()
    if trial is None:
        raise NotFound(f"The sweep has no trial {index + 1} yet.")
    config = trial_config(sweep.config, trial.params)
    form = ConfigForm.of_config({**config, "name": sweep.name})
    return render(request, "backtests/new.html", new.form_context(form, new.stored_series()))
