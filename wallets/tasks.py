"""Celery tasks: call the service."""

from __future__ import annotations

from celery import shared_task

from wallets.services import values


@shared_task
def values_ensure() -> None:
    values.values_ensure()
