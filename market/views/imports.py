"""Imports of candles: the form, how far one is, its report, and all of them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from access.requests import PageRequest
from access.rights import has_right, require_right
from core import paging
from core.errors import Conflict, Invalid
from market import import_jobs, selectors
from market.forms import ImportForm, guess_series
from market.models import CandleImport
from market.services import IMPORT_RIGHT
from market.tasks import import_start

PAGE = 50
SHOWN_PROBLEMS = 200
MOST_GAPS = 1_000


def import_new(request: PageRequest) -> HttpResponse:
    """The form. A file that is taken is answered with how far its import is, until that is over, and then with its report."""
    require_right(request.user, IMPORT_RIGHT)
    if request.method == "GET" and request.htmx and "filename" in request.GET:
        return JsonResponse(guess_series(request.GET["filename"]))
    form = ImportForm(request.POST or None, request.FILES or None, initial=request.GET.dict())
    if request.method == "POST" and form.is_valid():
        queued = import_upload(request, form)
        if queued is not None:
            return import_taken(request, queued)
    template = "market/_import_form.html" if request.htmx else "market/import.html"
    status = 422 if request.method == "POST" else 200
    most = {"most_bytes": settings.IMPORT_MAX_BYTES, "most_rows": settings.IMPORT_MAX_ROWS}
    context = {"form": form, "recent": selectors.list_imports()[:8], **most}
    return render(request, template, context, status=status)


def import_upload(request: PageRequest, form: ImportForm) -> CandleImport | None:
    given = form.cleaned_data
    try:
        queued = import_jobs.import_queue(**given, filename=given["file"].name or "", user=request.user)
    except (Invalid, Conflict) as error:
        form.add_error(None, str(error)) if not error.fields else None
        for field, texts in error.fields.items():
            form.add_error(field if field in form.fields else None, list(texts))
        return None
    import_start(queued)
    return queued


def import_taken(request: PageRequest, queued: CandleImport) -> HttpResponse:
    if not request.htmx:
        return redirect("market:import_detail", queued.pk)
    answer = import_part(request, queued, beside_form=True)
    answer.headers["HX-Retarget"] = "#report"
    answer.headers["HX-Reswap"] = "innerHTML show:top"
    return answer


def import_part(request: PageRequest, found: CandleImport, *, beside_form: bool = False) -> HttpResponse:
    """The part of a page that says how far it is, which asks for itself again, or what came of it. Beside the form, the same file
    can be sent again without its bad rows."""
    again = {"again": beside_form or "form" in request.GET}
    return render(request, "market/_report.html", report_context(request, found) | again)


def report_context(request: PageRequest, found: CandleImport) -> dict[str, Any]:
    gaps: list[Any] = []
    if found.series and found.first and found.last:
        gaps = list(selectors.series_gaps(found.series).filter(first__gte=found.first, last__lte=found.last)[:MOST_GAPS])
    return {
        "item": found,
        "share": round(100 * selectors.read_share(found)),
        "gaps": gaps,
        "problems": found.problems[:SHOWN_PROBLEMS],
        "more_problems": max(0, found.problem_count - SHOWN_PROBLEMS),
        "may_import": has_right(request.user, IMPORT_RIGHT),
    }


@require_GET
def import_list(request: PageRequest) -> HttpResponse:
    """The history of imports, newest first; `cursor` continues."""
    page, cursor = paging.read_page(selectors.list_imports(), cursor=request.GET.get("cursor"), limit=PAGE)
    template = "market/_import_rows.html" if request.htmx else "market/imports.html"
    return render(request, template, {"imports": page, "cursor": cursor})


@require_GET
def import_detail(request: PageRequest, pk: int) -> HttpResponse:
    found = selectors.import_get(import_id=pk)
    if request.htmx:
        return import_part(request, found)
    return render(request, "market/import_detail.html", report_context(request, found))


@require_POST
def import_cancel(request: PageRequest, pk: int) -> HttpResponse:
    found = import_jobs.import_cancel(import_id=pk, user=request.user)
    return import_part(request, found) if request.htmx else redirect("market:import_detail", pk)
