"""Runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from backtests import selectors
from backtests.models import BacktestRun, Status
from backtests.selectors.compare import MOST_RUNS
from backtests.selectors.runs import runs_matching
from backtests.views.figures import GROUPS, HIGHER, LOWER
from core.errors import Conflict, Invalid
from engine.metrics import KINDS

SHOWN_OTHERS = 50
SETTINGS = ("strategy", "params", "venue", "symbols", "interval", "start", "end", "cash")
"""In which order settings stand; the others follow as they come."""


@require_GET
def compare_runs(request: HttpRequest) -> HttpResponse:
    """`runs=a,b` or `runs=a&runs=b`: two to eight. Fewer, or one without results: says how to choose."""
    ids = [part.strip() for text in request.GET.getlist("runs") for part in text.split(",") if part.strip()]
    try:
        found = selectors.runs_compare(ids)
    except (Invalid, Conflict) as error:
        context = {"reason": " ".join(error.fields.get("runs", [])) or str(error), "most": MOST_RUNS}
        return render(request, "backtests/compare_none.html", context, status=400 if isinstance(error, Invalid) else 409)
    by_id = {run.run_id: run for run in runs_matching().filter(run_id__in=ids)}
    runs = [by_id[run["run_id"]] for run in found["runs"]]
    one_currency = len({currency_of(run) for run in runs}) == 1
    context = {
        "runs": [(run, number, query_without(run, runs)) for number, run in enumerate(runs, 1)],
        "others": runs_to_add(runs),
        "found": found,
        "settings": sort_settings(found["config"]),
        "groups": [
            (title, [figure_row(name, found["metrics"][name], one_currency) for name in names if name in found["metrics"]])
            for title, names in GROUPS
        ],
        "notes": caution_notes(runs, found["same_as_first"]),
        "unchanged": unchanged_note(found["same_as_first"]),
        "curves": curves_context(found, runs),
        "width": len(runs) + 1,
    }
    return render(request, "backtests/compare.html", context)


def query_without(run: BacktestRun, runs: Sequence[BacktestRun]) -> str:
    """The query that compares the others; empty where they would be too few."""
    left = [other.run_id for other in runs if other is not run]
    return f"?runs={','.join(left)}" if len(left) > 1 else ""


def runs_to_add(runs: Sequence[BacktestRun]) -> Sequence[BacktestRun]:
    """The newest that may be added."""
    if len(runs) == MOST_RUNS:
        return []
    return list(runs_matching(status=Status.COMPLETED).exclude(pk__in=[run.pk for run in runs])[:SHOWN_OTHERS])


def currency_of(run: BacktestRun) -> str:
    return run.symbols.split(",")[0].rpartition("-")[2]


def sort_settings(config: Mapping[str, Sequence[Any]]) -> list[tuple[str, Sequence[Any]]]:
    """Settings that differ; the venue's rules follow from the symbols and are left out."""
    places = {name: place for place, name in enumerate(SETTINGS)}
    shown = [(name, values) for name, values in config.items() if not name.startswith("rules.")]
    return sorted(shown, key=lambda one: places.get(one[0].split(".")[0], len(SETTINGS)))


def figure_row(name: str, compared: Mapping[str, Sequence[Any]], one_currency: bool) -> dict[str, Any]:
    """A figure of each run. Amounts in different currencies are neither better nor worse, nor apart."""
    comparable = one_currency or KINDS[name] != "money"
    best = best_of(name, compared["values"]) if comparable else set()
    cells = [
        {"value": value, "difference": difference if comparable and number else None, "best": number in best}
        for number, (value, difference) in enumerate(zip(compared["values"], compared["differences"], strict=True))
    ]
    return {"name": name, "cells": cells, "same": all(value == compared["values"][0] for value in compared["values"])}


def best_of(name: str, values: Sequence[Any]) -> set[int]:
    """The numbers of the runs with the best value; none where all are equal, or where more is neither better nor worse."""
    known = {number: float(value) for number, value in enumerate(values) if value is not None}
    if name not in (*HIGHER, *LOWER) or len(set(known.values())) < 2:
        return set()
    best = (max if name in HIGHER else min)(known.values())
    return {number for number, value in known.items() if value == best}


def caution_notes(runs: Sequence[BacktestRun], same: Sequence[Mapping[str, bool]]) -> list[str]:
    """What keeps the runs from being compared figure by figure."""
    found = []
    if len({run.symbols for run in runs}) > 1:
        found.append("The runs trade different symbols: differences tell of the markets as much as of the strategies.")
    if len({run.fingerprint for run in runs}) > 1 and len({(run.symbols, run.interval) for run in runs}) == 1:
        found.append("The runs saw different candles: another span, or candles that were imported anew in between.")
    if len({run.interval for run in runs}) > 1:
        found.append("The runs use different intervals.")
    if len({(run.config.get("start"), run.config.get("end")) for run in runs}) > 1:
        found.append("The runs cover different spans. A curve is flat before its first candle and after its last.")
    if len({currency_of(run) for run in runs}) > 1:
        found.append("The runs are in different currencies: compare percentages, not amounts.")
    if any(run.strategy == runs[0].strategy and not (one["code"] or one["result"]) for run, one in zip(runs, same, strict=True)):
        found.append("The code has changed between these runs of one strategy.")
    return found


def unchanged_note(same: Sequence[Mapping[str, bool]]) -> str:
    """The runs that other code brought to the result of the first; empty where there are none."""
    numbers = [str(number) for number, one in enumerate(same, 1) if one["result"] and not one["code"]]
    if not numbers:
        return ""
    which = f"Run {numbers[0]} has" if len(numbers) == 1 else f"Runs {', '.join(numbers[:-1])} and {numbers[-1]} have"
    return f"{which} the figures, orders, trades and equity of run 1, to the last digit. The code in between changed none of them."


def curves_context(found: Mapping[str, Any], runs: Sequence[BacktestRun]) -> dict[str, Any]:
    return {**found["equity"], "names": [f"{number}" for number in range(1, len(runs) + 1)]}
