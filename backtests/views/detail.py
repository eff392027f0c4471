"""One run: waiting, running, ended badly, or with everything that came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from access.requests import PageRequest
from backtests import selectors
from backtests.explanations import REASONS_IN_WORDS, REFUSALS_IN_WORDS
from backtests.models import ACTIVE, BacktestRun, Status
from backtests.selectors.refusals import run_refusal_counts, run_refusals
from backtests.selectors.trades import OUTCOMES
from backtests.views.figures import GROUPS, TILES
from backtests.views.honesty import honesty_band
from backtests.views.months import month_table
from backtests.views.requests import part_of
from engine.strategies import registry
from engine.strategy import Plot
from engine.types import REASONS
from trading.compiling import engine_progress

TRADE_COLUMNS = (
    ("number", "#", ""),
    ("symbol", "Symbol", "optional"),
    ("entry_time", "Entry, UTC", ""),
    ("exit_time", "Exit, UTC", "optional"),
    ("entry_price", "Entry price", "num optional"),
    ("exit_price", "Exit price", "num optional"),
    ("quantity", "Quantity", "num optional"),
    ("return", "Return", "num"),
    ("profit", "Profit", "num"),
    ("fees", "Fees", "num optional"),
    ("duration_s", "Held", "num optional"),
    ("exit_reason", "Closed by", "optional"),
)
TABS = ("trades", "refusals", "breakdown", "metrics", "settings")
FILTERS = ("symbol", "outcome", "reason")


@require_GET
def run_detail(request: PageRequest, run_id: str) -> HttpResponse:
    """The page. For htmx: `part=run` gives all of it, `part=progress` the progress alone until it has ended, `part=<tab>`, and
    `part=trade_rows` or `part=refusal_rows` for the next rows of a list."""
    run = selectors.run_get(run_id)
    part = part_of(request)
    if part == "progress" and run.status in ACTIVE:
        return render(request, "backtests/_progress.html", progress_context(run))
    if part in PARTS and run.status == Status.COMPLETED:
        template, context = PARTS[part]
        return render(request, template, {"run": run, "tab": part, **context(request, run)})
    answer = render(request, "backtests/_run.html" if part else "backtests/detail.html", run_context(request, run))
    if part:
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#run", "outerHTML"
    return answer


def run_context(request: HttpRequest, run: BacktestRun) -> dict[str, Any]:
    """What the page of a run is drawn with: its progress, and once it is completed its results."""
    context = progress_context(run) | {"clones": run.clones.count()}
    if run.status != Status.COMPLETED:
        return context
    results = selectors.run_results(run)
    return context | {
        "results": results,
        "tiles": TILES,
        "honesty": honesty_band(results["honesty"], results),
        "months": month_table(results["monthly_returns"]),
        "chart": chart_setup(run),
        "tab": "trades",
        "tabs": tab_labels(run, results),
        **trades_tab(request, run),
    }


def progress_context(run: BacktestRun) -> dict[str, Any]:
    """What the progress shows: measured on the server's clock."""
    seconds = (timezone.now() - run.started_at).total_seconds() if run.started_at else None
    speed = run.candles_processed / seconds if seconds and run.candles_processed and run.status in ACTIVE else None
    compiling = engine_progress() if run.status == Status.QUEUED else None
    return {"run": run, "elapsed": seconds, "speed": speed, "active": run.status in ACTIVE, "compiling": compiling}


def chart_setup(run: BacktestRun) -> dict[str, Any]:
    """What the chart has to know beside its data: where each indicator is drawn, and what codes mean."""
    kind = registry.find_strategies().strategies.get(run.strategy)
    plots: Mapping[str, Plot] = kind.plots if kind else {}
    return {
        "symbols": run.symbols.split(","),
        "interval": run.interval,
        "plots": [{"name": name, "label": plot.label, "pane": plot.pane} for name, plot in plots.items()],
        "reasons": REASONS_IN_WORDS,
        "refusals": REFUSALS_IN_WORDS,
    }


def tab_labels(run: BacktestRun, results: Mapping[str, Any]) -> list[tuple[str, str]]:
    refused = sum(int(one["orders"]) for one in run_refusal_counts(run))
    labels = (f"Trades {results['trades']:,}", f"Refused orders {refused:,}", "By symbol and exit", "All metrics", "Settings")
    return list(zip(TABS, labels, strict=True))


def trades_tab(request: HttpRequest, run: BacktestRun) -> dict[str, Any]:
    """A page of the trade log, filtered and sorted as the query says, and the heads that sort it otherwise."""
    asked = {name: request.GET.get(name, "") for name in FILTERS}
    sort = request.GET.get("sort") or "number"
    page = selectors.run_trades(
        run,
        sort=sort,
        cursor=request.GET.get("cursor", ""),
        symbol=asked["symbol"],
        outcome=asked["outcome"],
        reason=asked["reason"],
    )
    return {
        "trades": page.rows,
        "asked": asked,
        "sort": sort,
        "filtered": any(asked.values()),
        "next": urlencode({**asked, "sort": sort, "cursor": page.next, "part": "trade_rows"}) if page.next else "",
        "headers": [trade_header(asked, sort, *one) for one in TRADE_COLUMNS],
        "columns": len(TRADE_COLUMNS),
        "symbols": run.symbols.split(","),
        "reasons": list((run.results or {}).get("per_exit_reason", {})) or list(REASONS),
        "outcomes": [one for one in OUTCOMES if one],
    }


def trade_header(asked: Mapping[str, str], sort: str, name: str, label: str, css: str) -> dict[str, Any]:
    falling, by = sort.startswith("-"), sort.removeprefix("-")
    now = "" if by != name else "descending" if falling else "ascending"
    turned = name if (by == name and falling) or (by != name and "num" not in css) else f"-{name}"
    return {"label": label, "css": css, "now": now, "query": urlencode({**asked, "sort": turned, "part": "trades"})}


def refusals_tab(request: HttpRequest, run: BacktestRun) -> dict[str, Any]:
    code = request.GET.get("code", "")
    page = run_refusals(run, code=code, cursor=request.GET.get("cursor", ""))
    following = urlencode({"code": code, "cursor": page.next, "part": "refusal_rows"}) if page.next else ""
    return {"refusals": page.rows, "counts": run_refusal_counts(run), "code": code, "next": following, "columns": 6}


def breakdown_tab(request: HttpRequest, run: BacktestRun) -> dict[str, Any]:
    results = selectors.run_results(run)
    groups: Sequence[tuple[str, Mapping[str, Any]]] = (
        ("By symbol", results["per_symbol"]),
        ("By what closed the trade", results["per_exit_reason"]),
    )
    return {"groups": groups, "drawdowns": results["largest_drawdowns"]}


def metrics_tab(request: HttpRequest, run: BacktestRun) -> dict[str, Any]:
    return {"groups": GROUPS, "results": selectors.run_results(run)}


def settings_tab(request: HttpRequest, run: BacktestRun) -> dict[str, Any]:
    """The configuration by section, and what reproduces the run."""
    config = run.config
    sections = [("Parameters", config["params"])]
    sections += [(name.capitalize(), config[name]) for name in ("fees", "slippage", "sizing", "exits", "limits")]
    plain = {name: value for name, value in config.items() if not isinstance(value, dict)}
    return {"sections": [("Run", plain), *sections], "rules": config.get("rules", {}), "results": selectors.run_results(run)}


PARTS: Mapping[str, tuple[str, Any]] = {
    "trades": ("backtests/_trades.html", trades_tab),
    "trade_rows": ("backtests/_trade_rows.html", trades_tab),
    "refusals": ("backtests/_refusals.html", refusals_tab),
    "refusal_rows": ("backtests/_refusal_rows.html", refusals_tab),
    "breakdown": ("backtests/_breakdown.html", breakdown_tab),
    "metrics": ("backtests/_metrics.html", metrics_tab),
    "settings": ("backtests/_settings.html", settings_tab),
}
