"""The answers that runs and sweeps have in common."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from backtests.jobs import JobKind
from backtests.models import BacktestRun, Sweep


def job_json(job: BacktestRun | Sweep) -> dict[str, Any]:
    """What an action answers; the whole of it stands at the job's own address."""
    if isinstance(job, BacktestRun):
        return {"run_id": job.run_id, "status": job.status}
    return {"sweep_id": job.sweep_id, "status": job.status, "trials_total": job.trials_total, "skipped": job.skipped}


def start_job(request: Request, kind: JobKind[Any]) -> Response:
    return Response(job_json(kind.create_and_start(request.data, request.user)), status=202)


def cancel_job(request: Request, kind: JobKind[Any], job_id: str) -> Response:
    return Response(job_json(kind.cancel_job(job_id, request.user)))


def retry_job(request: Request, kind: JobKind[Any], job_id: str) -> Response:
    return Response(job_json(kind.retry_job(job_id, request.user)), status=202)


def delete_job(request: Request, kind: JobKind[Any], job_id: str) -> Response:
    kind.delete_job(job_id, request.user)
    return Response(status=204)
