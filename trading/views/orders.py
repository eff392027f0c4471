"""One order as a chain from candle to profit, any decision by its correlation id, and what could not be resolved."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from access.requests import PageRequest, Part, may_trade, parts_answer, parts_asked
from core.errors import DomainError
from trading import selectors
from trading.models import OPEN, Bot, Order
from trading.services.orders import foreign_order_resolve
from trading.views.order_story import tell_story
from trading.views.requests import parts_context
from trading.views.words import steps_of


@require_GET
def order_detail(request: PageRequest, order_id: str) -> HttpResponse:
    """An order's page; for its script the parts in `part`."""
    found = selectors.order_get(order_id)
    parts: Mapping[str, Part] = {"order": ("trading/_order.html", partial(order_part, found))}
    if parts_asked(request):
        return parts_answer(request, parts)
    return render(request, "trading/order.html", parts_context(parts))


def order_part(found: Order) -> dict[str, Any]:
    fills = list(found.fills.order_by("id"))
    profits = [fill.profit for fill in fills if fill.profit is not None]
    return {
        "order": found,
        "story": tell_story(found),
        "steps": steps_of(found.correlation_id),
        "fills": fills,
        "profit": sum(profits) if profits else None,
        "is_open": found.status in OPEN,
        "slippage": slippage_of(found),
    }


def slippage_of(found: Order) -> float | None:
    """How much worse than the price that it was decided at: 0.001 is 10 basis points against us."""
    if not found.average_price or not found.reference_price:
        return None
    worse = found.average_price / found.reference_price - 1
    return float(worse if found.side == "buy" else -worse)


@require_GET
def decision_detail(request: PageRequest, correlation_id: str) -> HttpResponse:
    """All that bears one correlation id: where an order came of it, its page shows the same."""
    parts: Mapping[str, Part] = {"chain": ("trading/_chain_part.html", lambda: {"steps": steps_of(correlation_id)})}
    if parts_asked(request):
        return parts_answer(request, parts)
    # An event names its bot by the public id, the other rows have the bot itself.
    bots = (bot for link in selectors.decision_chain(correlation_id) if isinstance(bot := link.row.bot, Bot))
    context = parts_context(parts) | {"correlation_id": correlation_id, "bot": next(bots, None)}
    return render(request, "trading/decision.html", context)


@require_GET
def unresolved_list(request: PageRequest) -> HttpResponse:
    """Orders whose fate is not known, and orders at a venue that are not ours."""
    parts: Mapping[str, Part] = {"unresolved": ("trading/_unresolved.html", unresolved_part)}
    if parts_asked(request):
        return parts_answer(request, parts)
    return render(request, "trading/unresolved.html", parts_context(parts))


def unresolved_part() -> dict[str, Any]:
    bots = Bot.objects.filter(archived_at=None).select_related("wallet").only("bot_id", "name", "wallet", "symbols")
    foreign = selectors.foreign_orders()
    takers = {
        one.pk: [bot for bot in bots if bot.wallet_id == one.wallet_id and one.symbol in bot.symbol_list and not one.unread]
        for one in foreign
    }
    return {"unknown": selectors.orders_unknown(), "foreign": [(one, takers[one.pk]) for one in foreign]}


@require_POST
def foreign_decide(request: PageRequest, pk: int) -> HttpResponse:
    """Adopts a foreign order for a bot, or ignores it from now on."""
    may_trade(request)
    try:
        found = foreign_order_resolve(
            foreign_id=pk, action=request.POST.get("action", ""), bot_id=request.POST.get("bot_id", ""), user=request.user
        )
        taken = f"{found.adopted_by} has it from now on." if found.adopted_by else "is ignored from now on; it stays at the venue."
        messages.success(request, f"{found}: {taken}")
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("trading:unresolved")
