"""A page's request: what its person may do, and whether htmx asks for a part of the page."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from access.scopes import scopes_of


class Request(HttpRequest):
    htmx: HtmxDetails


def part_of(request: Request) -> str:
    """The part of the page that htmx asks for; empty for all of it."""
    return request.GET.get("part", "") if request.htmx else ""


def may_trade(request: HttpRequest) -> None:
    """`PermissionDenied` for someone who may only look: the scopes are those that the API asks for."""
    if "trade" not in scopes_of(request.user):
        raise PermissionDenied
