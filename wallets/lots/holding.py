"""How long something was held, and in which tax year that ended: by the days of one time zone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from wallets.lots.moments import from_microseconds
from wallets.lots.reading import begin_day
from wallets.models import CostRule

LONG, SHORT = "long", "short"


@dataclass(frozen=True, slots=True)
class TaxYear:
    """A calendar year of a time zone; from `start` up to, not including, `end`."""

    year: int
    zone: ZoneInfo
    start: int
    end: int


def find_tax_year(year: int, rules: Iterable[CostRule]) -> TaxYear:
    """In the time zone of the rule that held when it began, or else of the first one; UTC where there is none."""
    ordered = sorted(rules, key=lambda rule: rule.since)
    begun = [rule for rule in ordered if rule.since <= date(year, 1, 1)]
    zone = next((rule.time_zone for rule in (*begun[-1:], *ordered)), "UTC")
    return TaxYear(year, ZoneInfo(zone), begin_day(date(year, 1, 1), zone), begin_day(date(year + 1, 1, 1), zone))


def find_day(ts: int, zone: ZoneInfo) -> date:
    return from_microseconds(ts).astimezone(zone).date()


def name_term(acquired: date, disposed: date) -> str:
    """Long: held for more than a year, which is counted from the day after the acquisition (United States, 26 U.S.C. 1222)."""
    begun = acquired + timedelta(days=1)
    try:
        anniversary = begun.replace(year=begun.year + 1)
    except ValueError:
        anniversary = date(begun.year + 1, 3, 1)
    return LONG if disposed >= anniversary else SHORT
