"""Filters that lists of what happened have in common. They run in the database, and pages go by key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

from core.errors import Invalid
from core.fields import did_you_mean
from core.symbols import symbol_normalise

M = TypeVar("M", bound=Model)
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Filter:
    """Empty: all. `bot` is a bot_id, `since` our own time of recording, inclusive."""

    symbol: str = ""
    bot: str = ""
    run_id: str = ""
    reason: str = ""
    mode: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class PageOf(Generic[M]):
    """`rows`, newest first, and the cursor of the page after them; None at the end."""

    rows: list[M]
    next: str | None


def filter_rows(rows: QuerySet[M], wanted: Filter, **columns: str) -> QuerySet[M]:
    """`rows` that pass. `columns` says where each filter is looked up; one that is not named there is not for these rows."""
    values = {
        "symbol": symbol_normalise(wanted.symbol) if wanted.symbol else "",
        "bot": wanted.bot,
        "run_id": wanted.run_id,
        "reason": wanted.reason,
        "mode": wanted.mode,
        "since": wanted.since,
    }
    return rows.filter(**{columns[name]: value for name, value in values.items() if value and name in columns})


def one_of(name: str, value: str, known: Sequence[str]) -> str:
    """`value`, if it is empty or known; `Invalid` at `name` otherwise."""
    if not value or value in known:
        return value
    raise Invalid.at(name, f"must be one of {', '.join(known)}; got {value[:40]!r}.{did_you_mean(value, known)}")
