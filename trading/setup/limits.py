"""A bot's risk limits and schedule: one reader from untrusted input, one canonical form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from core.fields import Fields
from engine.risk import RiskLimits

MOST = Decimal(10) ** 12
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOCK = re.compile("([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?")
PEGGED = frozenset({"USD", "USDT", "USDC", "FDUSD", "TUSD", "BUSD", "DAI"})
"""Counted one for one in risk budgets, and nowhere else."""


@dataclass(frozen=True, slots=True)
class BotLimits:
    """`budget`: the most that may be at risk at once, in quote; None: all of its equity."""

    budget: Decimal | None
    checks: RiskLimits

    def to_json(self) -> dict[str, Any]:
        given = self.checks
        return {
            "budget": optional_text(self.budget),
            "daily_loss": optional_text(given.daily_loss),
            "symbol_exposure": optional_text(given.symbol_exposure),
            "open_orders": given.open_orders,
            "orders_per_minute": given.orders_per_minute,
            "price_band": float(given.price_band),
            "price_age": given.price_age,
        }


def parse_limits(raw: Any) -> BotLimits:
    """`Invalid` at each field that cannot be used."""
    form = Fields({} if raw is None else raw)
    limits = read_limits(form)
    form.refuse("The limits have fields that cannot be used.")
    return limits


def read_limits(form: Fields) -> BotLimits:
    limits = BotLimits(
        budget=read_optional(form, "budget"),
        checks=RiskLimits(
            daily_loss=read_optional(form, "daily_loss"),
            symbol_exposure=read_optional(form, "symbol_exposure"),
            open_orders=form.integer("open_orders", 100, low=1, high=1_000),
            orders_per_minute=form.integer("orders_per_minute", 60, low=1, high=6_000),
            price_band=form.decimal("price_band", Decimal("0.1"), high=1, above_low=True),
            price_age=float(form.decimal("price_age", 30, low=1, high=86_400)),
        ),
    )
    form.close()
    return limits


def read_optional(form: Fields, name: str) -> Decimal | None:
    value = form.decimal(name, MOST, high=MOST, above_low=True)
    return None if form.take(name) is None else value


def optional_text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When entries are allowed, in UTC; exits always are. `start` after `end` spans midnight."""

    days: frozenset[int]
    start: time | None
    end: time | None

    def allows(self, moment: datetime) -> bool:
        if moment.weekday() not in self.days:
            return False
        if self.start is None or self.end is None:
            return True
        now = moment.time()
        return self.start <= now < self.end if self.start < self.end else now >= self.start or now < self.end

    def to_json(self) -> dict[str, Any]:
        if self == ALWAYS:
            return {}
        return {"days": [DAYS[day] for day in sorted(self.days)], "from": clock_text(self.start), "to": clock_text(self.end)}


ALWAYS = Schedule(frozenset(range(7)), None, None)


def parse_schedule(raw: Any) -> Schedule:
    """{"days": ["mon", ...], "from": "08:00", "to": "20:00"}, all optional. `Invalid` at what cannot be used."""
    form = Fields({} if raw is None else raw)
    schedule = read_schedule(form)
    form.refuse("The schedule has fields that cannot be used.")
    return schedule


def read_schedule(form: Fields) -> Schedule:
    named = form.take("days")
    days = frozenset(range(7))
    if named is not None:
        if not isinstance(named, list) or not named or not all(day in DAYS for day in named):
            form.fault("days", f"must be a list of {', '.join(DAYS)}.")
        else:
            days = frozenset(DAYS.index(day) for day in named)
    start, end = read_clock(form, "from"), read_clock(form, "to")
    if (start is None) != (end is None) or (start is not None and start == end):
        form.fault("to", "give from and to together, and not the same.")
    form.close()
    return Schedule(days, start, end)


def read_clock(form: Fields, name: str) -> time | None:
    given = form.take(name)
    if given is None:
        return None
    if isinstance(given, str) and CLOCK.fullmatch(given):
        return time.fromisoformat(given)
    form.fault(name, "must be a time of day in UTC, such as 08:00.")
    return None


def clock_text(moment: time | None) -> str | None:
    return moment.strftime("%H:%M") if moment else None


def risk_currency(quote: str) -> str:
    """The currency in which a quote's risk is counted."""
    return "USD" if quote in PEGGED else quote
