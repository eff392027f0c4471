"""The risk budget: claimed before an order exists, used by what it bought, given back by what was sold or never came.

One statement claims from the bot's, the wallet's and the desk's budget together or from none: PostgreSQL tests the condition again
after it has locked each row, and rows are locked in the order of their ids, so that claims neither race nor deadlock. `Draw` makes
it a part of the statement that writes the orders themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db.models import Q

from core.batch import GO, WriteBatch
from core.errors import Invalid
from core.prepared import execute_prepared
from engine.risk import REASONS, Denial
from trading.models import Bot, Mode, RiskBudget
from trading.setup.limits import BotLimits, risk_currency

KILLED = "SELECT EXISTS (SELECT 1 FROM trading_killswitch WHERE killed)"
ALIVE = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM trading_killswitch WHERE killed)"
ROOM = """
SELECT 1 FROM trading_riskbudget
WHERE id = ANY(%s::bigint[])
AND (%s::numeric = 0 OR "limit" IS NULL
    OR greatest(claimed - %s::numeric, 0) + greatest(used + %s::numeric, 0) + %s::numeric <= "limit")
ORDER BY id FOR UPDATE
"""
DRAW = f"""
UPDATE trading_riskbudget
SET claimed = greatest(claimed - %s::numeric, 0) + %s::numeric, used = greatest(used + %s::numeric, 0), updated_at = now()
WHERE id = ANY(%s::bigint[]) AND {GO}
RETURNING id
"""  # noqa: S608
NOTHING = Decimal(0)
DEFAULT_CURRENCY = "USD"
"""That of RISK_BUDGET. In no other currency has anybody named a default."""
SCOPES = ("bot", "wallet", "desk")


def budget_claim(ids: Sequence[int], amount: Decimal) -> Denial | None:
    """Sets `amount`, in quote, aside in every budget of `ids`, or in none and returns which has no room; in none while the kill
    switch is on. Part of the caller's transaction."""
    if len(ids) != len(SCOPES):
        return Denial("unknown_limit", REASONS["unknown_limit"])
    batch = WriteBatch()
    Draw(ids, claim=amount).add_to(batch)
    batch.require("kill switch", ALIVE, ())
    return None if batch.run() is None else denial_explain(ids, amount)


@dataclass(slots=True)
class Draw:
    """What a step of a bot takes from its budgets and gives back."""

    ids: Sequence[int]
    claim: Decimal = NOTHING
    unclaim: Decimal = NOTHING
    use: Decimal = NOTHING

    def settle(self, *, unclaim: Decimal = NOTHING, use: Decimal = NOTHING) -> None:
        """See `budget_settle`."""
        self.unclaim += unclaim
        self.use += use

    def settle_now(self) -> None:
        """Writes what has been given back and used, so that the next claim has the room. Part of the caller's transaction."""
        budget_settle(self.ids, unclaim=self.unclaim, use=self.use)
        self.unclaim = self.use = NOTHING

    def add_to(self, batch: WriteBatch) -> None:
        if self.claim or self.unclaim or self.use:
            ids = list(self.ids)
            count = len(SCOPES) if self.claim else None  # giving back needs no room
            batch.require("budgets", ROOM, [ids, self.claim, self.unclaim, self.use, self.claim], count=count)
            batch.also.append(("draw", DRAW, [self.unclaim, self.claim, self.use, ids]))


def is_killed() -> bool:
    """Whether the kill switch is on."""
    with execute_prepared(KILLED, ()) as cursor:
        return bool(cursor.fetchone()[0])


def denial_explain(ids: Sequence[int], amount: Decimal) -> Denial:
    """Which budget has no room for `amount`, and how much it has."""
    if is_killed():
        return Denial("kill_switch", REASONS["kill_switch"])
    budgets = sorted(RiskBudget.objects.filter(pk__in=ids), key=lambda one: SCOPES.index(one.scope))
    for budget in budgets:
        if budget.limit is None:
            continue
        room = max(Decimal(0), budget.limit - budget.used - budget.claimed)
        if room < amount:
            what = f"{amount:.2f} {budget.currency} is wanted and {room:.2f} of {budget.limit:.2f} is free"
            return Denial(f"{budget.scope}_budget", f"{REASONS[f'{budget.scope}_budget']} {what}.")
    return Denial("bot_budget", REASONS["bot_budget"])  # room was given back in between, which the next decision may have


def budget_settle(ids: Sequence[int], *, unclaim: Decimal = NOTHING, use: Decimal = NOTHING) -> None:
    """Gives `unclaim` back and adds `use` (negative: less is at risk) to what positions use."""
    batch = WriteBatch()
    Draw(ids, unclaim=unclaim, use=use).add_to(batch)
    batch.run()


@dataclass(frozen=True, slots=True)
class KnownBudgets:
    """Budgets that exist already, by scope, the key of what they belong to, and currency."""

    bots: Mapping[int, Bot]
    rows: Mapping[tuple[str, object, str], RiskBudget]

    def get(self, bot_id: int, quote: str, limits: BotLimits) -> list[int]:
        """The ids of a bot's three budgets, as `budgets_ensure` returns them; none where one is missing, or its own is not what its
        limits say."""
        bot, currency = self.bots[bot_id], risk_currency(quote)
        keys = (("bot", bot_id, currency), ("wallet", bot.wallet_id, currency), ("desk", bot.mode, currency))
        found = [row for key in keys if (row := self.rows.get(key))]
        if len(found) < len(SCOPES) or (found[0].limit, found[0].mode) != (limits.budget, bot.mode):
            return []
        return sorted(one.pk for one in found)


def budgets_find(bots: Iterable[Bot]) -> KnownBudgets:
    """What exists of the budgets of many bots, in one statement."""
    by_id = {bot.pk: bot for bot in bots}
    mine = Q(scope="bot", bot__in=by_id) | Q(scope="wallet", wallet__in={bot.wallet_id for bot in by_id.values()}) | Q(scope="desk")
    of = {"bot": "bot_id", "wallet": "wallet_id", "desk": "mode"}
    rows = {(one.scope, getattr(one, of[one.scope]), one.currency): one for one in RiskBudget.objects.filter(mine)}
    return KnownBudgets(by_id, rows)


def budgets_ensure(bot: Bot, limits: BotLimits, quote: str) -> list[int]:
    """The ids of the three budgets that an order of the bot claims from. The bot's own follows its limits: without one it may have
    its equity at risk, which the engine never exceeds. Those of the wallet and the desk begin with RISK_BUDGET in its currency and
    with no limit in others, where no real money is at risk; in mode live a person sets them first, or this raises `Invalid`."""
    currency = risk_currency(quote)
    own, _ = RiskBudget.objects.update_or_create(
        scope="bot", bot=bot, currency=currency, defaults={"limit": limits.budget, "mode": bot.mode}
    )
    wallet = budget_ensure("wallet", f"wallet {bot.wallet}", mode=bot.mode, wallet=bot.wallet, currency=currency)
    desk = budget_ensure("desk", "the desk in mode live", mode=bot.mode, currency=currency)
    return sorted(one.pk for one in (own, wallet, desk))


def budget_ensure(scope: str, whose: str, *, mode: str, **key: object) -> RiskBudget:
    """The budget of a wallet or the desk; made where it is missing, but in mode live. `whose`: for the message."""
    find = {"scope": scope, **key, **({"mode": mode} if scope == "desk" else {})}
    if mode == Mode.LIVE:
        if budget := RiskBudget.objects.filter(**find, limit__isnull=False).first():
            return budget
        raise Invalid.at(
            "limits", f"There is no {key['currency']} risk budget of {whose}. Set one under Risk budgets in the admin first."
        )
    limit = settings.RISK_BUDGET if key["currency"] == DEFAULT_CURRENCY else None
    return RiskBudget.objects.get_or_create(**find, defaults={"limit": limit, "mode": mode})[0]
