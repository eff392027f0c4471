"""The open lots of a wallet, on its page: reckoned when somebody looks, so that the page itself does not wait for it."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from access.requests import PageRequest
from core.fields import Fields
from wallets import selectors
from wallets.lots import reports
from wallets.lots.basis import CostBasis, basis_of_wallet, check_lots
from wallets.lots.types import from_units
from wallets.models import Wallet
from wallets.valuation import money_of

PAGE = 50


@require_GET
def wallet_lots(request: PageRequest, wallet_id: str) -> HttpResponse:
    """The section of them; `cursor` continues it. `day`: as of its end, in UTC, or now."""
    if not request.htmx:
        return redirect("wallets:detail", wallet_id)
    wallet, day, cursor = selectors.wallet_get(wallet_id=wallet_id), request.GET.get("day", ""), request.GET.get("cursor", "")
    until = read_day_end(day)
    basis = basis_of_wallet(wallet, until)
    rows, after = reports.page_rows(reports.list_open_lots(basis, wallet=wallet.pk), cursor=cursor, limit=PAGE)
    context = {"wallet": wallet, "rows": rows, "cursor": after, "day": day}
    if cursor:
        return render(request, "wallets/_lot_rows.html", context)
    context |= {
        "differences": [] if until else check_lots(basis),
        "short": sum_short(basis, wallet),
        "year": (until or timezone.now()).year,
        "mode": money_of(wallet),
    }
    return render(request, "wallets/_lots.html", context)


def read_day_end(day: str) -> datetime | None:
    """The last moment of a day."""
    form = Fields({"day": day})
    begun = form.moment("day")
    form.refuse("The day cannot be used.")
    return begun + timedelta(days=1, microseconds=-1) if begun else None


def sum_short(basis: CostBasis, wallet: Wallet) -> list[tuple[str, Decimal]]:
    """What the wallet gave, or all together gave, and no lot has; by asset."""
    sums: defaultdict[str, int] = defaultdict(int)
    for (owner, asset), shortage in basis.inventory.store.list_shortages():
        if owner in (0, wallet.pk):
            sums[asset] += shortage.quantity
    return [(asset, from_units(units)) for asset, units in sorted(sums.items())]
