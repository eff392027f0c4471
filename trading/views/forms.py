"""A new bot, and changes to a stopped one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from access.requests import PageRequest, may_trade, parts_asked
from core.errors import DomainError, Invalid
from core.venues import venue_key
from engine.strategies import registry
from market.models import Instrument
from trading import selectors
from trading.models import Bot, Mode
from trading.services.bots import bot_columns_read, bot_create, bot_update
from trading.setup.bot_form import BotForm
from trading.setup.limits import DAYS
from trading.setup.presets import PRESETS, preset_named
from wallets.models import Wallet
from wallets.selectors import wallets_list

MODES = (
    ("paper", "Paper: real prices, made-up money"),
    ("replay", "Replay: recorded candles, made-up money"),
    ("testnet", "Testnet: orders to a test or sandbox market"),
    ("live", "Live: real money"),
)
MOST_SYMBOLS = 500


@require_http_methods(["GET", "POST"])
def bot_new(request: PageRequest) -> HttpResponse:
    """GET: the form, empty or of a `preset`; `part=strategy` answers the strategy's own part. POST: makes the bot; `part=check`
    only says what it would do. With `from_backtest` the backtests' own page fills the form in."""
    may_trade(request)
    if request.method == "POST":
        return save_form(request, None)
    if parts_asked(request) == ["strategy"]:
        return render(request, "backtests/_strategy.html", {"form": BotForm({"strategy": request.GET.get("strategy", "")}, [])})
    if source := request.GET.get("from_backtest", "").strip()[:16]:
        return redirect("backtests:trade", source)
    preset = preset_named(request.GET.get("preset", ""))
    form = BotForm.of_config({"strategy": "sma_cross", "mode": "paper", **(preset.config if preset else {})})
    if preset:
        form.values = {"name": preset.title, **form.values}
    return render(request, "trading/bot_new.html", form_context(form) | {"preset": preset})


@require_http_methods(["GET", "POST"])
def bot_edit(request: PageRequest, bot_id: str) -> HttpResponse:
    """The form of a bot as it is; a service says whether it may be changed now."""
    may_trade(request)
    found = selectors.bot_get(bot_id)
    if request.method == "POST":
        return save_form(request, found)
    return render(request, "trading/bot_new.html", form_context(BotForm.of_bot(found), found))


def save_form(request: PageRequest, found: Bot | None) -> HttpResponse:
    form = BotForm.of_post(request.POST)
    if request.POST.get("part") == "check":
        return render(request, "trading/_bot_plan.html", plan_bot(form))
    source = request.POST.get("from_backtest", "").strip()[:16]
    try:
        if found:
            saved = bot_update(bot_id=found.bot_id, changes=form.given_all(), user=request.user)
        else:
            saved = bot_create(**form.given_all(), user=request.user, from_backtest=source)
    except DomainError as error:
        form.refuse(error if isinstance(error, Invalid) else Invalid(str(error)))
        template = "trading/_bot_form.html" if request.htmx else "trading/bot_new.html"
        return render(request, template, form_context(form, found) | {"from_backtest": source}, status=422)
    messages.success(request, f"{saved.name} is {'changed' if found else 'made'}. It is stopped: start it when you want.")
    target = reverse("trading:bot", args=[saved.bot_id])
    return HttpResponseClientRedirect(target) if request.htmx else redirect(target)


def plan_bot(form: BotForm) -> dict[str, Any]:
    """What the bot would do, or what is in the way; nothing is stored."""
    context: dict[str, Any] = {"form": form, "mode": form.values.get("mode", "")}
    try:
        columns = bot_columns_read(form.given_all())
    except Invalid as error:
        form.refuse(error)
        # A name is the last thing that a person thinks of.
        form.faults.pop("name", None)
        return context if form.faults else context | {"nameless": True}
    limits, config = columns["limits"], columns["config"]
    quote = config["symbols"][0].partition("-")[2]
    return context | {"config": config, "limits": limits, "quote": quote, "budget": Decimal(limits["budget"] or config["cash"])}


def form_context(form: BotForm, found: Bot | None = None) -> dict[str, Any]:
    """All that the form shows: wallets with their venues and modes, and the symbols of those venues."""
    wallets = list(wallets_list())
    for wallet in wallets:
        account = wallet.account
        at = venue_key(account.venue, account.environment) if account else wallet.venue
        wallet.at = at  # type: ignore[attr-defined] # for the template
        wallet.modes = modes_of(wallet)  # type: ignore[attr-defined]
    chosen = next((one for one in wallets if one.wallet_id == form.values.get("wallet_id")), None) or first_wallet(wallets, form)
    if chosen:
        form.values = {**form.values, "wallet_id": chosen.wallet_id, "venue": chosen.at}  # type: ignore[attr-defined]
    return {
        "form": form,
        "bot": found,
        "action": reverse("trading:bot_edit", args=[found.bot_id]) if found else reverse("trading:bot_new"),
        "wallets": wallets,
        "modes": MODES,
        "days": DAYS,
        "symbols": symbol_choices(sorted({one.at for one in wallets}), form),  # type: ignore[attr-defined]
        "strategies": registry.list_strategies(),
        "presets": PRESETS,
        "live_trading": settings.LIVE_TRADING,
    }


def first_wallet(wallets: list[Wallet], form: BotForm) -> Wallet | None:
    """The first one at the venue that the settings name, else the first one of all."""
    return next((one for one in wallets if one.at == form.venue), next(iter(wallets), None))  # type: ignore[attr-defined]


def modes_of(wallet: Wallet) -> list[str]:
    if wallet.account is None:
        return [Mode.REPLAY, Mode.PAPER]
    return [Mode.LIVE if wallet.account.environment == "live" else Mode.TESTNET]


def symbol_choices(venues: list[str], form: BotForm) -> list[dict[str, str]]:
    """Instruments of these venues, and symbols of the form that are not among them."""
    known = Instrument.objects.filter(venue__in=venues).order_by("venue", "symbol")[:MOST_SYMBOLS]
    rows = [{"venue": one.venue, "symbol": one.symbol, "note": ""} for one in known]
    there = {(row["venue"], row["symbol"]) for row in rows}
    missing = [symbol for symbol in form.symbols if (form.venue, symbol) not in there]
    return rows + [{"venue": form.venue, "symbol": symbol, "note": "not seen at this venue yet"} for symbol in missing]
