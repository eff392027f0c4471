"""The page *Reconciliation*: how wallets stand by their venues, open differences first, resolved in place, and the runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from access.requests import PageRequest, Part, may_trade, parts_answer, parts_asked
from core.paging import read_page
from core.work import send_jobs
from trading.reconciliation.resolving import drift_settle
from trading.reconciliation.run import runs_begin
from trading.tasks import reconciliation_execute
from trading.views.requests import parts_context
from wallets.drift_lists import TREND_DAYS, drift_states, drift_trend, drifts_list, runs_list, time_to_resolve
from wallets.models import Drift, ReconciliationRun, Wallet
from wallets.selectors import wallets_list
from wallets.services.drifts import list_acts

FOLDER = "trading/reconciliation"
SHOWN = 50
BAR, HEIGHT = 8, 40
"""Of the trend: the width of a day, and the height of its fullest."""


@require_GET
def reconciliation_page(request: PageRequest) -> HttpResponse:
    """The page; for its script the parts in `part`, and for *Load more* the runs after `cursor`."""
    if cursor := request.GET.get("cursor"):
        return render(request, f"{FOLDER}/_run_rows.html", runs_part(cursor))
    if parts_asked(request):
        return parts_answer(request, PARTS)
    return render(request, "trading/reconciliation.html", parts_context(PARTS))


def drifts_part() -> dict[str, Any]:
    """Those that are open, what holds bots first and what is worth most; then those that are ignored."""
    standing = drifts_list().filter(state__in=[Drift.State.OPEN, Drift.State.IGNORED])
    rows = list(standing.order_by("-state", "-holds", "-id")[:SHOWN])
    rows.sort(key=lambda one: (one.state != Drift.State.OPEN, not one.holds, -abs(one.value or 0)))
    ended = drifts_list().exclude(state__in=[Drift.State.OPEN, Drift.State.IGNORED]).order_by("-ended_at")[:10]
    return {"drifts": [(one, list_acts(one)) for one in rows], "more_drifts": standing.count() - len(rows), "ended": ended}


def wallets_part() -> dict[str, Any]:
    wallets = list(wallets_list().filter(kind=Wallet.Kind.EXCHANGE)[:SHOWN])
    states = drift_states(wallets)
    return {"wallets": [(one, states[one.pk]) for one in wallets]}


def runs_part(cursor: str | None = None) -> dict[str, Any]:
    rows, more = read_page(runs_list(), cursor=cursor, limit=SHOWN)
    return {"runs": rows, "cursor": more}


def trend_part() -> dict[str, Any]:
    days = drift_trend()
    most = max((day["seen"] for day in days), default=0) or 1
    bars = [
        {**day, "x": place * BAR, "height": (tall := round(HEIGHT * day["seen"] / most)), "y": HEIGHT - tall}
        for place, day in enumerate(days)
    ]
    totals = {name: sum(day[name] for day in days) for name in ("seen", "ended")}
    return {"bars": bars, "days": TREND_DAYS, "width": BAR * TREND_DAYS, "totals": totals, "took": time_to_resolve()}


PARTS: Mapping[str, Part] = {
    "drifts": (f"{FOLDER}/_drifts.html", drifts_part),
    "wallets": (f"{FOLDER}/_wallets.html", wallets_part),
    "trend": (f"{FOLDER}/_trend.html", trend_part),
    "runs": (f"{FOLDER}/_runs.html", runs_part),
}


@require_POST
def reconcile_now(request: PageRequest) -> HttpResponse:
    """One wallet, or all; workers do it, and the page hears when they are done."""
    may_trade(request)
    wallet = request.POST.get("wallet", "")
    runs = runs_begin(wallet_id=wallet, trigger=ReconciliationRun.Trigger.PAGE, user=request.user)
    send_jobs(reconciliation_execute, [(run.run_id,) for run in runs])
    if request.htmx:
        return render(request, f"{FOLDER}/_runs.html", runs_part())
    messages.success(request, f"{len(runs)} of the wallets are being reconciled." if runs else "Nothing is left to begin.")
    return redirect("trading:reconciliation")


@require_POST
def drift_decide(request: PageRequest, drift_id: int) -> HttpResponse:
    """A person's decision; the list as it is then."""
    may_trade(request)
    asked = {name: value for name in ("action", "reason", "until", "amount") if (value := request.POST.get(name, ""))}
    drift = drift_settle(drift_id=drift_id, decision=keep_needed(asked), user=request.user)
    if request.htmx:
        return render(request, f"{FOLDER}/_drifts.html", drifts_part())
    messages.success(request, f"{drift}: {drift.get_state_display()}.")
    return redirect("trading:reconciliation")


def keep_needed(asked: Mapping[str, str]) -> dict[str, str]:
    """The fields that an action takes: the form has them all, whichever button is pressed."""
    needed = {"ignore": ("reason", "until"), "correct": ("reason", "amount")}.get(asked.get("action", ""), ("reason",))
    return {name: value for name, value in asked.items() if name == "action" or name in needed}
