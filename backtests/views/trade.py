"""From a backtest to a bot: the form of a new bot, filled with what a run has tried."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from access.requests import PageRequest, may_trade
from backtests import selectors
from backtests.templatetags.runs import run_title
from trading.setup.bot_choices import bot_form_context
from trading.setup.bot_form import BotForm


@require_GET
def run_trade(request: PageRequest, run_id: str) -> HttpResponse:
    """The form is sent to the bots' own address; `from_backtest` goes with it."""
    may_trade(request)
    run = selectors.run_get(run_id)
    form = BotForm.of_config({**run.config, "mode": "paper", "name": run_title(run)[:80]})
    source = {"source_url": reverse("backtests:detail", args=[run.run_id]), "source_title": run_title(run)}
    return render(request, "trading/bot_new.html", bot_form_context(form) | source | {"from_backtest": run.run_id})
