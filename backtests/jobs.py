"""Runs and sweeps are jobs alike: made, handed to the workers, cancelled, retried, deleted. Pages and API act on both here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from access.people import Person
from backtests import services, tasks
from backtests.models import BacktestRun, Sweep
from backtests.sweeps import services as sweep_services

J = TypeVar("J", BacktestRun, Sweep)


@dataclass(frozen=True, slots=True)
class JobKind(Generic[J]):
    """The services of one kind of job. Each raises what its service raises: `NotFound`, `Invalid`, `Conflict`."""

    noun: str
    id_field: str
    create: Callable[..., J]
    start: Callable[[J], None]
    cancel: Callable[..., J]
    retry: Callable[..., J]
    delete: Callable[..., None]

    def create_and_start(self, config: Any, user: Person, **given: Any) -> J:
        job = self.create(config=config, user=user, **given)
        self.start(job)
        return job

    def cancel_job(self, job_id: str, user: Person) -> J:
        return self.cancel(**{self.id_field: job_id}, user=user)

    def retry_job(self, job_id: str, user: Person) -> J:
        job = self.retry(**{self.id_field: job_id}, user=user)
        self.start(job)
        return job

    def delete_job(self, job_id: str, user: Person) -> None:
        self.delete(**{self.id_field: job_id}, user=user)


RUNS: JobKind[BacktestRun] = JobKind(
    noun="run",
    id_field="run_id",
    create=services.run_create,
    start=tasks.run_start,
    cancel=services.run_cancel,
    retry=services.run_retry,
    delete=services.run_delete,
)
SWEEPS: JobKind[Sweep] = JobKind(
    noun="sweep",
    id_field="sweep_id",
    create=sweep_services.sweep_create,
    start=tasks.sweep_start,
    cancel=sweep_services.sweep_cancel,
    retry=sweep_services.sweep_retry,
    delete=sweep_services.sweep_delete,
)
