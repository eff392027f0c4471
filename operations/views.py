"""The front door and the search."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static

from access.requests import PageRequest
from backtests.models import BacktestRun
from market.models import CandleSeries
from operations.state import desk_state

SEARCH_SHOWS = 6


def home(request: PageRequest) -> HttpResponse:
    """The overview: what runs, what there is, and the next step for someone new."""
    template = "desk/_state.html" if request.htmx else "desk/overview.html"
    return render(request, template, desk_state())


def search(request: PageRequest) -> HttpResponse:
    """Runs by id, name, strategy or symbol, and candle series by symbol or venue."""
    query = request.GET.get("q", "").strip()[:100].replace("\x00", "")
    context = {"query": query, "runs": found_runs(query) if query else [], "series": found_series(query) if query else []}
    return render(request, "desk/_search.html" if request.htmx else "desk/search.html", context)


def found_runs(query: str) -> list[BacktestRun]:
    symbol = query.replace("/", "-").replace("_", "-")
    matches = Q(run_id__istartswith=query) | Q(name__icontains=query) | Q(strategy__icontains=query) | Q(symbols__icontains=symbol)
    return list(BacktestRun.objects.filter(matches).defer("config", "results").order_by("-id")[:SEARCH_SHOWS])


def found_series(query: str) -> list[CandleSeries]:
    series = CandleSeries.objects.select_related("instrument")
    for word in query.replace("/", "-").replace("_", "-").split():
        series = series.filter(
            Q(instrument__symbol__icontains=word) | Q(instrument__venue__icontains=word) | Q(interval__iexact=word)
        )
    return list(series[:SEARCH_SHOWS])


def show_icon(request: HttpRequest) -> HttpResponse:
    """The icon of what is no page and cannot name its own: browsers ask for it at this address."""
    return redirect(static("img/mark.svg"))


@login_required
def api_docs(request: HttpRequest) -> HttpResponse:
    """The API's documentation. Swagger UI draws it from the OpenAPI document, by files of our own alone."""
    return render(request, "desk/api_docs.html")
