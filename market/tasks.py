"""Celery tasks: call the service."""

from __future__ import annotations

from celery import shared_task

from market import candles


@shared_task
def candles_sweep() -> None:
    candles.sweep_orphans()
