"""A new bot, and changes to a stopped one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from access.requests import PageRequest, may_trade, parts_asked
from core.errors import DomainError, Invalid
from trading import selectors
from trading.models import Bot, Mode
from trading.services.bots import bot_columns_read, bot_create, bot_update
from trading.setup.bot_choices import bot_form_context
from trading.setup.bot_form import BotForm
from trading.setup.presets import preset_named


@require_http_methods(["GET", "POST"])
def bot_new(request: PageRequest) -> HttpResponse:
    """GET: the form, empty or of a `preset`; `part=strategy` answers the strategy's own part. POST: makes the bot; `part=check`
    only says what it would do. With `from_backtest` the backtests' own page fills the form in."""
    may_trade(request)
    if request.method == "POST":
        return save_form(request, None)
    if parts_asked(request) == ["strategy"]:
        return render(request, "setup/_strategy.html", {"form": BotForm({"strategy": request.GET.get("strategy", "")}, [])})
    if source := request.GET.get("from_backtest", "").strip()[:16]:
        return redirect("backtests:trade", source)
    preset = preset_named(request.GET.get("preset", ""))
    form = BotForm.of_config({"strategy": "sma_cross", "mode": "paper", **(preset.config if preset else {})})
    if preset:
        form.values = {"name": preset.title, **form.values}
    return render(request, "trading/bot_new.html", bot_form_context(form) | {"preset": preset})


@require_http_methods(["GET", "POST"])
def bot_edit(request: PageRequest, bot_id: str) -> HttpResponse:
    """The form of a bot as it is; a service says whether it may be changed now."""
    may_trade(request)
    found = selectors.bot_get(bot_id)
    if request.method == "POST":
        return save_form(request, found)
    return render(request, "trading/bot_new.html", bot_form_context(BotForm.of_bot(found), found))


def save_form(request: PageRequest, found: Bot | None) -> HttpResponse:
    """Checks the form, makes the bot, or changes `found`; a faulty form comes back as 422."""
    form = BotForm.of_post(request.POST)
    if request.POST.get("part") == "check":
        return render(request, "trading/_bot_plan.html", plan_bot(form, found))
    source = request.POST.get("from_backtest", "").strip()[:16]
    try:
        if found:
            saved = bot_update(bot_id=found.bot_id, changes=form.given_all(), user=request.user)
        else:
            saved = bot_create(**form.given_all(), user=request.user, from_backtest=source)
    except DomainError as error:
        form.refuse(error if isinstance(error, Invalid) else Invalid(str(error)))
        template = "trading/_bot_form.html" if request.htmx else "trading/bot_new.html"
        return render(request, template, bot_form_context(form, found) | {"from_backtest": source}, status=422)
    messages.success(request, f"{saved.name} is {'changed' if found else 'made'}. It is stopped: start it when you want.")
    target = reverse("trading:bot", args=[saved.bot_id])
    return HttpResponseClientRedirect(target) if request.htmx else redirect(target)


def plan_bot(form: BotForm, found: Bot | None) -> dict[str, Any]:
    """What the bot would do, or which settings prevent it, and whether its wallet holds that much. Nothing is stored."""
    context: dict[str, Any] = {"form": form, "mode": form.values.get("mode", "")}
    try:
        columns = bot_columns_read(form.given_all())
    except Invalid as error:
        form.refuse(error)
        # People choose a name last: a form without one is not faulty yet.
        form.faults.pop("name", None)
        return context if form.faults else context | {"nameless": True}
    limits, config = columns["limits"], columns["config"]
    quote, cash = config["symbols"][0].partition("-")[2], Decimal(config["cash"])
    context |= {"config": config, "limits": limits, "quote": quote, "budget": Decimal(limits["budget"] or cash)}
    if context["mode"] != Mode.REPLAY:
        wallet_id = columns["wallet"].wallet_id
        context["allotment"] = selectors.allotment_with(wallet_id=wallet_id, cash=cash, currency=quote, instead_of=found)
    return context
