"""Profit as a calendar: months of weeks from Monday, each day in a shade of what it earned. Pure."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, sqrt

from trading.portfolio.periods import Period
from trading.portfolio.profit import Earned

SHADES = 5
MOST_MONTHS = 12
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """`inside`: it is a day of the period. `shade`: the name of its ground, empty where nothing was earned."""

    day: date
    inside: bool
    earned: Earned | None = None
    shade: str = ""


@dataclass(frozen=True, slots=True)
class CalendarMonth:
    """`weeks` have seven days each, None outside the month."""

    first: date
    weeks: Sequence[Sequence[CalendarDay | None]]
    total: Earned | None


def list_calendar(period: Period, days: Sequence[Earned], months: Sequence[Earned]) -> list[CalendarMonth]:
    """The last months of the period that have a day of `days`, and those between, the newest first; at most a year of them. All in
    one currency."""
    earned = {one.key: one for one in days}
    if not earned:
        return []
    totals = {one.key: one for one in months}
    most = max(abs(float(one.realised)) for one in days)
    oldest, month = date.fromisoformat(min(earned)).replace(day=1), period.last.replace(day=1)
    found: list[CalendarMonth] = []
    while month >= oldest and len(found) < MOST_MONTHS:
        found.append(CalendarMonth(month, list_weeks(month, period, earned, most), totals.get(f"{month:%Y-%m}")))
        month = month_before(month)
    return found


def month_before(month: date) -> date:
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


def list_weeks(month: date, period: Period, earned: Mapping[str, Earned], most: float) -> list[list[CalendarDay | None]]:
    weeks = calendar.Calendar().monthdatescalendar(month.year, month.month)
    return [[make_day(day, period, earned, most) if day.month == month.month else None for day in week] for week in weeks]


def make_day(day: date, period: Period, earned: Mapping[str, Earned], most: float) -> CalendarDay:
    found = earned.get(day.isoformat())
    return CalendarDay(day, period.first <= day <= period.last, found, shade_day(found, most) if found else "")


def shade_day(one: Earned, most: float) -> str:
    """Five shades of gain and of loss. By the root of what was earned, so that one great day leaves the others a shade."""
    if not one.realised:
        return ""
    return f"{'gain' if one.realised > 0 else 'loss'}-{max(1, ceil(SHADES * sqrt(abs(float(one.realised)) / most)))}"
