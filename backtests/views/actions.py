"""What can be done to a run from its page. Each calls the service that the API calls."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from backtests import services, tasks
from backtests.views.requests import may_trade
from core.errors import Conflict, Invalid


@require_POST
def run_again(request: HttpRequest, run_id: str) -> HttpResponse:
    may_trade(request)
    try:
        run = services.run_rerun(run_id=run_id, user=request.user)
    except Invalid as error:
        messages.error(request, error.in_full())
        return redirect("backtests:detail", run_id)
    tasks.run_start(run)
    return redirect("backtests:detail", run.run_id)


@require_POST
def run_cancel(request: HttpRequest, run_id: str) -> HttpResponse:
    may_trade(request)
    try:
        services.run_cancel(run_id=run_id)
    except Conflict as error:
        messages.info(request, str(error))
    return redirect("backtests:detail", run_id)


@require_POST
def run_retry(request: HttpRequest, run_id: str) -> HttpResponse:
    may_trade(request)
    try:
        tasks.run_start(services.run_retry(run_id=run_id))
    except Conflict as error:
        messages.info(request, str(error))
    return redirect("backtests:detail", run_id)


@require_POST
def run_delete(request: HttpRequest, run_id: str) -> HttpResponse:
    may_trade(request)
    services.run_delete(run_id=run_id)
    messages.success(request, f"The run {run_id} is deleted, with its trades and equity.")
    return redirect("backtests:list")
