"""What a page's view is given."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class PageRequest(HttpRequest):
    """A request with `htmx` from django-htmx's middleware: truthy where a fragment is asked for."""

    htmx: HtmxDetails
