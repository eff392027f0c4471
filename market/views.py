"""Market data pages: series, coverage and gaps, the chart's candles, imports."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from market.coverage import coverage
from market.forms import ImportForm, guess
from market.models import CandleGap, CandleImport, CandleSeries
from market.window import window
from trading.engine.errors import Invalid
from trading.engine.types import INTERVALS

PAGE = 50
SHOWN_PROBLEMS = 200


@require_GET
def series_list(request: HttpRequest) -> HttpResponse:
    """All series, by venue, symbol and interval; `q` filters, `after` (a series' id) continues."""
    query = request.GET.get("q", "").strip()[:64].replace("\x00", "")
    found = matching(CandleSeries.objects.select_related("instrument"), query)
    page = list(after_series(found, request.GET.get("after", ""))[: PAGE + 1])
    shown = page[:PAGE]
    months = coverage(shown)
    context: dict[str, Any] = {
        "query": query,
        "rows": [(series, months[series.pk]) for series in shown],
        "after": shown[-1].pk if len(page) > PAGE else None,
        "totals": found.aggregate(candles=Sum("count"), missing=Sum("missing"), bytes=Sum("bytes")) | {"series": found.count()},
    }
    part = request.GET.get("part") if request.htmx else None
    template = {"rows": "market/_series_rows.html", "table": "market/_series_table.html"}.get(part or "", "market/list.html")
    return render(request, template, context)


def matching(series: QuerySet[CandleSeries], query: str) -> QuerySet[CandleSeries]:
    for word in query.replace("/", "-").replace("_", "-").split():
        series = series.filter(
            Q(instrument__symbol__icontains=word) | Q(instrument__venue__icontains=word) | Q(interval__iexact=word)
        )
    return series.order_by("instrument__venue", "instrument__symbol", "interval")


def after_series(series: QuerySet[CandleSeries], after: str) -> QuerySet[CandleSeries]:
    last = CandleSeries.objects.select_related("instrument").filter(pk=after).first() if after.isascii() and after.isdigit() else None
    if last is None:
        return series
    venue, symbol = last.instrument.venue, last.instrument.symbol
    return series.filter(
        Q(instrument__venue__gt=venue)
        | Q(instrument__venue=venue, instrument__symbol__gt=symbol)
        | Q(instrument__venue=venue, instrument__symbol=symbol, interval__gt=last.interval)
    )


@require_GET
def series_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One series: chart, coverage, gaps, imports. `part=gaps&after=id` continues the gaps."""
    series = get_object_or_404(CandleSeries.objects.select_related("instrument"), pk=pk)
    page = list(series.gaps.filter(pk__gt=number(request.GET.get("after"))).order_by("pk")[: PAGE + 1])
    context: dict[str, Any] = {"series": series, "gaps": page[:PAGE], "after": page[PAGE - 1].pk if len(page) > PAGE else None}
    if request.htmx and request.GET.get("part") == "gaps":
        return render(request, "market/_gap_rows.html", context)
    context |= {
        "months": coverage([series])[series.pk],
        "imports": series.imports.defer("problems").order_by("-id")[:10],
        "chunks": series.chunks.count(),
        "gap_count": CandleGap.objects.filter(series=series).count(),
        "intervals": [name for name, length in INTERVALS.items() if length >= INTERVALS[series.interval]],
        "expected": series.count + series.missing,
    }
    return render(request, "market/detail.html", context)


@require_GET
def series_candles(request: HttpRequest, pk: int) -> JsonResponse:
    """A window of candles for the chart: at most `limit` that open before `end`, or from `start` on, in `interval`."""
    series = get_object_or_404(CandleSeries.objects.select_related("instrument"), pk=pk)
    given = request.GET
    found = window(series, given.get("interval") or series.interval, given.get("start"), given.get("end"), given.get("limit"))
    return JsonResponse(found)


@require_POST
@permission_required("market.delete_candleseries", raise_exception=True)
def series_delete(request: HttpRequest, pk: int) -> HttpResponse:
    series = get_object_or_404(CandleSeries.objects.select_related("instrument"), pk=pk)
    name, count = str(series), series.count
    from market import services

    services.series_delete(series_id=series.pk)
    messages.success(request, f"{name} is deleted: {count:,} candles and their files.")
    return redirect("market:list")


@permission_required("market.add_candleimport", raise_exception=True)
def import_new(request: HttpRequest) -> HttpResponse:
    """The form; a file that was read (or refused row by row) answers with its report."""
    if request.method == "GET" and request.htmx and "filename" in request.GET:
        return JsonResponse(guess(request.GET["filename"]))
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        found = imported(request, form)
        if found is not None:
            return report(request, found)
    template = "market/_import_form.html" if request.htmx else "market/import.html"
    status = 422 if request.method == "POST" else 200
    recent = CandleImport.objects.defer("problems").select_related("series").order_by("-id")[:8]
    return render(request, template, {"form": form, "recent": recent}, status=status)


def imported(request: HttpRequest, form: ImportForm) -> CandleImport | None:
    given = form.cleaned_data
    from market import services

    try:
        return services.candles_import(**given, filename=given["file"].name or "", user=request.user)
    except Invalid as error:
        form.add_error(None, str(error)) if not error.fields else None
        for field, texts in error.fields.items():
            form.add_error(field if field in form.fields else None, list(texts))
    return None


def report(request: HttpRequest, found: CandleImport) -> HttpResponse:
    if not request.htmx:
        return redirect("market:import_detail", found.pk)
    answer = render(request, "market/_report.html", report_context(found))
    answer.headers["HX-Retarget"] = "#report"
    answer.headers["HX-Reswap"] = "innerHTML show:top"
    return answer


def report_context(found: CandleImport) -> dict[str, Any]:
    return {"item": found, "problems": found.problems[:SHOWN_PROBLEMS], "more_problems": max(0, found.problem_count - SHOWN_PROBLEMS)}


@require_GET
def imports(request: HttpRequest) -> HttpResponse:
    """The history of imports, newest first; `before` (an import's id) continues."""
    found = CandleImport.objects.defer("problems").select_related("series__instrument", "created_by").order_by("-id")
    if before := number(request.GET.get("before")):
        found = found.filter(pk__lt=before)
    page = list(found[: PAGE + 1])
    context = {"imports": page[:PAGE], "before": page[PAGE - 1].pk if len(page) > PAGE else None}
    return render(request, "market/_import_rows.html" if request.htmx else "market/imports.html", context)


@require_GET
def import_detail(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(CandleImport.objects.select_related("series__instrument", "created_by"), pk=pk)
    return render(request, "market/import_detail.html", report_context(found))


def number(text: str | None) -> int:
    """A key from an address; 0 for what is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0


