"""What currencies were worth in the reporting currency, on the days that something was earned in them. What has no price stays in
its own currency, apart: USDT is not USD."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Max, Min
from django.utils import timezone

from core.times import to_ms
from core.venues import venue_split
from market.past_prices import PriceHistory
from trading.models import WalletDay
from trading.portfolio.periods import Period
from wallets.valuation import Books

Place = tuple[str, str]
"""(venue key, currency)"""

QUOTES = """
SELECT DISTINCT venue, split_part(split_part(symbols, ',', 1), '-', 2) FROM trading_bot WHERE mode = %s AND archived_at IS NULL
"""


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


def find_rates(mode: str, period: Period, target: str, quotes: Iterable[Place], books: Books) -> Rates:
    """Those that the period's figures in this mode need, and those of now of these `quotes`. One query, and what it takes to look
    into the past."""
    spans, today = list_spans(mode, period), timezone.now().date()
    now = price_now(target, {*quotes, *spans}, books)
    closed = {place: (first, min(last, today - timedelta(days=1))) for place, (first, last) in spans.items()}
    of_today = {(*place, today): now[place] for place, (_, last) in spans.items() if last >= today and place in now}
    return Rates(target, price_days(target, closed) | of_today, now)


def list_spans(mode: str, period: Period) -> dict[Place, tuple[date, date]]:
    """The first and the last day on which something was filled in a currency at a venue."""
    rows = WalletDay.objects.filter(mode=mode, day__range=(period.first, period.last)).order_by()
    found = rows.values_list("venue", "currency").annotate(Min("day"), Max("day"))
    return {(venue, currency): (first, last) for venue, currency, first, last in found}


def list_quotes(mode: str) -> list[Place]:
    """Of all bots of the mode."""
    with connection.cursor() as cursor:
        cursor.execute(QUOTES, [mode])
        return [(venue, currency) for venue, currency in cursor.fetchall()]


def price_now(target: str, places: Iterable[Place], books: Books) -> dict[Place, Decimal]:
    """In the reporting currency, by the prices of each venue's environment."""
    found = {
        place: books[venue_split(place[0])[1]].price(place[1], target) for place in places if venue_split(place[0])[1] in books
    }
    return {place: one.price for place, one in found.items() if one.price is not None}


def price_days(target: str, spans: Mapping[Place, tuple[date, date]]) -> dict[tuple[str, str, date], Decimal]:
    """At the end of each day, by stored candles of each venue's environment."""
    groups: dict[str, list[tuple[str, str, date]]] = defaultdict(list)
    for (venue, currency), (first, last) in spans.items():
        days = (last - first).days + 1
        groups[venue_split(venue)[1]] += [(venue, currency, first + timedelta(days=number)) for number in range(days)]
    found: dict[tuple[str, str, date], Decimal] = {}
    for environment, wanted in groups.items():
        history = PriceHistory(environment, target, {currency for _, currency, _ in wanted})
        known = history.prices_at((currency, day_end(day)) for _, currency, day in wanted)
        prices = {one: known[one[1], day_end(one[2])] for one in wanted}
        found |= {one: price for one, price in prices.items() if price is not None}
    return found


def day_end(day: date) -> int:
    return to_ms(datetime.combine(day + timedelta(days=1), time(), UTC))
