"""The portfolio: one kind of money in one period, which its address says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from core.fields import Fields
from trading.portfolio.calendar import WEEKDAYS, list_calendar
from trading.portfolio.extremes import Extremes, Sale
from trading.portfolio.history import MOST_POINTS, History, read_history
from trading.portfolio.periods import ALL, LENGTHS, Period
from trading.portfolio.profit import Earned
from trading.portfolio.report import PortfolioReport, list_money, read_asked, report_portfolio
from trading.portfolio.tables import EVERY, HISTORY, POINT, TABLES, write_csv
from trading.portfolio.writing import point_json
from wallets.models import Wallet

PERIODS = {**{name: name for name in LENGTHS}, "year": "1 year", ALL: "All"}
KINDS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


@require_GET
def portfolio_page(request: HttpRequest) -> HttpResponse:
    """`mode` and `period`, or `from` and `to`, narrow it."""
    mode, period, wallets = asked_of(request)
    report, history = report_portfolio(mode, period, wallets), read_history(mode, period, wallets)
    context = {
        "report": report,
        "history": history,
        "curves": curves_of(history),
        "modes": [(one, urlencode({"mode": one, **period.query})) for one in list_money()],
        "periods": [(name, label, urlencode({"mode": mode, "period": name})) for name, label in PERIODS.items()],
        "query": urlencode({"mode": mode, **period.query}),
        "months": report.months[::-1],
        "extremes": extremes_of(report.extremes),
        "bots_note": note_ends(len(report.parts.bots), report.parts.bot_count),
        "shares_note": note_ends(len(report.allocation.bots), report.allocation.bot_count),
        "calendar": calendar_of(report),
        "weekdays": WEEKDAYS,
        "today": timezone.now().date(),
    }
    return render(request, "trading/portfolio.html", context)


@require_GET
def portfolio_table(request: HttpRequest, table: str, kind: str) -> HttpResponse:
    """A table of the page as a file, with all of its rows."""
    if kind not in KINDS or table not in (*TABLES, HISTORY):
        raise Http404
    mode, period, wallets = asked_of(request)
    columns, rows = table_rows(table, mode, period, wallets)
    text = "".join(write_csv(columns, rows)) if kind == "csv" else json.dumps(rows, indent=1)
    name = f"{table}-{mode}-{period.first:%Y%m%d}-{period.last:%Y%m%d}.{kind}"
    return HttpResponse(text, content_type=KINDS[kind], headers={"Content-Disposition": f'attachment; filename="{name}"'})


def asked_of(request: HttpRequest) -> tuple[str, Period, list[Wallet]]:
    form = Fields(request.GET.dict())
    found = read_asked(form, timezone.now().date())
    form.refuse("The portfolio cannot be shown for this.")
    return found


def table_rows(table: str, mode: str, period: Period, wallets: Sequence[Wallet]) -> tuple[Sequence[str], list[dict[str, Any]]]:
    if table == HISTORY:
        history = read_history(mode, period, wallets, points=MOST_POINTS)
        return POINT, [point_json(one) for one in history.points]
    columns, rows_of = TABLES[table]
    return columns, rows_of(report_portfolio(mode, period, wallets, shown=EVERY))


def note_ends(shown: int, count: int) -> str:
    return f"{shown:,} of {count:,} bots are shown, from the ends of the list; the export has all." if shown < count else ""


def extremes_of(found: Extremes) -> list[tuple[str, Sequence[Sale], Sequence[Earned]]]:
    """Each list with its title: sales, or days."""
    return [
        ("Best sales", found.best_sales, ()),
        ("Worst sales", found.worst_sales, ()),
        ("Best days", (), found.best_days),
        ("Worst days", (), found.worst_days),
    ]


def calendar_of(report: PortfolioReport) -> dict[str, Any]:
    """In the currency in which the best and the worst are."""
    currency = report.extremes.currency
    days, months = ([one for one in found if one.currency == currency] for found in (report.days, report.months))
    return {"months": list_calendar(report.period, days, months), "currency": currency}


def curves_of(history: History) -> dict[str, Any]:
    """What the chart draws: seconds, and numbers."""
    return {
        "currency": history.currency,
        "time": [int(one.step.at.timestamp()) for one in history.points],
        "value": [float(one.step.value) for one in history.points],
        "paid_in": [float(one.step.paid_in) for one in history.points],
        "growth": [one.growth - 1 for one in history.points],
        "fall": [one.fall for one in history.points],
        "flows": [[int(one.step.at.timestamp()), float(one.flow)] for one in history.points if one.flow],
    }
