"""Celery tasks: fetch by id, call the service. `run_start` is how everything that is not a task starts a run."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Sequence
from functools import partial
from typing import Any

from celery import Task, current_app, shared_task
from celery.signals import worker_init
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from backtests import execution, services
from backtests.heap import keep_freed
from backtests.models import BacktestRun, Sweep
from backtests.sweeps import services as sweeps
from backtests.sweeps import work
from core.broker import PATIENT, Unanswered, ask_broker
from core.errors import NotFound
from core.storage import StorageAway
from engine.warm import after_live
from trading.compiling import telling_progress

logger = logging.getLogger(__name__)

# A run stops itself at its own limit. A child stuck where no signal reaches it (in compiled code) is killed after these more.
HARD_LIMIT_MARGIN = 60


def worker_name(task: Task[Any, Any]) -> str:
    """The worker and its process: workers of one machine may all be called the same."""
    return f"{task.request.hostname or socket.gethostname()}:{os.getpid()}"


@shared_task(bind=True, time_limit=settings.RUN_TIME_LIMIT_SECONDS + HARD_LIMIT_MARGIN)
def run_execute(self: Task[Any, Any], run_id: str) -> None:
    try:
        services.run_execute(run_id=run_id, worker=worker_name(self))
    except NotFound:
        logger.info("run %s was deleted before a worker came to it", run_id)


def run_start(run: BacktestRun) -> None:
    """Hands a queued run to the workers once the transaction is committed."""
    transaction.on_commit(partial(send_run, run.run_id))


def send_run(run_id: str) -> None:
    """A broker that is away costs nothing but time: the run stays queued, and the sweeper sends it again."""
    try:
        run_execute.delay(run_id)
    except (OperationalError, OSError):
        logger.warning("run %s is queued, but the broker does not answer; it will be sent again", run_id)


def all_taken() -> bool:
    """Whether no message waits for a worker."""
    queue = current_app.conf.task_default_queue
    try:
        return ask_broker("queue", lambda broker: broker.llen(queue) == 0, patience=PATIENT)
    except Unanswered:
        return False


@shared_task
def runs_sweep_lost() -> None:
    for run_id in services.runs_sweep_lost(all_taken=all_taken()).waiting:
        send_run(run_id)


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
    chunks_send([(sweep_id, index) for index in sweeps.chunk_indices(sweep_id)])


def chunks_send(chunks: Sequence[tuple[str, int]]) -> None:
    """As with runs: where the broker is away, the sweeper sends them again."""
    try:
        for chunk in chunks:
            sweep_chunk_execute.delay(*chunk)
    except (OperationalError, OSError):
        logger.warning("%s chunks of sweeps are queued, but the broker does not answer; they will be sent again", len(chunks))


@shared_task
def sweeps_sweep_lost() -> None:
    chunks_send(sweeps.sweeps_sweep_lost(all_taken=all_taken()).waiting)


@worker_init.connect
def kernels_load(**_: Any) -> None:
    """Loads the compiled kernels before the worker forks, so that no run waits for them and all children share them."""
    keep_freed()
    with telling_progress(), after_live():
        execution.warm_up()
        work.warm_up()
