"""The list of runs: filtered, sorted, paged by key, kept fresh row by row, exported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from access.requests import PageRequest
from backtests.models import ACTIVE, BacktestRun, Status
from backtests.selectors.listing import SORTS, runs_sorted
from backtests.selectors.runs import PAGE, runs_matching
from backtests.views.requests import part_of
from core.sheets import csv_line
from engine.strategies import registry
from market.models import CandleSeries

FILTERS = ("status", "strategy", "symbol", "q")
NEWEST = "-created"
MOST_LOOKED_AT = 200
HEADERS = (
    ("status", "Status", ""),
    ("return", "Return", "num"),
    ("sharpe", "Sharpe", "num optional"),
    ("drawdown", "Drawdown", "num optional"),
    ("trades", "Trades", "num optional"),
    ("created", "Created", "num optional"),
)
CSV_COLUMNS = (
    "run_id",
    "name",
    "status",
    "strategy",
    "symbols",
    "interval",
    "total_return",
    "sharpe",
    "max_drawdown",
    "trades",
    "seed",
)


@require_GET
def run_list(request: PageRequest) -> HttpResponse:
    """The page; for htmx its table (`part=table`), the next rows (`part=rows`), or some rows again (`part=some&ids=a,b`)."""
    part = part_of(request)
    if part == "some":
        return render(request, "backtests/_rows.html", {"runs": runs_of_ids(request.GET.get("ids", ""))})
    asked = {name: request.GET.get(name, "").strip()[:100].replace("\x00", "") for name in FILTERS}
    sort = request.GET.get("sort") or NEWEST
    page = runs_sorted(runs_asked(asked), sort=sort, cursor=request.GET.get("cursor", ""))
    context: dict[str, Any] = {
        "runs": page.rows,
        "asked": asked,
        "sort": sort,
        "filtered": any(asked.values()),
        "query": urlencode({**asked, "sort": sort}),
        "next": urlencode({**asked, "sort": sort, "cursor": page.next, "part": "rows"}) if page.next else "",
        "headers": [column_header(asked, sort, *one) for one in HEADERS],
        "columns": len(HEADERS) + 4,
    }
    if part == "rows":
        return render(request, "backtests/_rows.html", context)
    context |= {"total": runs_asked(asked).count(), "page_size": PAGE}
    if part == "table":
        answer = render(request, "backtests/_table.html", context)
        answer.headers["HX-Push-Url"] = f"{request.path}?{context['query']}"
        return answer
    return render(request, "backtests/list.html", context | filter_choices())


def runs_asked(asked: dict[str, str]) -> QuerySet[BacktestRun]:
    return runs_matching(status=asked["status"], strategy=asked["strategy"], symbol=asked["symbol"], search=asked["q"])


def runs_of_ids(ids: str) -> list[BacktestRun]:
    """The runs of these ids that are still there, newest first."""
    return list(runs_matching().filter(run_id__in=ids.split(",")[:MOST_LOOKED_AT]))


def column_header(asked: dict[str, str], sort: str, name: str, label: str, css: str) -> dict[str, Any]:
    """A column's head: what a click on it sorts by, and how it is sorted now."""
    falling, by = sort.startswith("-"), sort.removeprefix("-")
    if by != name:
        now, turned = "", name if name == "status" else f"-{name}"
    else:
        now, turned = ("descending", name) if falling else ("ascending", f"-{name}")
    return {"label": label, "css": css, "now": now, "query": urlencode({**asked, "sort": turned, "part": "table"})}


def filter_choices() -> dict[str, Any]:
    series = CandleSeries.objects.select_related("instrument").order_by("-count").first()
    return {
        "statuses": Status.values,
        "strategies": [(kind.name, kind.title) for kind in registry.list_strategies()],
        "active": list(ACTIVE),
        "best_series": series,
        "sorts": list(SORTS),
    }


@require_GET
def run_list_csv(request: HttpRequest) -> HttpResponse:
    """Every run that passes the filters, newest first."""
    asked = {name: request.GET.get(name, "").strip()[:100].replace("\x00", "") for name in FILTERS}
    disposition = {"Content-Disposition": 'attachment; filename="backtests.csv"'}
    return HttpResponse(csv_lines(runs_asked(asked)), content_type="text/csv; charset=utf-8", headers=disposition)


def csv_lines(runs: QuerySet[BacktestRun]) -> Iterator[str]:
    yield csv_line([*CSV_COLUMNS, "created_at"])
    for *values, created in runs.values_list(*CSV_COLUMNS, "created_at").iterator(chunk_size=2_000):
        yield csv_line([*("" if value is None else value for value in values), created.isoformat()])
