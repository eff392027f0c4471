"""The span that figures are asked for: a word, or two days. Days are UTC, both included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from core.fields import Fields

LENGTHS = {"7d": 7, "30d": 30, "90d": 90, "year": 365}
ALL, CUSTOM = "all", "custom"
NAMES = (*LENGTHS, ALL, CUSTOM)
USUAL = "30d"
EARLIEST = date(2009, 1, 3)
"""Before this day there was nothing to trade."""


@dataclass(frozen=True, slots=True)
class Period:
    """`name` is one of NAMES."""

    name: str
    first: date
    last: date

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first, time(), UTC)

    @property
    def end(self) -> datetime:
        """The first moment that is not in it."""
        return datetime.combine(self.last + timedelta(days=1), time(), UTC)

    @property
    def named_first(self) -> date | None:
        """The first day, where somebody means one."""
        return None if self.first == EARLIEST else self.first

    @property
    def query(self) -> dict[str, str]:
        """What an address has to say to ask for it again."""
        if self.name != CUSTOM:
            return {"period": self.name}
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}


def read_period(form: Fields, today: date) -> Period:
    """`period`, or `from` and `to`, of which one may be left out. Faults are those of the form."""
    name = form.choice("period", "", NAMES) if form.take("period") else ""
    first, last = read_day(form, "from"), read_day(form, "to")
    if first or last:
        if name not in ("", CUSTOM):
            form.fault("period", "cannot be asked for together with from and to: leave one of them out.")
        return make_custom(form, first or EARLIEST, last or today, today)
    if name == CUSTOM:
        form.fault("from", "is missing: a custom period has from, to, or both.")
    return make_period(name if name not in ("", CUSTOM) else USUAL, today)


def make_period(name: str, today: date) -> Period:
    return Period(name, EARLIEST if name == ALL else today - timedelta(days=LENGTHS[name] - 1), today)


def make_custom(form: Fields, first: date, last: date, today: date) -> Period:
    """From `EARLIEST` up to today at most."""
    if first > last:
        form.fault("to", f"must not be before from, which is {first:%Y-%m-%d}.")
    if first > today:
        form.fault("from", f"must not be after today, which is {today:%Y-%m-%d}.")
    return Period(CUSTOM, max(first, EARLIEST), min(last, today))


def read_day(form: Fields, name: str) -> date | None:
    moment = form.moment(name)
    return moment.date() if moment else None
