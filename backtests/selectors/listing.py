"""The list of runs, sorted by any of its columns and paged by key."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F, Field, Q, QuerySet

from backtests.models import BacktestRun
from backtests.selectors.runs import PAGE, RowsPage, read_cursor
from core.errors import Invalid
from core.fields import did_you_mean

SORTS = {
    "created": "id",
    "strategy": "strategy",
    "status": "status",
    "return": "total_return",
    "sharpe": "sharpe",
    "drawdown": "max_drawdown",
    "trades": "trades",
}
"""What the list sorts by, and its column. Equal ones come newest first; runs without the figure come last either way."""


def runs_sorted(rows: QuerySet[BacktestRun], *, sort: str = "-created", cursor: str = "", limit: int = PAGE) -> RowsPage:
    """A page of `rows`. `sort` is a name of `SORTS`, with a minus for falling; `cursor` is the `next` of the page before."""
    falling, name = sort.startswith("-"), sort.removeprefix("-")
    if name not in SORTS:
        raise Invalid.at("sort", f"must be one of {', '.join(SORTS)}, with a minus for falling.{did_you_mean(name, SORTS)}")
    column = SORTS[name]
    if cursor:
        rows = rows.filter(rows_after(column, falling, *split_cursor(column, cursor)))
    order = F(column).desc(nulls_last=True) if falling else F(column).asc(nulls_last=True)
    page = list(rows.order_by(order, "-id")[: limit + 1])
    return RowsPage(page[:limit], cursor_of(page[limit - 1], column) if len(page) > limit else None)


def cursor_of(run: BacktestRun, column: str) -> str:
    value = getattr(run, column)
    return f"{'' if value is None else value}~{run.pk}"


def split_cursor(column: str, cursor: str) -> tuple[Any, int]:
    """The value and the id in a cursor."""
    text, _, last = cursor.rpartition("~")
    try:
        field = BacktestRun._meta.get_field(column)
        assert isinstance(field, Field)
        value = field.to_python(text) if text else None
    except ValidationError:
        raise Invalid.at("cursor", "is not a cursor. Take it from the `next` of the page before.") from None
    return value, read_cursor(last, "cursor")


def rows_after(column: str, falling: bool, value: Any, last: int) -> Q:
    """What comes behind the row with this value and id."""
    if column == "id":
        return Q(id__lt=last) if falling else Q(id__gt=last)
    if value is None:
        return Q(**{f"{column}__isnull": True}, id__lt=last)
    beyond = Q(**{f"{column}__lt" if falling else f"{column}__gt": value})
    return beyond | Q(**{column: value}, id__lt=last) | Q(**{f"{column}__isnull": True})
