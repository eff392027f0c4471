"""What the view of a page gets, and how it answers with parts of the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django_htmx.middleware import HtmxDetails

from access.scopes import scopes_of

Part = tuple[str, Callable[[], Mapping[str, Any]]]
"""A part's template, and what it is drawn with."""


class PageRequest(HttpRequest):
    """A request with `htmx` from django-htmx's middleware: truthy where a fragment is asked for."""

    htmx: HtmxDetails


def may_trade(request: HttpRequest) -> None:
    """Raises `PermissionDenied` for someone who may only look. What in particular somebody may do is asked by the services."""
    if "trade" not in scopes_of(request.user):
        raise PermissionDenied


def parts_asked(request: PageRequest) -> list[str]:
    """The parts of the page that its script asks for; empty for the whole page."""
    return [name for name in request.GET.get("part", "").split(",") if name] if request.htmx else []


def parts_answer(request: PageRequest, parts: Mapping[str, Part]) -> HttpResponse:
    """The parts that are asked for, one after the other. Unknown ones are left out."""
    asked = [parts[name] for name in dict.fromkeys(parts_asked(request)) if name in parts]
    return HttpResponse("".join(render_to_string(template, dict(context()), request) for template, context in asked))
