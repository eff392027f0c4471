"""Wallet pages: balances and ledger of each."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from access.requests import PageRequest, may_trade
from access.rights import has_right
from core import paging
from core.errors import Conflict
from wallets import selectors
from wallets.connection import account_test
from wallets.drift_lists import drift_states
from wallets.models import ValueSnapshot, Wallet
from wallets.valuation import value_wallets
from wallets.views.movements import movement_section
from wallets.views.watches import watch_detail

PAGE = 50


@require_GET
def wallet_list(request: PageRequest) -> HttpResponse:
    """Wallets by name; `archived=1` those out of sight, `cursor` continues."""
    archived = request.GET.get("archived") == "1"
    wallets, cursor = paging.read_page(
        selectors.wallets_list(archived=archived), key="name", cursor=request.GET.get("cursor"), limit=PAGE
    )
    may_add = request.user.is_staff and has_right(request.user, "wallets.add_wallet")
    context = {
        "wallets": wallets,
        "drifts": drift_states(wallets),
        "worths": value_wallets(wallets, selectors.reporting_currency()),
        "cursor": cursor,
        "archived": archived,
        "add_url": reverse("admin:wallets_wallet_add") if may_add else "",
        "watch_url": reverse("wallets:watch_new") if has_right(request.user, "wallets.add_wallet") else "",
    }
    return render(request, "wallets/_rows.html" if request.htmx else "wallets/list.html", context)


@require_GET
def wallet_detail(request: PageRequest, wallet_id: str) -> HttpResponse:
    """One wallet: balances, key, ledger. `cursor` continues the ledger."""
    wallet = selectors.wallet_get(wallet_id=wallet_id)
    if wallet.kind == Wallet.Kind.WATCH:
        return watch_detail(request, wallet)
    booked, cursor = paging.read_page(selectors.wallet_transactions(wallet=wallet), cursor=request.GET.get("cursor"), limit=PAGE)
    context = {"wallet": wallet, "transactions": booked, "cursor": cursor, "drift": drift_states([wallet])[wallet.pk]}
    if request.htmx:
        return render(request, "wallets/_transaction_rows.html", context)
    if wallet.account:
        context |= movement_section(wallet)
    worth = value_wallets([wallet], selectors.reporting_currency())[wallet.pk]
    context |= {
        "worth": worth,
        "unbooked": {balance.asset: balance.unbooked for balance in wallet.balances.all() if balance.unbooked},
        "elsewhere": list(wallet.account.elsewhere.all()) if wallet.account else [],
        "permissions": selectors.permission_words(wallet.account) if wallet.account else "",
        "manage": request.user.is_staff and has_right(request.user, "wallets.view_wallet"),
    }
    return render(request, "wallets/detail.html", context)


@require_GET
def wallet_values(request: PageRequest, wallet_id: str) -> JsonResponse:
    """What the wallet's chart draws: [seconds, value, paid in], in the reporting currency."""
    currency = selectors.reporting_currency()
    found = selectors.wallet_values(wallet=selectors.wallet_get(wallet_id=wallet_id), currency=currency)
    rows = [value_row(row) for row in found.only("ts", "value", "paid_in", "unpriced")]
    return JsonResponse({"currency": currency, "rows": rows})


def value_row(row: ValueSnapshot) -> list[float | None]:
    """No value where nothing had a price: that is no zero."""
    known = row.value or not row.unpriced
    return [int(row.ts.timestamp()), float(row.value) if known else None, float(row.paid_in) if known else None]


@require_POST
def wallet_test(request: PageRequest, wallet_id: str) -> HttpResponse:
    """Asks the venue of an exchange wallet whether its key works, and shows the answer on the page."""
    may_trade(request)
    wallet = selectors.wallet_get(wallet_id=wallet_id)
    if wallet.account is None:
        raise Conflict(f"{wallet.name} is no exchange wallet: there is no venue to ask.")
    outcome = account_test(account=wallet.account, user=request.user)
    messages.add_message(request, messages.SUCCESS if outcome.works else messages.ERROR, str(outcome))
    return redirect("wallets:detail", wallet.wallet_id)
