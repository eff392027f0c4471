"""Celery tasks: call the service."""

from __future__ import annotations

import logging

from celery import shared_task

from core.storage import StorageAway
from market import candles

logger = logging.getLogger(__name__)


@shared_task
def candles_sweep() -> None:
    try:
        candles.sweep_orphans()
    except StorageAway as away:
        logger.warning("orphaned candles are looked for in the next hour: %s", away)
