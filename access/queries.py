"""The query of an API request: what lists are asked with, and the same words of refusal everywhere."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from access.openapi import query_parameter
from core.fields import Fields
from core.paging import MOST
from core.shapes import CURSOR, Schema, count_shape

ROWS = 100
"""On a page, where nobody says."""


def page_parameters(*, rows: int = ROWS, most: int = MOST, cursor: Schema = CURSOR) -> list[OpenApiParameter]:
    return [
        query_parameter("limit", f"Rows of a page, at most {most}; {rows} where left out.", count_shape(1, most)),
        query_parameter("cursor", "From `next` of the page before.", cursor),
    ]


PAGE = page_parameters()


def read_query(request: Request) -> Fields:
    return Fields(request.query_params.dict())


def read_page_place(form: Fields, *, rows: int = ROWS, most: int = MOST) -> dict[str, Any]:
    """`limit` and `cursor`. Read them last: any fault of the query is refused here."""
    found = {"limit": form.integer("limit", rows, low=1, high=most), "cursor": form.text("cursor")}
    refuse_query(form)
    return found


def refuse_query(form: Fields) -> None:
    form.refuse("A query parameter cannot be used.")
