"""The calendar of profit: every day in its week, in a shade of what it earned."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as some

from trading.portfolio.calendar import MOST_MONTHS, CalendarMonth, list_calendar
from trading.portfolio.periods import Period
from trading.portfolio.profit import Earned, sum_months


def earned(day: date, realised: str) -> Earned:
    return Earned(day.isoformat(), day.isoformat(), "USD", sales=1, realised=Decimal(realised))


def draw(first: date, last: date, days: list[Earned]) -> list[CalendarMonth]:
    return list_calendar(Period("custom", first, last), days, sum_months(days))


def test_weeks_begin_on_monday_and_shades_follow_the_root() -> None:
    days = [
        earned(date(2026, 3, 2), "100"),
        earned(date(2026, 3, 3), "-1"),
        earned(date(2026, 3, 4), "0"),
        earned(date(2026, 4, 1), "25"),
    ]
    april, march = draw(date(2026, 3, 2), date(2026, 4, 30), days)
    assert (april.first, march.first) == (date(2026, 4, 1), date(2026, 3, 1))
    assert [one and one.day.day for one in march.weeks[0]] == [None] * 6 + [1]
    monday, tuesday, wednesday, *_ = march.weeks[1]
    assert [one.shade for one in (monday, tuesday, wednesday) if one] == ["gain-5", "loss-1", ""]
    assert april.weeks[0][2] is not None
    assert april.weeks[0][2].shade == "gain-3"
    assert (march.total and march.total.realised, march.weeks[0][6] and march.weeks[0][6].inside) == (Decimal(99), False)


def test_at_most_a_year_is_drawn_and_nothing_of_nothing() -> None:
    days = [earned(date(2024, 1, 1), "1"), earned(date(2026, 3, 1), "1")]
    found = draw(date(2024, 1, 1), date(2026, 3, 15), days)
    assert (len(found), found[0].first, found[-1].first) == (MOST_MONTHS, date(2026, 3, 1), date(2025, 4, 1))
    assert draw(date(2024, 1, 1), date(2026, 3, 15), []) == []


@given(some.dates(date(2020, 1, 1), date(2030, 1, 1)), some.lists(some.integers(-1000, 1000), min_size=1, max_size=300))
def test_each_day_stands_once_in_its_month(first: date, made: list[int]) -> None:
    days = [earned(first + timedelta(days=number), str(value)) for number, value in enumerate(made)]
    months = draw(first, first + timedelta(days=len(made) - 1), days)
    inside = [one for month in months for week in month.weeks for one in week if one and one.inside]
    assert sorted(one.day for one in inside) == [first + timedelta(days=number) for number in range(len(made))]
    assert all(len(week) == 7 for month in months for week in month.weeks)
    assert sum(month.total.realised for month in months if month.total) == sum(made)
    assert all(bool(one.shade) == bool(one.earned and one.earned.realised) for one in inside)
