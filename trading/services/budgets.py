"""The risk budget: claimed before an order exists, used by what it bought, given back by what was sold or never came.

One statement claims from the bot's, the wallet's and the desk's budget together or from none: the condition is looked at again
after each row's lock is had, and rows are locked in the order of their ids, so that claims neither race nor deadlock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db import connection
from django.db.models import Q

from trading.engine.errors import Invalid
from trading.engine.risk import REASONS, Denial
from trading.limits import BotLimits, risk_currency
from trading.models import Bot, Mode, RiskBudget

KILLED = "SELECT EXISTS (SELECT 1 FROM trading_killswitch WHERE killed)"
CLAIM = """
WITH room AS (
    SELECT id FROM trading_riskbudget
    WHERE id = ANY(%(ids)s) AND claimed + used + %(amount)s <= "limit"
    AND NOT EXISTS (SELECT 1 FROM trading_killswitch WHERE killed)
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
    """Sets `amount` aside in every budget of `ids`, or in none and says which has no room; in none while the kill switch is on.
    Part of the caller's transaction."""
    if len(ids) != len(SCOPES):
        return Denial("unknown_limit", REASONS["unknown_limit"])
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"ids": list(ids), "amount": amount, "count": len(ids)})
        if cursor.rowcount == len(ids):
            return None
    return why_not(ids, amount)


def is_killed() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(KILLED)
        return bool(cursor.fetchone()[0])


def why_not(ids: Sequence[int], amount: Decimal) -> Denial:
    if is_killed():
        return Denial("kill_switch", REASONS["kill_switch"])
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


@dataclass(frozen=True, slots=True)
class Known:
    """Budgets that exist already, by what they are of and their currency."""

    bots: Mapping[int, Bot]
    rows: Mapping[tuple[str, object, str], RiskBudget]

    def get(self, bot_id: int, quote: str, limits: BotLimits) -> list[int]:
        """The three of a bot, as `budgets_ensure` gives them; none where one is missing or its own is not what its limits say."""
        bot, currency = self.bots[bot_id], risk_currency(quote)
        keys = (("bot", bot_id, currency), ("wallet", bot.wallet_id, currency), ("desk", bot.mode, currency))
        found = [row for key in keys if (row := self.rows.get(key))]
        if len(found) < len(SCOPES) or (found[0].limit, found[0].mode) != (limits.budget or OWN_EQUITY, bot.mode):
            return []
        return sorted(one.pk for one in found)


def budgets_known(bots: Iterable[Bot]) -> Known:
    """In one statement, for many bots."""
    by_id = {bot.pk: bot for bot in bots}
    mine = Q(scope="bot", bot__in=by_id) | Q(scope="wallet", wallet__in={bot.wallet_id for bot in by_id.values()}) | Q(scope="desk")
    of = {"bot": "bot_id", "wallet": "wallet_id", "desk": "mode"}
    rows = {(one.scope, getattr(one, of[one.scope]), one.currency): one for one in RiskBudget.objects.filter(mine)}
    return Known(by_id, rows)


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
