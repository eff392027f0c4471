"""What venues took: by venue and month, each asset by itself and valued at the time of the fills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from trading.portfolio.periods import Period
from trading.portfolio.profit import KEPT, asked_values
from trading.portfolio.rates import RATES, Rates

BY_MONTH = f"""
WITH summed AS (
    SELECT venue, currency, day, fee_asset, sum(paid) AS paid, sum(fees) AS fees, sum(unvalued) AS unvalued
    FROM trading_walletday WHERE mode = %(mode)s AND day BETWEEN %(first)s AND %(last)s GROUP BY venue, currency, day, fee_asset
)
SELECT to_char(day, 'YYYY-MM') AS month, venue, fee_asset, {KEPT}, sum(paid), sum(fees * COALESCE(price, 1)), sum(unvalued)::bigint
FROM summed LEFT JOIN ({RATES}) AS rate USING (venue, currency, day)
GROUP BY month, venue, fee_asset, kept HAVING sum(abs(paid)) > 0 ORDER BY month DESC, venue, fee_asset, kept
"""  # noqa: S608  (our own parts; values are parameters)


@dataclass(frozen=True, slots=True)
class MonthFees:
    """Of a venue in a month (`2026-11`), taken in one asset: `paid` of it, worth `value` in `currency` as far as was known when it
    was taken; of `unvalued` fills it was not."""

    month: str
    venue: str
    asset: str
    currency: str
    paid: Decimal
    value: Decimal
    unvalued: int


def list_fees(mode: str, period: Period, rates: Rates) -> Sequence[MonthFees]:
    """The newest month first."""
    with connection.cursor() as cursor:
        cursor.execute(BY_MONTH, asked_values(mode, period, rates))
        return [MonthFees(*row) for row in cursor.fetchall()]
