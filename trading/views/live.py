"""The live page: the state of the desk at a glance, each part of it drawn alone when a push says that it has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from access.requests import PageRequest, Part, parts_answer, parts_asked
from market.models import VenueStream
from market.selectors import list_streams, stream_state
from trading import selectors
from trading.models import RiskBudget
from trading.selectors import Filter, Portfolio
from trading.services.budgets import OWN_EQUITY
from trading.views.bar import MOST_REAL_FIRST
from trading.views.requests import parts_context

SHOWN = 50
MOST_BOT_BUDGETS = 8
ALL = Filter()


@require_GET
def live_page(request: PageRequest) -> HttpResponse:
    """The page; for its script the parts in `part`, with commas between."""
    if parts_asked(request):
        return parts_answer(request, PARTS)
    return render(request, "trading/live.html", parts_context(PARTS))


def portfolio_part() -> dict[str, Any]:
    """Value by mode, the most real first, and by wallet."""
    found = selectors.desk_portfolio()
    return {"modes": most_real_first(found), "wallets": found.wallets}


def most_real_first(found: Portfolio) -> list[selectors.Holdings]:
    return sorted(found.modes, key=lambda one: (MOST_REAL_FIRST.index(one.mode), one.currency))


def positions_part(wanted: Filter = ALL) -> dict[str, Any]:
    return {"positions": selectors.positions_valued(selectors.positions_open(wanted), protected=True)}


def orders_part(wanted: Filter = ALL) -> dict[str, Any]:
    page = selectors.orders_page(wanted, status="open", limit=SHOWN)
    return {"orders": page.rows, "more_orders": bool(page.next)}


def fills_part(wanted: Filter = ALL) -> dict[str, Any]:
    return {"fills": selectors.fills_page(wanted, limit=SHOWN).rows}


def blocks_part(wanted: Filter = ALL) -> dict[str, Any]:
    return {"blocks": selectors.blocks_page(wanted, limit=SHOWN).rows, "reasons": selectors.block_reasons(wanted)[:6]}


def risk_part() -> dict[str, Any]:
    return {"budgets": budgets_shown(list(selectors.risk_budgets()))}


def budgets_shown(found: Sequence[RiskBudget]) -> list[dict[str, Any]]:
    """Budgets of the desk and of wallets, then those of bots that have something at risk, the fullest first."""
    wide = sorted((one for one in found if one.scope != "bot"), key=lambda one: one.scope)
    own = [one for one in found if one.scope == "bot" and selectors.budget_share(one)]
    own.sort(key=lambda one: selectors.budget_share(one) or 0.0, reverse=True)
    return [
        {
            "budget": one,
            "free": selectors.budget_free(one),
            "share": selectors.budget_share(one) or 0.0,
            "own_equity": one.limit >= OWN_EQUITY,
        }
        for one in [*wide, *own[:MOST_BOT_BUDGETS]]
    ]


def bots_part() -> dict[str, Any]:
    rows = selectors.bot_rows(selectors.bots_matching().order_by("wanted", "name")[:SHOWN])
    return {"rows": rows}


def alerts_part() -> dict[str, Any]:
    """What needs a decision by a person, and streams whose prices do not arrive as they should."""
    now, well = timezone.now(), (VenueStream.State.LIVE, VenueStream.State.PAUSED)
    states = [(stream, VenueStream.State(stream_state(stream, now))) for stream in list_streams().filter(wanted=True)]
    return {
        "unknown": len(selectors.orders_unknown()),
        "foreign": len(selectors.foreign_orders()),
        "troubled": [one for one in states if one[1] not in well or (one[1] == VenueStream.State.LIVE and one[0].detail)],
    }


FOLDER = "trading/live"
PARTS: Mapping[str, Part] = {
    "alerts": (f"{FOLDER}/_alerts.html", alerts_part),
    "portfolio": (f"{FOLDER}/_portfolio.html", portfolio_part),
    "bots": (f"{FOLDER}/_bots.html", bots_part),
    "positions": (f"{FOLDER}/_positions.html", positions_part),
    "orders": (f"{FOLDER}/_orders.html", orders_part),
    "fills": (f"{FOLDER}/_fills.html", fills_part),
    "risk": (f"{FOLDER}/_risk.html", risk_part),
    "blocks": (f"{FOLDER}/_blocks.html", blocks_part),
}
