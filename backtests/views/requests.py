"""Which part of a page htmx asks for."""

from __future__ import annotations

from access.requests import PageRequest


def part_of(request: PageRequest) -> str:
    """The part of the page that htmx asks for; empty for all of it."""
    return request.GET.get("part", "") if request.htmx else ""
