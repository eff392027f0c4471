"""The list of bots, and one bot: what it does, its decisions, its results."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from access.requests import PageRequest, Part, parts_answer, parts_asked
from core import paging
from core.models import Event
from trading import selectors
from trading.models import Bot, DesiredStatus, Mode
from trading.parts import FOLDER, blocks_part, budgets_shown, fills_part, orders_part, positions_part
from trading.selectors import BotRow, Filter
from trading.views.requests import parts_context
from trading.views.words import event_words

SHOWN = 100
EVENTS_SHOWN = 100


@require_GET
def bot_list(request: PageRequest) -> HttpResponse:
    """All bots that are not archived; `q`, `mode` and `cursor` narrow and continue."""
    asked = {name: request.GET.get(name, "").strip()[:80].replace("\x00", "") for name in ("q", "mode", "attention", "cursor")}
    asked["mode"] = asked["mode"] if asked["mode"] in Mode.values else ""
    parts = {"table": ("trading/_bots_table.html", partial(table_part, asked))}
    if parts_asked(request):
        return parts_answer(request, parts)
    context = parts_context(parts) | {"asked": asked, "query": urlencode(asked), "all_modes": Mode.values}
    return render(request, "trading/bots.html", context)


def table_part(asked: Mapping[str, str]) -> dict[str, Any]:
    narrowed = {"mode": asked["mode"], "search": asked["q"], "attention": asked["attention"]}
    rows, following = selectors.bots_page(cursor=asked["cursor"], limit=SHOWN, **narrowed)
    more = urlencode({**asked, "cursor": following}) if following else ""
    return {"rows": rows, "more": more, "filtered": any(asked.values()), "now": timezone.now()}


@require_GET
def bot_detail(request: PageRequest, bot_id: str) -> HttpResponse:
    """One bot; for its script the parts in `part`; `before` continues its decisions."""
    found = selectors.bot_get(bot_id)
    parts = bot_parts(found, request.GET.get("before", ""))
    if parts_asked(request):
        return parts_answer(request, parts)
    context = parts_context(parts) | {"settings": settings_of(found), "schedule_words": schedule_words(found)}
    return render(request, "trading/bot.html", context)


def bot_parts(found: Bot, before: str = "") -> dict[str, Part]:
    """The parts of a bot's page by name; `before` is the cursor of its decisions."""
    mine = Filter(bot=found.bot_id)

    def with_bot(context: Any) -> Mapping[str, Any]:
        return {"bot": found, **context()}

    parts: Mapping[str, Part] = {
        "head": ("trading/bot/_head.html", partial(head_part, found)),
        "positions": (f"{FOLDER}/_positions.html", partial(positions_part, mine)),
        "orders": (f"{FOLDER}/_orders.html", partial(orders_part, mine)),
        "fills": (f"{FOLDER}/_fills.html", partial(fills_part, mine)),
        "risk": (f"{FOLDER}/_risk.html", partial(risk_part, found)),
        "blocks": (f"{FOLDER}/_blocks.html", partial(blocks_part, mine)),
        "events": ("trading/bot/_events.html", partial(events_part, found, before)),
        "runs": ("trading/bot/_runs.html", lambda: {"runs": selectors.runs_of(found)[:10]}),
    }
    return {name: (template, partial(with_bot, context)) for name, (template, context) in parts.items()}


def head_part(found: Bot) -> dict[str, Any]:
    row = selectors.bot_rows([found])[0]
    return {"row": row, "sales": selectors.sales_summary(found), "actions": bot_actions(row), "now": timezone.now()}


def risk_part(found: Bot) -> dict[str, Any]:
    return {"budgets": budgets_shown(list(selectors.risk_budgets(bot=found.bot_id)))}


def events_part(found: Bot, before: str) -> dict[str, Any]:
    """The log of what it decided, newest first."""
    events = Event.objects.filter(bot=found.bot_id).exclude(type__in=["bot_metrics", "portfolio_update"])
    page, following = paging.read_page(events, cursor=before, limit=EVENTS_SHOWN)
    return {"events": [(event, event_words(event)) for event in page], "older": following}


def bot_actions(row: BotRow) -> list[dict[str, str]]:
    """The buttons: what each does to orders and positions, in numbers."""
    wanted = row.bot.wanted
    orders, held = count_words(row.open_orders, "open order"), count_words(len(row.positions), "position")
    about = f", about {sum_of(row)}" if row.positions else ""
    stop = {
        "name": "stop",
        "label": "Stop",
        "does": f"cancels {orders}, keeps {held}",
        "text": f"It decides nothing any more. {capitalise(orders)} will be cancelled; {held}{about} will be kept, with nothing "
        "of ours to protect what is held.",
        "kind": "danger",
    }
    close = {
        "name": "close",
        "label": "Close",
        "does": f"cancels {orders}, sells {held}{about}",
        "text": f"{capitalise(orders)} will be cancelled, {held} sold at market{about}, then it stops.",
        "kind": "danger",
    }
    start = {"name": "start", "label": "Start", "does": "decides from the next closed candle on", "kind": "primary"}
    if wanted == DesiredStatus.STOPPED:
        return [start]
    if wanted == DesiredStatus.CLOSING:
        return [stop]
    pause = {"name": "pause", "label": "Pause", "does": "no new entries, exits go on", "kind": ""}
    resume = start | {"label": "Resume", "does": "entries again"}
    return [resume if wanted == DesiredStatus.PAUSED else pause, stop, close]


def count_words(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]


def sum_of(row: BotRow) -> str:
    held = sum((one.position.cost if one.value is None else one.value for one in row.positions), row.start_cash * 0)
    return f"{held:,.2f} {row.currency}"


def settings_of(found: Bot) -> list[tuple[str, Mapping[str, Any]]]:
    """The configuration by section, and the limits."""
    config = found.config
    sections = [("Parameters", config.get("params", {})), ("Limits", found.limits)]
    sections += [
        (name.capitalize(), config[name]) for name in ("sizing", "exits", "fees", "slippage") if isinstance(config.get(name), dict)
    ]
    return [(title, {name.replace("_", " "): value for name, value in values.items()}) for title, values in sections if values]


def schedule_words(found: Bot) -> str:
    given = found.schedule
    if not given:
        return "Entries at any time."
    days = ", ".join(str(day).capitalize() for day in given.get("days", [])) or "every day"
    clock = f", {given['from']} to {given['to']} UTC" if given.get("from") else ""
    return f"Entries on {days}{clock}; exits at any time."
