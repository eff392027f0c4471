"""Celery tasks: call the service. `import_start` is how everything that is not a task starts an import."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from celery import Task, shared_task
from django.conf import settings
from django.db import transaction

from core.storage import StorageAway
from core.work import HARD_LIMIT_MARGIN, all_taken, send_jobs, worker_name
from market import candles, import_jobs
from market.models import CandleImport

logger = logging.getLogger(__name__)


@shared_task(bind=True, time_limit=settings.IMPORT_TIME_LIMIT_SECONDS + HARD_LIMIT_MARGIN)
def import_execute(self: Task[Any, Any], import_id: int) -> None:
    import_jobs.import_execute(import_id=import_id, worker=worker_name(self))


def import_start(queued: CandleImport) -> None:
    """Hands a queued import to the workers once the transaction is committed."""
    transaction.on_commit(partial(send_jobs, import_execute, [(queued.pk,)]))


@shared_task
def imports_sweep_lost() -> None:
    send_jobs(import_execute, [(import_id,) for import_id in import_jobs.imports_sweep_lost(all_taken=all_taken())])


@shared_task
def candles_sweep() -> None:
    try:
        candles.sweep_orphans()
        import_jobs.uploads_sweep()
    except StorageAway as away:
        logger.warning("orphaned candles are looked for in the next hour: %s", away)
