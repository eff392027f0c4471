"""Lists page by key: the cursor is the last row's key, so that page one thousand costs no more than page one."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest

from core.errors import Invalid

M = TypeVar("M", bound=models.Model)
MOST = 1000
CURSOR_NUMBER = re.compile("[0-9]{1,18}")
"""A cursor of rows that a number orders."""


def read_page(
    queryset: models.QuerySet[M], *, key: str = "-id", cursor: str | None = None, limit: int = 100
) -> tuple[list[M], str | None]:
    """Up to `limit` rows after the one that `cursor` names, and the cursor of the next page, which is None on the last page.

    `key` is a unique, indexed field of the rows that orders them, with a minus for falling. Raises `Invalid` at `cursor` or
    `limit`.
    """
    if not 1 <= limit <= MOST:
        raise Invalid.at("limit", f"Ask for 1 to {MOST:,} rows at a time.")
    name = key.removeprefix("-")
    if cursor:
        queryset = queryset.filter(**{f"{name}__{'lt' if key.startswith('-') else 'gt'}": _parse_cursor(queryset, name, cursor)})
    rows = list(queryset.order_by(key)[: limit + 1])
    if len(rows) <= limit:
        return rows, None
    last = getattr(rows[limit - 1], name)
    return rows[:limit], last.isoformat() if isinstance(last, datetime) else str(last)


def next_url(request: HttpRequest, cursor: str | None) -> str | None:
    """The address of the next page: that of this request, with the cursor changed."""
    if cursor is None:
        return None
    query = request.GET.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def _parse_cursor(queryset: models.QuerySet[M], name: str, cursor: str) -> object:
    field = queryset.model._meta.get_field(name)
    assert isinstance(field, models.Field), f"{name} orders no rows"
    try:
        if isinstance(field, models.IntegerField) and not CURSOR_NUMBER.fullmatch(cursor):
            raise ValidationError("It is no number as we write them.")
        value = field.to_python(cursor)
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValidationError("It is no moment as we write them.")
        field.run_validators(value)
    except ValidationError:
        raise Invalid.at("cursor", "This cursor is not one of ours. Start again from the first page.") from None
    return value
