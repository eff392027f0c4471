"""The desk's state in the top bar of every page, and the kill switch behind its button."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from access.requests import PageRequest, may_trade
from trading import selectors
from trading.models import OPEN, Bot, DesiredStatus, Order
from trading.parts import bar_part
from trading.services.bots import kill_switch_set


@require_GET
def bar_show(request: PageRequest) -> HttpResponse:
    """The bar and the banner, for pages without a socket and for their first look."""
    return render(request, "trading/_bar.html", bar_part())


@require_GET
def kill_ask(request: PageRequest) -> HttpResponse:
    """What the kill switch would do now, in numbers."""
    may_trade(request)
    held = selectors.positions_valued(selectors.positions_open())
    context = {
        "switch": selectors.kill_switch(),
        "bots": Bot.objects.filter(archived_at=None).exclude(wanted=DesiredStatus.STOPPED).count(),
        "orders": Order.objects.filter(status__in=OPEN).count(),
        "held": sums_by_currency(held),
        "positions": len(held),
        "back": back_of(request, request.htmx.current_url_abs_path or ""),
    }
    return render(request, "trading/_kill.html", context)


@require_POST
def kill_set(request: PageRequest) -> HttpResponse:
    """Sets the switch, and back to the page."""
    may_trade(request)
    killed = request.POST.get("killed") == "true"
    kill_switch_set(killed=killed, reason=request.POST.get("reason", "").strip(), user=request.user)
    if killed:
        messages.warning(request, "The desk is killed: no order is sent.")
    else:
        messages.success(request, "The desk is armed again. Bots stay stopped until you start them.")
    return redirect(back_of(request, request.POST.get("back", "")))


def back_of(request: PageRequest, given: str) -> str:
    """A page of this desk."""
    return given if url_has_allowed_host_and_scheme(given, {request.get_host()}) and given.startswith("/") else "/live/"


def sums_by_currency(held: Sequence[selectors.Valued]) -> list[tuple[str, Decimal]]:
    """What positions are worth, at cost where there is no price; each currency by itself."""
    sums: dict[str, Decimal] = {}
    for one in held:
        currency = one.position.symbol.partition("-")[2]
        sums[currency] = sums.get(currency, Decimal(0)) + (one.position.cost if one.value is None else one.value)
    return sorted(sums.items())
