"""A new run: the form, its check while it is filled in, and the start."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from access.requests import PageRequest, may_trade
from backtests import data, selectors, services
from backtests.views.actions import RUN_PAGES, start_from_form
from backtests.views.requests import part_of
from core.errors import Invalid, NotFound
from core.times import from_ms, to_ms
from engine.grid import can_make, find_close
from engine.strategies import registry
from engine.types import INTERVALS
from market.models import CandleSeries
from trading.setup.config import RunConfig
from trading.setup.forms import ConfigForm

PREFILLED = ("strategy", "venue", "interval", "start", "end", "name")


@require_http_methods(["GET", "POST"])
def run_new(request: PageRequest) -> HttpResponse:
    """GET: the form, empty, prefilled by the query, or with the configuration of the run in `clone`; `part=strategy` answers the
    strategy's own part alone. POST: starts the run; `part=check` only says what would run."""
    may_trade(request)
    if request.method == "POST":
        form = ConfigForm.of_post(request.POST)
        if request.POST.get("part") == "check":
            return check_form(request, form)
        return start_from_form(request, RUN_PAGES, form, lambda: form_context(form, stored_series()), cloned_from=source_run(form))
    if part_of(request) == "strategy":
        return render(request, "setup/_strategy.html", {"form": ConfigForm({"strategy": request.GET.get("strategy", "")}, [])})
    series = stored_series()
    return render(request, "backtests/new.html", form_context(first_form(request, series), series))


def stored_series() -> list[CandleSeries]:
    return list(CandleSeries.objects.select_related("instrument").order_by("instrument__venue", "instrument__symbol"))


def first_form(request: PageRequest, series: list[CandleSeries]) -> ConfigForm:
    """Of the cloned run, or of the query with the longest series that fits it."""
    if clone := request.GET.get("clone"):
        run = selectors.run_get(clone)
        return ConfigForm.of_config({**run.config, "name": run.name}, cloned_from=run.run_id)
    given: dict[str, Any] = {name: value for name in PREFILLED if (value := request.GET.get(name, "").strip()[:64])}
    symbol = request.GET.get("symbol", "").strip()[:64]
    fitting = [
        one
        for one in series
        if given.get("venue", one.instrument.venue) == one.instrument.venue and symbol in ("", one.instrument.symbol)
    ]
    if fitting:
        best = max(fitting, key=lambda one: (one.interval == given.get("interval"), one.last - one.first))
        given = {"venue": best.instrument.venue, "interval": best.interval} | given
        symbol = best.instrument.symbol
    return ConfigForm.of_config({"strategy": "sma_cross", **given, "symbols": [symbol] if symbol else []})


def form_context(form: ConfigForm, series: list[CandleSeries], action: str = "") -> dict[str, Any]:
    """What the form of a run is drawn with, or that of a sweep, which is sent to another address."""
    address = action or reverse("backtests:new")
    return {
        "form": form,
        "action": address,
        "strategy_action": address,
        "strategies": registry.list_strategies(),
        "markets": market_choices(form, series),
        "series": [describe_series(one) for one in series],
        "source": source_run(form),
    }


def market_choices(form: ConfigForm, series: list[CandleSeries]) -> dict[str, Any]:
    """The symbols of each venue with what there is of them."""
    found: dict[tuple[str, str], list[CandleSeries]] = defaultdict(list)
    for one in series:
        found[one.instrument.venue, one.instrument.symbol].append(one)
    symbols = [
        {"venue": venue, "symbol": symbol, "series": held, "ticked": venue == form.venue and symbol in form.symbols}
        for (venue, symbol), held in found.items()
    ]
    return {"venues": sorted({venue for venue, _ in found}), "symbols": symbols}


def describe_series(series: CandleSeries) -> dict[str, Any]:
    return {
        "venue": series.instrument.venue,
        "symbol": series.instrument.symbol,
        "interval": series.interval,
        "first": to_ms(series.first),
        "end": find_close(series.interval, to_ms(series.last)),
        "makes": [interval for interval in INTERVALS if can_make(interval, series.interval)],
    }


def source_run(form: ConfigForm) -> Any:
    """The run that the form was filled from."""
    try:
        return selectors.run_get(form.cloned_from) if form.cloned_from else None
    except NotFound:
        return None


def check_form(request: PageRequest, form: ConfigForm) -> HttpResponse:
    """Draws what would run, or which settings prevent it. Nothing is stored."""
    context: dict[str, Any] = {"form": form}
    try:
        context["plan"] = plan_run(services.run_check(config=form.config()))
    except Invalid as error:
        form.refuse(error)
    return render(request, "backtests/_plan.html", context)


def plan_run(config: RunConfig) -> dict[str, Any]:
    """Candles to simulate, as far as the store's rows tell without opening a file."""
    config, series, _ = data.find_market(config)
    spans = [span_of(config, data.source_series(config, symbol, series)) for symbol in config.symbols]
    return {
        "candles": sum(data.count_between(config.interval, start, end) for start, end in spans),
        "first": from_ms(min(start for start, _ in spans)),
        "end": from_ms(max(end for _, end in spans)),
        "warmup": data.least_candles(config) - data.FEWEST_BEYOND_WARMUP,
        "config": config,
    }


def span_of(config: RunConfig, series: CandleSeries) -> tuple[int, int]:
    first, end = to_ms(series.first), find_close(series.interval, to_ms(series.last))
    return max(first, to_ms(config.start)) if config.start else first, min(end, to_ms(config.end)) if config.end else end
