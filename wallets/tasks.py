"""Celery tasks: call the service. `watch_start` is how everything that is not a task starts a reading."""

from __future__ import annotations

from functools import partial

from celery import shared_task
from django.db import transaction

from core.errors import Conflict
from core.work import send_jobs
from wallets.models import Wallet
from wallets.services import values, watch_read


@shared_task(time_limit=600)
def watch_execute(wallet_id: int) -> None:
    wallet = Wallet.objects.select_related("watch").filter(pk=wallet_id, watch__isnull=False).first()
    if wallet is None:
        return
    try:
        watch_read(wallet=wallet)
    except Conflict:
        return  # another worker reads it


def watch_start(wallet: Wallet) -> None:
    """Has a worker read the chain, once the transaction is committed."""
    transaction.on_commit(partial(send_jobs, watch_execute, [(wallet.pk,)]))


@shared_task
def watches_read() -> None:
    """Each wallet is one job, so that workers share them and a slow node holds up one."""
    rows = Wallet.objects.filter(kind=Wallet.Kind.WATCH, archived=False).order_by("pk")
    send_jobs(watch_execute, [(pk,) for pk in rows.values_list("pk", flat=True)])


@shared_task
def values_ensure() -> None:
    values.values_ensure()
