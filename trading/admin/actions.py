"""Actions on several rows at once. Each goes through the service that pages call, and a refusal does not stop the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest

from core.errors import DomainError


def apply_to_each(
    of: admin.ModelAdmin[Any],
    request: HttpRequest,
    rows: Iterable[Any],
    act: Callable[[Any], Any],
    done: str,
    *,
    noun: str = "",
) -> None:
    """`done` is what is said of those that went well, after their number and the `noun` for one of them: "paused"."""
    count = 0
    for row in rows:
        try:
            act(row)
            count += 1
        except DomainError as error:
            of.message_user(request, f"{row}: {error}", messages.WARNING)
    if count:
        counted = f"{count} {noun if count == 1 else f'{noun}s'}" if noun else str(count)
        of.message_user(request, f"{counted} {done}.", messages.SUCCESS)
