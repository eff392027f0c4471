"""Movements on a wallet's page."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from access.requests import PageRequest
from core import paging
from wallets import selectors
from wallets.models import Wallet

PAGE = 50


@require_GET
def movement_rows(request: PageRequest, wallet_id: str) -> HttpResponse:
    """More rows of the table; `cursor` continues. Whoever comes by the address itself is led to the wallet's page."""
    wallet = selectors.wallet_get(wallet_id=wallet_id)
    if not request.htmx:
        return redirect("wallets:detail", wallet.wallet_id)
    return render(request, "wallets/_movement_rows.html", {"wallet": wallet, **movement_page(wallet, request.GET.get("cursor"))})


def movement_page(wallet: Wallet, cursor: str | None = None) -> dict[str, Any]:
    rows, following = paging.read_page(selectors.wallet_movements(wallet=wallet), cursor=cursor, limit=PAGE)
    return {"movements": rows, "movements_cursor": following}


def movement_section(wallet: Wallet) -> dict[str, Any]:
    """The first rows, when the venue was asked, and which of its lists were not read."""
    cursors = list(wallet.movement_cursors.all())
    asked_at = max((one.asked_at for one in cursors if one.asked_at), default=None)
    return {**movement_page(wallet), "asked_at": asked_at, "movement_problems": [one for one in cursors if one.problem]}
