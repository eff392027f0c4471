"""The parts of the desk's pages: what each is drawn with, and which messages change it. Views draw them for one page, the socket
for all pages that show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, F, Q, When
from django.db.models.functions import NullIf
from django.template.loader import render_to_string
from django.utils import timezone

from access.requests import Part
from core.events import last_seq
from market.models import VenueStream
from market.selectors import list_streams, stream_state
from trading import selectors
from trading.models import Bot, DesiredStatus, Mode, RiskBudget
from trading.selectors import Filter, Portfolio

SHOWN = 50
MOST_BOT_BUDGETS = 8
ALL = Filter()
MOST_REAL_FIRST = (Mode.LIVE, Mode.TESTNET, Mode.PAPER, Mode.REPLAY)


def bar_state() -> dict[str, Any]:
    """What every page carries: three small queries."""
    seq = last_seq()  # first, so that no push between is missed
    trading = Bot.objects.filter(archived_at=None).exclude(wanted=DesiredStatus.STOPPED).order_by()
    running = dict(trading.values_list("mode").annotate(Count("pk")))
    modes = [str(mode) for mode in MOST_REAL_FIRST if mode in running]
    return {"seq": seq, "switch": selectors.kill_switch(), "modes": modes, "bots": sum(running.values())}


def bar_part() -> dict[str, Any]:
    """The bar and the banner: the value of the most real mode that any bot runs in, and whether prices arrive."""
    state = bar_state()
    found = selectors.desk_portfolio().totals
    worth = min(found, key=lambda one: (one.mode not in state["modes"], MOST_REAL_FIRST.index(Mode(one.mode))), default=None)
    return {"desk": state | {"worth": worth, "prices": selectors.prices_state()}}


def portfolio_part() -> dict[str, Any]:
    """Value by mode, the most real first, and by wallet."""
    found = selectors.desk_portfolio()
    return {"modes": most_real_first(found), "wallets": found.wallets}


def most_real_first(found: Portfolio) -> list[selectors.Holdings]:
    return sorted(found.modes, key=lambda one: (MOST_REAL_FIRST.index(one.mode), one.currency))


def positions_part(wanted: Filter = ALL) -> dict[str, Any]:
    """What cannot be sold although it should be, and then what has cost most."""
    found = selectors.positions_open(wanted)
    shown = list(found.order_by(Case(When(exit_blocked="", then=1), default=0), "-cost", "pk")[:SHOWN])
    shown.sort(key=lambda one: (not one.exit_blocked, one.symbol, one.bot.name))
    count = found.count() if len(shown) == SHOWN else len(shown)
    return {"positions": selectors.positions_valued(shown, protected=True), "all_positions": count}


def orders_part(wanted: Filter = ALL) -> dict[str, Any]:
    page = selectors.orders_page(wanted, status="open", limit=SHOWN)
    return {"orders": page.rows, "more_orders": bool(page.next)}


def fills_part(wanted: Filter = ALL) -> dict[str, Any]:
    return {"fills": selectors.fills_page(wanted, limit=SHOWN).rows}


def blocks_part(wanted: Filter = ALL) -> dict[str, Any]:
    """The newest, and how often each reason came in a day: all that ever were would be counted anew at each block."""
    lately = replace(wanted, since=timezone.now() - timedelta(days=1))
    return {"blocks": selectors.blocks_page(wanted, limit=SHOWN).rows, "reasons": selectors.block_reasons(lately)[:6]}


def risk_part() -> dict[str, Any]:
    share = (F("used") + F("claimed")) / NullIf(F("limit"), Decimal(0))
    own = selectors.risk_budgets(scope="bot").exclude(used=0, claimed=0).order_by(share.desc(nulls_last=True))
    return {"budgets": budgets_shown([*selectors.risk_budgets().exclude(scope="bot"), *own[:MOST_BOT_BUDGETS]])}


def budgets_shown(found: Sequence[RiskBudget]) -> list[dict[str, Any]]:
    """Budgets of the desk and of wallets, then those of bots that have something at risk, the fullest first."""
    wide = sorted((one for one in found if one.scope != "bot"), key=lambda one: one.scope)
    own = [one for one in found if one.scope == "bot" and (one.used or one.claimed)]
    own.sort(key=lambda one: selectors.budget_share(one) or 0.0, reverse=True)
    return [
        {
            "budget": one,
            "free": selectors.budget_free(one),
            "share": selectors.budget_share(one) or 0.0,
            "unlimited": one.limit is None,
        }
        for one in [*wide, *own[:MOST_BOT_BUDGETS]]
    ]


def bots_part() -> dict[str, Any]:
    """Those that need somebody first; how many there are, and how many of them need somebody."""
    found = selectors.bots_by_attention(selectors.bots_matching())
    rows = selectors.bot_rows(found.defer("run__config", "run__limits")[:SHOWN])
    counts = found.order_by().aggregate(all_bots=Count("pk"), needy=Count("pk", filter=Q(attention__lte=selectors.NEEDY)))
    return {"rows": rows, **counts}


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
LIVE_PARTS: Mapping[str, Part] = {
    "alerts": (f"{FOLDER}/_alerts.html", alerts_part),
    "portfolio": (f"{FOLDER}/_portfolio.html", portfolio_part),
    "bots": (f"{FOLDER}/_bots.html", bots_part),
    "positions": (f"{FOLDER}/_positions.html", positions_part),
    "orders": (f"{FOLDER}/_orders.html", orders_part),
    "fills": (f"{FOLDER}/_fills.html", fills_part),
    "risk": (f"{FOLDER}/_risk.html", risk_part),
    "blocks": (f"{FOLDER}/_blocks.html", blocks_part),
}


@dataclass(frozen=True, slots=True)
class Painted:
    """A part that is drawn once for all pages that show it. `on`: the messages that change it; `apart`: seconds between two
    drawings at least; `often`: seconds after which it is drawn even if nothing was told, because prices move; `urgent`: it waits
    for no other part."""

    part: Part
    on: frozenset[str]
    apart: float = 0.25
    often: float = 5.0
    urgent: bool = False

    def draw(self, *, may_trade: bool) -> str:
        """The same for everyone who may do the same."""
        template, context = self.part
        return render_to_string(template, {**context(), "may_trade": may_trade, "seq": ""})


CHANGED_BY: Mapping[str, str] = {
    "alerts": "alert order_update order_submitted reconciliation stream_status prices",
    "portfolio": "fill position_update portfolio_update bot_status",
    "bots": "bot_status bot_metrics fill trade_blocked order_submitted order_update",
    "positions": "fill position_update portfolio_update order_update",
    "orders": "order_submitted order_update fill",
    "fills": "fill fee_valued",
    "risk": "fill order_submitted order_update bot_status",
    "blocks": "trade_blocked",
    "bar": "prices portfolio_update fill bot_status alert",
}
"""The messages that change a part, wherever it is shown."""


def apart_of(name: str) -> float:
    """Seconds. A burst of fills is drawn twenty times a second at most."""
    if name == URGENT:
        return 0.05
    return 0.25 if name in QUICK else 1.0


QUICK = ("fills", "orders", "positions", "blocks")
"""What a person waits for is drawn first, and at once."""
URGENT = "fills"
PAINTED: Mapping[str, Painted] = {
    name: Painted(part, frozenset(CHANGED_BY[name].split()), apart_of(name), urgent=name == URGENT)
    for name, part in sorted({**LIVE_PARTS, "bar": ("trading/_bar.html", bar_part)}.items(), key=lambda one: one[0] not in QUICK)
}
