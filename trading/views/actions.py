"""What a person can do to bots and orders. Each calls the service that the API calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from access.requests import PageRequest, may_trade
from core.errors import DomainError
from trading.services import bots, orders

ACTS: dict[str, tuple[Callable[..., Any], str]] = {
    "start": (bots.bot_start, "starts: it decides from the next closed candle on."),
    "pause": (bots.bot_pause, "is paused: no new entries, exits go on."),
    "stop": (bots.bot_stop, "stops: its open orders are cancelled, what it holds stays."),
    "close": (bots.bot_close, "closes: its orders are cancelled and what it holds is sold."),
    "delete": (bots.bot_delete, "is deleted; its books stay."),
}


@require_POST
def bot_act(request: PageRequest, bot_id: str, act: str) -> HttpResponse:
    """One of the bot's buttons. A refusal is shown on its page."""
    may_trade(request)
    if act not in ACTS:
        raise Http404
    service, words = ACTS[act]
    name = bots.bot_get(bot_id).name
    try:
        service(bot_id=bot_id, user=request.user)
    except DomainError as error:
        messages.error(request, error.in_full())
    else:
        messages.success(request, f"{name} {words}")
        if act == "delete":
            return redirect("trading:bots")
    return redirect("trading:bot", bot_id)


@require_POST
def order_cancel(request: PageRequest, order_id: str) -> HttpResponse:
    may_trade(request)
    order = orders.order_cancel_request(order_id=order_id, user=request.user)
    text = f"Asked to cancel: {order}."
    if request.htmx:
        answer = render(request, "components/toast.html", {"kind": "success", "text": text})
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#toasts", "beforeend"
        return answer
    messages.success(request, text)
    return redirect("trading:order", order_id)
