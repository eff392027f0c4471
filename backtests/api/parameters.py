"""Query parameters, read with the same words of refusal as everything else."""

from __future__ import annotations

from datetime import datetime

from rest_framework.request import Request

from core.fields import Fields


def read_words(request: Request, *names: str) -> dict[str, str]:
    """Text parameters by name, empty where absent."""
    form = Fields(request.query_params.dict())
    found = {name: form.text(name) for name in names}
    form.refuse("A query parameter cannot be used.")
    return found


def read_number(request: Request, name: str, default: int, *, high: int = 5_000) -> int:
    form = Fields(request.query_params.dict())
    found = form.integer(name, default, low=1, high=high)
    form.refuse("A query parameter cannot be used.")
    return found


def read_moments(request: Request, *names: str) -> dict[str, datetime | None]:
    form = Fields(request.query_params.dict())
    found = {name: form.moment(name) for name in names}
    form.refuse("A query parameter cannot be used.")
    return found
