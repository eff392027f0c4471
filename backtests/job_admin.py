"""What the admin's lists do to several runs or sweeps at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from access.people import Person
from backtests.jobs import JobKind
from trading.admin.actions import apply_to_each


def apply_to_jobs(
    of: admin.ModelAdmin[Any],
    request: HttpRequest,
    kind: JobKind[Any],
    jobs: Iterable[Any],
    act: Callable[[str, Person], Any],
    done: str,
) -> None:
    """`act` is given the id of each job."""
    apply_to_each(of, request, jobs, lambda job: act(getattr(job, kind.id_field), request.user), done, noun=kind.noun)
