"""Risk budgets and the kill switch, as they stand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from core.text import decimal_text, utc_text
from trading.models import KillSwitch, Mode, RiskBudget
from trading.selectors.filters import one_of
from trading.selectors.notation import ratio_of

SCOPES = ("desk", "wallet", "bot")


def risk_budgets(*, scope: str = "", mode: str = "", bot: str = "", wallet: str = "") -> QuerySet[RiskBudget]:
    """Budgets with their wallets and bots, by id; `bot` and `wallet` are public ids. Those of archived bots are left out."""
    rows = RiskBudget.objects.select_related("wallet", "bot").filter(Q(bot=None) | Q(bot__archived_at=None)).order_by("id")
    named = {
        "scope": one_of("scope", scope, SCOPES),
        "mode": one_of("mode", mode, Mode.values),
        "bot__bot_id": bot,
        "wallet__wallet_id": wallet,
    }
    return rows.filter(**{column: value for column, value in named.items() if value})


def budget_free(budget: RiskBudget) -> Decimal | None:
    """What may still be claimed; nothing where positions alone have come to more than the limit; None where there is no limit."""
    if budget.limit is None:
        return None
    return max(Decimal(0), Decimal(budget.limit - budget.used - budget.claimed))


def budget_share(budget: RiskBudget) -> float | None:
    """How much of it is taken: 0.05 is 5 %, above 1 where the limit was lowered under what is held; None where there is
    no limit, or it is 0."""
    return None if budget.limit is None else ratio_of(budget.used + budget.claimed, budget.limit)


def budget_json(budget: RiskBudget) -> dict[str, Any]:
    """A budget with what is free of it, as decimal text in its currency; both are None where no limit is set, and
    `share` is as `budget_share` gives it."""
    return {
        "scope": budget.scope,
        "mode": budget.mode or None,
        "wallet": budget.wallet.wallet_id if budget.wallet else None,
        "bot": budget.bot.bot_id if budget.bot else None,
        "name": str(budget.bot or budget.wallet or "Desk"),
        "currency": budget.currency,
        "limit": decimal_text(budget.limit),
        "claimed": decimal_text(budget.claimed),
        "used": decimal_text(budget.used),
        "free": decimal_text(budget_free(budget)),
        "share": budget_share(budget),
        "updated_at": utc_text(budget.updated_at),
    }


def kill_switch() -> KillSwitch:
    """The only row; before its first use, an unsaved one that is armed."""
    return KillSwitch.objects.order_by("pk").first() or KillSwitch()


def switch_json(switch: KillSwitch) -> dict[str, Any]:
    """Before its first use there is no time and no name."""
    return {
        "killed": switch.killed,
        "reason": switch.reason,
        "changed_by": switch.changed_by or None,
        "changed_at": utc_text(switch.changed_at) if switch.pk else None,
    }
