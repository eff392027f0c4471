"""What currencies were worth in the reporting currency, on the days that something was earned in them. What has no price stays in
its own currency, apart: USDT is not USD."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from trading.portfolio.periods import Period

Place = tuple[str, str]
"""(venue key, currency)"""


@dataclass(frozen=True, slots=True)
class Rates:
    """Prices in `target`: of days, and of now. A currency without one has no row."""

    target: str
    days: Mapping[tuple[str, str, date], Decimal] = field(default_factory=dict)
    now: Mapping[Place, Decimal] = field(default_factory=dict)

    def columns(self) -> dict[str, Any]:
        """For statements that have RATES in them."""
        venues, currencies, days = zip(*self.days, strict=True) if self.days else ((), (), ())
        prices = {"rate_venues": list(venues), "rate_currencies": list(currencies), "rate_days": list(days)}
        return {**prices, "rate_prices": list(self.days.values()), "target": self.target}


RATES = """
SELECT * FROM unnest(%(rate_venues)s::text[], %(rate_currencies)s::text[], %(rate_days)s::date[], %(rate_prices)s::numeric[])
    AS rate (venue, currency, day, price)
"""


def find_rates(mode: str, period: Period) -> Rates:
    """Those that the period's figures in this mode need."""
    return Rates("")
