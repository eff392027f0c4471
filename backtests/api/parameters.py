"""Query parameters, read with the same words of refusal as everything else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from access.openapi import query_parameter
from access.queries import read_query, refuse_query
from backtests.models import Status
from core.shapes import CURSOR, asked_text, choice_shape, count_shape

CURSOR_PARAMETER = query_parameter("cursor", "From the `next` of the page before.", CURSOR)
STATUS = query_parameter("status", "Only these.", choice_shape(Status.values))
STRATEGY = query_parameter("strategy", "Only of this strategy.", asked_text())


def limit_parameter(default: int, most: int) -> OpenApiParameter:
    return query_parameter("limit", f"Rows on a page; {default} where left out.", count_shape(1, most))


def sort_parameter(columns: Sequence[str], description: str) -> OpenApiParameter:
    return query_parameter("sort", description, choice_shape([*columns, *(f"-{name}" for name in columns)]))


def read_words(request: Request, *names: str) -> dict[str, str]:
    """Text parameters by name, empty where absent."""
    form = read_query(request)
    found = {name: form.text(name) for name in names}
    refuse_query(form)
    return found


def read_number(request: Request, name: str, default: int, *, high: int = 5_000) -> int:
    form = read_query(request)
    found = form.integer(name, default, low=1, high=high)
    refuse_query(form)
    return found


def read_moments(request: Request, *names: str) -> dict[str, datetime | None]:
    form = read_query(request)
    found = {name: form.moment(name) for name in names}
    refuse_query(form)
    return found
