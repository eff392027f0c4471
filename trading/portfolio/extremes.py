"""The best and the worst: single sales and days. Only what is in one currency can be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from trading.portfolio.periods import Period
from trading.portfolio.profit import ENDS, KEPT, Earned, Parts, asked_values
from trading.portfolio.rates import RATES, Rates

# The best sales are of those bots, and on those of their days, whose best one is among the best; their fills are found by an index.
SALES = f"""
WITH day AS (
    SELECT bot_id, symbol, day, COALESCE(price, 1) AS rate, {{end}} * COALESCE(price, 1) AS profit, {KEPT}
    FROM trading_botday LEFT JOIN ({RATES}) AS rate USING (venue, currency, day)
    WHERE bot_id = ANY(%(bots)s) AND mode = %(mode)s AND day BETWEEN %(first)s AND %(last)s AND sales > 0
), picked AS (
    SELECT * FROM day WHERE kept = %(currency)s ORDER BY profit {{order}}, bot_id, day LIMIT %(shown)s
)
SELECT placed.order_id, bot.bot_id, bot.name, fill.symbol, fill.ts, fill.profit * rate AS profit
FROM picked JOIN trading_fill AS fill ON fill.bot_id = picked.bot_id AND fill.symbol = picked.symbol AND fill.profit IS NOT NULL
    AND fill.ts >= picked.day::timestamp AT TIME ZONE 'UTC' AND fill.ts < (picked.day + 1)::timestamp AT TIME ZONE 'UTC'
JOIN trading_order AS placed ON placed.id = fill.order_id AND placed.mode = %(mode)s
JOIN trading_bot AS bot ON bot.id = fill.bot_id
ORDER BY profit {{order}}, fill.id LIMIT %(shown)s
"""  # noqa: S608  (our own parts; values are parameters)
BEST, WORST = SALES.format(end="best", order="DESC"), SALES.format(end="worst", order="ASC")


@dataclass(frozen=True, slots=True)
class Sale:
    """One execution that sold, with what it earned."""

    order_id: str
    bot_id: str
    bot_name: str
    symbol: str
    ts: datetime
    profit: Decimal


@dataclass(frozen=True, slots=True)
class Extremes:
    """In `currency` alone; empty where nothing was sold. The same sale or day may be among the best and the worst of a few."""

    currency: str
    best_sales: Sequence[Sale] = ()
    worst_sales: Sequence[Sale] = ()
    best_days: Sequence[Earned] = ()
    worst_days: Sequence[Earned] = ()


def find_extremes(mode: str, period: Period, rates: Rates, days: Sequence[Earned], parts: Parts) -> Extremes:
    """`days` and `parts`: those of the same. Two queries, or none where nothing was sold."""
    currency = main_currency(days, rates.target)
    if not currency:
        return Extremes(rates.target)
    values = {**asked_values(mode, period, rates), "currency": currency, "shown": ENDS}
    ranked = sorted((one for one in days if one.currency == currency and one.sales), key=lambda one: (-one.realised, one.key))
    return Extremes(
        currency,
        read_sales(BEST, {**values, "bots": parts.best[currency]}),
        read_sales(WORST, {**values, "bots": parts.worst[currency]}),
        ranked[:ENDS],
        ranked[::-1][:ENDS],
    )


def main_currency(days: Iterable[Earned], target: str) -> str:
    """The reporting currency if anything was valued in it, else that of the most sales."""
    sales: Counter[str] = Counter()
    for one in days:
        sales[one.currency] += one.sales
    sold = {currency: count for currency, count in sales.items() if count}
    return target if target in sold else max(sold, key=lambda one: (sold[one], one), default="")


def read_sales(sql: str, values: Mapping[str, Any]) -> list[Sale]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [Sale(*row) for row in cursor.fetchall()]
