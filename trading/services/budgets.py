"""The risk budget: claimed before an order exists, used by what it bought, given back by what was sold or never came.

One statement claims from the bot's, the wallet's and the desk's budget together or from none: the condition is looked at again
after each row's lock is had, and rows are locked in the order of their ids, so that claims neither race nor deadlock.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.conf import settings
from django.db import connection

from trading.engine.errors import Invalid
from trading.engine.risk import REASONS, Denial
from trading.limits import BotLimits, risk_currency
from trading.models import Bot, Mode, RiskBudget

CLAIM = """
WITH room AS (
    SELECT id FROM trading_riskbudget
    WHERE id = ANY(%(ids)s) AND claimed + used + %(amount)s <= "limit"
    ORDER BY id FOR UPDATE
)
UPDATE trading_riskbudget AS budget SET claimed = claimed + %(amount)s, updated_at = now()
FROM room WHERE budget.id = room.id AND (SELECT count(*) FROM room) = %(count)s
RETURNING budget.id
"""
SETTLE = """
WITH mine AS (SELECT id FROM trading_riskbudget WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE)
UPDATE trading_riskbudget AS budget
SET claimed = greatest(claimed - %(unclaim)s, 0), used = greatest(used + %(use)s, 0), updated_at = now()
FROM mine WHERE budget.id = mine.id
"""
OWN_EQUITY = Decimal(10) ** 15
"""For a bot without a budget of its own: what it may have at risk is its equity, which the engine never exceeds."""
SCOPES = ("bot", "wallet", "desk")


def budget_claim(ids: Sequence[int], amount: Decimal) -> Denial | None:
    """Sets `amount` aside in every budget of `ids`, or in none and says which has no room. Part of the caller's transaction."""
    if len(ids) != len(SCOPES):
        return Denial("unknown_limit", REASONS["unknown_limit"])
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"ids": list(ids), "amount": amount, "count": len(ids)})
        if cursor.rowcount == len(ids):
            return None
    return why_not(ids, amount)


def why_not(ids: Sequence[int], amount: Decimal) -> Denial:
    budgets = sorted(RiskBudget.objects.filter(pk__in=ids), key=lambda one: SCOPES.index(one.scope))
    for budget in budgets:
        room = max(Decimal(0), budget.limit - budget.used - budget.claimed)
        if room < amount:
            what = f"{amount:.2f} {budget.currency} is wanted and {room:.2f} of {budget.limit:.2f} is free"
            return Denial(f"{budget.scope}_budget", f"{REASONS[f'{budget.scope}_budget']} {what}.")
    return Denial("bot_budget", REASONS["bot_budget"])  # somebody gave room back in between: the next decision may have it


def budget_settle(ids: Sequence[int], *, unclaim: Decimal = Decimal(0), use: Decimal = Decimal(0)) -> None:
    """Gives `unclaim` back and adds `use` (negative: less is at risk) to what positions use."""
    if ids and (unclaim or use):
        with connection.cursor() as cursor:
            cursor.execute(SETTLE, {"ids": list(ids), "unclaim": unclaim, "use": use})


def budgets_ensure(bot: Bot, limits: BotLimits, quote: str) -> list[int]:
    """The ids of the three budgets that an order of the bot claims from. The bot's own follows its limits. Wallet and desk get a
    default where no money is at risk; in mode live a person sets them first, else `Invalid`."""
    currency = risk_currency(quote)
    own, _ = RiskBudget.objects.update_or_create(
        scope="bot", bot=bot, currency=currency, defaults={"limit": limits.budget or OWN_EQUITY, "mode": bot.mode}
    )
    wallet = ensure("wallet", f"wallet {bot.wallet}", mode=bot.mode, wallet=bot.wallet, currency=currency)
    desk = ensure("desk", "the desk in mode live", mode=bot.mode, currency=currency)
    return sorted(one.pk for one in (own, wallet, desk))


def ensure(scope: str, whose: str, *, mode: str, **key: object) -> RiskBudget:
    find = {"scope": scope, **key, **({"mode": mode} if scope == "desk" else {})}
    if mode == Mode.LIVE:
        if budget := RiskBudget.objects.filter(**find).first():
            return budget
        raise Invalid.at(
            "limits", f"There is no {key['currency']} risk budget of {whose}. Set one under Risk budgets in the admin first."
        )
    return RiskBudget.objects.get_or_create(**find, defaults={"limit": settings.RISK_BUDGET, "mode": mode})[0]
