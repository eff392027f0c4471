"""The live page: the state of the desk at a glance, each part of it drawn alone when a push says that it has changed."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from access.requests import PageRequest, parts_answer, parts_asked
from trading.parts import LIVE_PARTS
from trading.views.requests import parts_context


@require_GET
def live_page(request: PageRequest) -> HttpResponse:
    """The page; for its script the parts in `part`, with commas between."""
    if parts_asked(request):
        return parts_answer(request, LIVE_PARTS)
    return render(request, "trading/live.html", parts_context(LIVE_PARTS))
