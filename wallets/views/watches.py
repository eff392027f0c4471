"""Pages of watched wallets: one to begin with, and what a chain says of each."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from access.requests import PageRequest, may_trade
from access.rights import has_right
from core import paging
from core.errors import Conflict, Invalid, NotFound
from wallets import selectors, services
from wallets.chains.bitcoin import SCRIPTS
from wallets.chains.registry import CHAINS, chain_get
from wallets.holdings import chain_transactions, tokens_apart
from wallets.models import Wallet
from wallets.tasks import watch_start
from wallets.valuation import value_wallets

ASKED = ("chain", "address", "name", "script")
PAGE, SHOWN_READINGS = 50, 12
FIRST_CHAIN = "solana"


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters()
@sensitive_variables()
def watch_new(request: PageRequest) -> HttpResponse:
    """The form. What was typed as an address is never shown again, because it may be what it must not be."""
    may_trade(request)
    if request.method == "GET":
        return render(request, "wallets/watch_new.html", form_context({"chain": FIRST_CHAIN}, {}))
    raw = {name: request.POST.get(name, "") for name in ASKED}
    try:
        made = services.watch_create(raw=raw, user=request.user)
    except Invalid as error:
        kept = {name: raw[name] for name in ("chain", "name", "script")} if error.code != "secret_entered" else {}
        return render(request, "wallets/watch_new.html", form_context(kept, error.fields), status=422)
    watch_start(made)
    messages.success(request, f"{made.name} is watched. Its first reading takes a moment.")
    return redirect("wallets:detail", made.wallet_id)


def form_context(given: dict[str, str], faults: dict[str, Any]) -> dict[str, Any]:
    return {"given": {"chain": FIRST_CHAIN} | given, "faults": faults, "chains": CHAINS.values(), "scripts": SCRIPTS}


def watch_detail(request: PageRequest, wallet: Wallet) -> HttpResponse:
    """One wallet: what it has, tokens apart, readings, transactions. `cursor` continues those."""
    rows, cursor = paging.read_page(chain_transactions(wallet), cursor=request.GET.get("cursor"), limit=PAGE)
    context: dict[str, Any] = {"wallet": wallet, "transactions": rows, "cursor": cursor}
    if request.htmx:
        return render(request, "wallets/_chain_rows.html", context)
    currency = selectors.reporting_currency()
    context |= {
        "watch": wallet.watch,
        "chain": chain_get(wallet.watch.chain),
        "worth": value_wallets([wallet], currency)[wallet.pk],
        "pending": [one for one in wallet.chain_holdings.all() if one.pending and one.token.asset],
        "apart": tokens_apart(wallet),
        "readings": wallet.chain_readings.all()[:SHOWN_READINGS],
        "may_trust": has_right(request.user, "wallets.change_wallet"),
        "manage": request.user.is_staff and has_right(request.user, "wallets.view_wallet"),
    }
    return render(request, "wallets/watch_detail.html", context)


@require_POST
def watch_read_now(request: PageRequest, wallet_id: str) -> HttpResponse:
    """Has a worker read the chain."""
    may_trade(request)
    wallet = selectors.wallet_get(wallet_id=wallet_id)
    services.watch_ask(wallet=wallet, user=request.user)
    watch_start(wallet)
    messages.success(request, "It is being read; the page shows it once it is loaded again.")
    return redirect("wallets:detail", wallet.wallet_id)


@require_POST
def token_trust(request: PageRequest, wallet_id: str) -> HttpResponse:
    """A person says what a token is; an empty asset, that it is nothing."""
    may_trade(request)
    wallet = selectors.wallet_get(wallet_id=wallet_id)
    asset = request.POST.get("asset", "").strip()
    try:
        token = services.token_trust(wallet=wallet, contract=request.POST.get("contract", ""), asset=asset, user=request.user)
        messages.success(request, f"It counts as {token.asset} from now on." if asset else "It counts for nothing from now on.")
    except (Invalid, Conflict, NotFound) as error:
        messages.error(request, error.in_full())
    return redirect("wallets:detail", wallet.wallet_id)
