"""Celery tasks: fetch by id, call the service. `run_start` is how everything that is not a task starts a run."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from celery import Task, shared_task
from celery.signals import worker_init
from django.conf import settings
from django.db import transaction

from backtests import execution, services
from backtests.heap import keep_freed
from backtests.models import BacktestRun, Sweep
from backtests.sweeps import services as sweeps
from backtests.sweeps import work
from core.errors import NotFound
from core.storage import StorageAway
from core.work import HARD_LIMIT_MARGIN, all_taken, send_jobs, worker_name
from engine.warm import after_live
from trading.compiling import telling_progress

logger = logging.getLogger(__name__)


@shared_task(bind=True, time_limit=settings.RUN_TIME_LIMIT_SECONDS + HARD_LIMIT_MARGIN)
def run_execute(self: Task[Any, Any], run_id: str) -> None:
    try:
        services.run_execute(run_id=run_id, worker=worker_name(self))
    except NotFound:
        logger.info("run %s was deleted before a worker came to it", run_id)


def run_start(run: BacktestRun) -> None:
    """Hands a queued run to the workers once the transaction is committed."""
    transaction.on_commit(partial(send_jobs, run_execute, [(run.run_id,)]))


@shared_task
def runs_sweep_lost() -> None:
    send_jobs(run_execute, [(run_id,) for run_id in services.runs_sweep_lost(all_taken=all_taken()).waiting])


@shared_task
def artifacts_sweep() -> None:
    try:
        services.artifacts_sweep()
    except StorageAway as away:
        logger.warning("orphaned files are looked for in the next hour: %s", away)


# --- Sweeps ---------------------------------------------------------------------------------------------------------------


@shared_task(bind=True, time_limit=settings.RUN_TIME_LIMIT_SECONDS + HARD_LIMIT_MARGIN)
def sweep_chunk_execute(self: Task[Any, Any], sweep_id: str, index: int) -> None:
    sweeps.chunk_execute(sweep_id=sweep_id, index=index, worker=worker_name(self))


def sweep_start(sweep: Sweep) -> None:
    """Hands a queued sweep's chunks to the workers once the transaction is committed."""
    transaction.on_commit(partial(sweep_send, sweep.sweep_id))


def sweep_send(sweep_id: str) -> None:
    send_jobs(sweep_chunk_execute, [(sweep_id, index) for index in sweeps.chunk_indices(sweep_id)])


@shared_task
def sweeps_sweep_lost() -> None:
    send_jobs(sweep_chunk_execute, sweeps.sweeps_sweep_lost(all_taken=all_taken()).waiting)


@worker_init.connect
def kernels_load(**_: Any) -> None:
    """Loads the compiled kernels before the worker forks, so that no run waits for them and all children share them."""
    keep_freed()
    with telling_progress(), after_live():
        execution.warm_up()
        work.warm_up()
