"""What can be done to a run or a sweep from its page, and how a form starts one. Each calls the service that the API calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from access.people import Person
from access.requests import PageRequest, may_trade
from backtests import services, tasks
from backtests.jobs import RUNS, SWEEPS, JobKind
from core.errors import Conflict, Invalid
from trading.setup.forms import ConfigForm


@dataclass(frozen=True, slots=True)
class JobPages:
    """The pages of one kind of job: their names as URLs, templates of the form, and what is said of one that was deleted."""

    kind: JobKind[Any]
    detail: str
    list: str
    form_part: str
    form_page: str
    deleted: str

    def address(self, job: Any) -> str:
        return reverse(self.detail, args=[getattr(job, self.kind.id_field)])


RUN_PAGES = JobPages(
    RUNS,
    detail="backtests:detail",
    list="backtests:list",
    form_part="backtests/_form.html",
    form_page="backtests/new.html",
    deleted="The run {} is deleted, with its trades and equity.",
)
SWEEP_PAGES = JobPages(
    SWEEPS,
    detail="backtests:sweep",
    list="backtests:sweeps",
    form_part="backtests/_sweep_form.html",
    form_page="backtests/sweep_new.html",
    deleted="The sweep {} is deleted, with its trials.",
)


def start_from_form(
    request: PageRequest, pages: JobPages, form: ConfigForm, context: Callable[[], Mapping[str, Any]], **given: Any
) -> HttpResponse:
    """Starts what the form describes and goes to its page; a faulty form comes back, drawn with `context`, as 422."""
    try:
        job = pages.kind.create_and_start(form.config(), request.user, **given)
    except Invalid as error:
        form.refuse(error)
        return render(request, pages.form_part if request.htmx else pages.form_page, context(), status=422)
    return HttpResponseClientRedirect(pages.address(job)) if request.htmx else redirect(pages.address(job))


def try_action(request: HttpRequest, pages: JobPages, job_id: str, act: Callable[[str, Person], Any]) -> HttpResponse:
    """Acts and goes back to the job's page, which says why where it was not possible."""
    may_trade(request)
    try:
        act(job_id, request.user)
    except Conflict as error:
        messages.info(request, str(error))
    return redirect(pages.detail, job_id)


def delete_and_list(request: HttpRequest, pages: JobPages, job_id: str) -> HttpResponse:
    may_trade(request)
    pages.kind.delete_job(job_id, request.user)
    messages.success(request, pages.deleted.format(job_id))
    return redirect(pages.list)


@require_POST
def run_again(request: HttpRequest, run_id: str) -> HttpResponse:
    may_trade(request)
    try:
        run = services.run_rerun(run_id=run_id, user=request.user)
    except Invalid as error:
        messages.error(request, error.in_full())
        return redirect("backtests:detail", run_id)
    tasks.run_start(run)
    return redirect("backtests:detail", run.run_id)


@require_POST
def run_cancel(request: HttpRequest, run_id: str) -> HttpResponse:
    return try_action(request, RUN_PAGES, run_id, RUNS.cancel_job)


@require_POST
def run_retry(request: HttpRequest, run_id: str) -> HttpResponse:
    return try_action(request, RUN_PAGES, run_id, RUNS.retry_job)


@require_POST
def run_delete(request: HttpRequest, run_id: str) -> HttpResponse:
    return delete_and_list(request, RUN_PAGES, run_id)


@require_POST
def sweep_cancel(request: HttpRequest, sweep_id: str) -> HttpResponse:
    return try_action(request, SWEEP_PAGES, sweep_id, SWEEPS.cancel_job)


@require_POST
def sweep_retry(request: HttpRequest, sweep_id: str) -> HttpResponse:
    return try_action(request, SWEEP_PAGES, sweep_id, SWEEPS.retry_job)


@require_POST
def sweep_delete(request: HttpRequest, sweep_id: str) -> HttpResponse:
    return delete_and_list(request, SWEEP_PAGES, sweep_id)
