"""What was earned: by day, and by bot, symbol and strategy. The database sums what it keeps by day; sums are exact, and those that
were valued are as good as their prices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from trading.models import Bot
from trading.portfolio.held import PRICED, HeldPrices
from trading.portfolio.periods import Period
from trading.portfolio.rates import RATES, Rates
from trading.selectors.notation import ratio_of

SHOWN = 50
"""Bots from either end of the list."""


@dataclass(frozen=True, slots=True)
class Earned:
    """What something earned in a period, in `currency`; `unrealised` is of now, whatever the period. `key`: a symbol, a strategy's
    name, a bot's id, a day or month in ISO-8601. `name` says it to people."""

    key: str
    name: str
    currency: str
    sales: int = 0
    won: int = 0
    realised: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    unrealised: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        return self.realised + self.unrealised

    @property
    def win_rate(self) -> float | None:
        return ratio_of(Decimal(self.won), Decimal(self.sales))


SUMMED = ("sales", "won", "realised", "fees", "unrealised")
VALUED = """
    sum(sales)::bigint AS sales, sum(won)::bigint AS won, sum(realised * COALESCE(price, 1)) AS realised,
    sum(fees * COALESCE(price, 1)) AS fees
"""
KEPT = "CASE WHEN price IS NULL THEN currency ELSE %(target)s END AS kept"
"""The currency that a row is summed in."""
BY_DAY = f"""
WITH summed AS (
    SELECT venue, currency, day, sum(sales) AS sales, sum(won) AS won, sum(realised) AS realised, sum(fees) AS fees
    FROM trading_walletday WHERE mode = %(mode)s AND day BETWEEN %(first)s AND %(last)s GROUP BY venue, currency, day
)
SELECT day::text, {KEPT}, {VALUED}
FROM summed LEFT JOIN ({RATES}) AS rate USING (venue, currency, day) GROUP BY day, kept ORDER BY day, kept
"""  # noqa: S608  (our own parts; values are parameters)
# Of positions only those that have a price: `priced` brings it, and the currency that their profit is summed in.
PARTS = f"""
WITH summed AS (
    SELECT bot_id, strategy, symbol, {KEPT}, {VALUED}, 0::numeric AS unrealised,
        max(best * COALESCE(price, 1)) AS best, min(worst * COALESCE(price, 1)) AS worst
    FROM trading_botday LEFT JOIN ({RATES}) AS rate USING (venue, currency, day)
    WHERE mode = %(mode)s AND day BETWEEN %(first)s AND %(last)s GROUP BY bot_id, strategy, symbol, kept
), held AS (
    SELECT bot.id, bot.strategy, position.symbol, kept, 0, 0, 0, 0, (quantity * price - cost) * rate, NULL::numeric, NULL::numeric
    FROM trading_position AS position JOIN trading_bot AS bot ON bot.id = position.bot_id
    JOIN ({PRICED}) AS priced ON (priced.venue, priced.symbol) = (position.venue, position.symbol)
    WHERE bot.mode = %(mode)s AND quantity <> 0
), part AS (
    SELECT * FROM summed UNION ALL SELECT * FROM held
), grouped AS (
    SELECT symbol, strategy, bot_id, kept, sum(sales)::bigint AS sales, sum(won)::bigint AS won, sum(realised) AS realised,
        sum(fees) AS fees, sum(unrealised) AS unrealised, max(best) AS best, min(worst) AS worst
    FROM part GROUP BY GROUPING SETS ((symbol, kept), (strategy, kept), (bot_id, kept))
), ranked AS (
    SELECT *, count(*) OVER same AS members, row_number() OVER (same ORDER BY realised + unrealised DESC, bot_id) AS place,
        row_number() OVER (same ORDER BY best DESC NULLS LAST, bot_id) AS high,
        row_number() OVER (same ORDER BY worst, bot_id) AS low
    FROM grouped WINDOW same AS (PARTITION BY bot_id IS NULL, kept)
)
SELECT symbol, strategy, bot_id, members, place, high, low, kept, sales, won, realised, fees, unrealised
FROM ranked WHERE bot_id IS NULL OR least(place, members - place + 1) <= %(shown)s OR least(high, low) <= %(ends)s
ORDER BY realised + unrealised DESC, symbol, strategy, bot_id
"""  # noqa: S608


ENDS = 5
"""Sales that are told as the best and the worst: they are those of so many bots at most."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Each list with the most profit first. Of many bots `bots` has both ends; `bot_count` is of all. `best` and `worst`: by
    currency, the keys of the bots with the highest and the lowest profit of a single sale."""

    symbols: Sequence[Earned]
    strategies: Sequence[Earned]
    bots: Sequence[Earned]
    bot_count: int
    best: Mapping[str, Sequence[int]]
    worst: Mapping[str, Sequence[int]]


class PartRow(NamedTuple):
    """What the statement answers: sums of a symbol, a strategy or a bot, and a bot's places among `members`."""

    symbol: str | None
    strategy: str | None
    bot: int | None
    members: int
    place: int
    high: int
    low: int
    currency: str
    sales: int
    won: int
    realised: Decimal
    fees: Decimal
    unrealised: Decimal

    def earned(self, key: str, name: str) -> Earned:
        return Earned(key, name, self.currency, self.sales, self.won, self.realised, self.fees, self.unrealised)


def list_days(mode: str, period: Period, rates: Rates) -> list[Earned]:
    """Each day on which something was filled, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(BY_DAY, asked_values(mode, period, rates))
        return [Earned(day, day, currency, *sums) for day, currency, *sums in cursor.fetchall()]


def asked_values(mode: str, period: Period, rates: Rates) -> dict[str, Any]:
    return {"mode": mode, "first": period.first, "last": period.last, **rates.columns()}


def sum_months(days: Iterable[Earned]) -> list[Earned]:
    """Days as months: `2026-11`."""
    return sum_alike(days, lambda one: one.key[:7])


def sum_currencies(days: Iterable[Earned]) -> list[Earned]:
    """All of it, by currency."""
    return sum_alike(days, lambda one: "")


def sum_alike(parts: Iterable[Earned], key_of: Callable[[Earned], str]) -> list[Earned]:
    """Those of one key and currency added up, in order of keys."""
    groups: dict[tuple[str, str], list[Earned]] = defaultdict(list)
    for one in parts:
        groups[key_of(one), one.currency].append(one)
    return [
        Earned(key, key, currency, **{name: sum(getattr(one, name) for one in found) for name in SUMMED})
        for (key, currency), found in sorted(groups.items())
    ]


def list_parts(mode: str, period: Period, rates: Rates, held: HeldPrices, *, shown: int = SHOWN) -> Parts:
    """What each symbol, strategy and bot earned, with what they hold. Two queries, however many there are."""
    values = {**asked_values(mode, period, rates), **held.columns(rates), "shown": shown, "ends": ENDS}
    with connection.cursor() as cursor:
        cursor.execute(PARTS, values)
        rows = [PartRow(*row) for row in cursor.fetchall()]
    bots = [(one, one.bot) for one in rows if one.bot is not None]
    names = name_bots({bot for _, bot in bots})
    return Parts(
        [one.earned(one.symbol, one.symbol) for one in rows if one.symbol is not None],
        [one.earned(one.strategy, one.strategy) for one in rows if one.strategy is not None],
        [one.earned(*names[bot]) for one, bot in bots if min(one.place, one.members - one.place + 1) <= shown],
        sum({one.currency: one.members for one, _ in bots}.values()),
        group_bots((one.currency, bot) for one, bot in bots if one.high <= ENDS),
        group_bots((one.currency, bot) for one, bot in bots if one.low <= ENDS),
    )


def group_bots(found: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    """By currency."""
    groups: dict[str, list[int]] = defaultdict(list)
    for currency, bot in found:
        groups[currency].append(bot)
    return groups


def name_bots(keys: Iterable[int]) -> dict[int, tuple[str, str]]:
    """(bot_id, name) of each, archived ones too."""
    found = Bot.objects.filter(pk__in=keys).order_by().values_list("pk", "bot_id", "name")
    return {pk: (bot_id, name) for pk, bot_id, name in found}
