"""Celery tasks: call the service. `watch_start` is how everything that is not a task starts a reading."""

from __future__ import annotations

import logging
from functools import partial

from celery import shared_task
from django.db import transaction

from core.errors import Conflict, DomainError
from core.work import send_jobs, send_named
from market.exchanges.base import ExchangeError
from wallets.models import Wallet
from wallets.selectors import wallets_with_venue
from wallets.services import movements_fetch, values, watch_read

logger = logging.getLogger(__name__)
ROUND_SECONDS = 600
"""So often the schedule asks for movements."""


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


@shared_task
def movements_fetch_all() -> None:
    """Each wallet at a venue is one job, so that a slow venue holds up one. What no worker took in time is dropped: the next round
    asks for the same."""
    send_named(movements_fetch_one.name, [(wallet.pk,) for wallet in wallets_with_venue()], expires=ROUND_SECONDS)


@shared_task
def movements_fetch_one(wallet: int) -> None:
    """Asks the wallet's venue for its movements. What fails is asked for again the next time."""
    found = Wallet.objects.select_related("account").get(pk=wallet)
    try:
        reading = movements_fetch(wallet=found)
    except (DomainError, ExchangeError, TimeoutError, OSError) as error:
        logger.warning("the movements of %s are asked for later: %s", found.name, error)
        return
    for listed, why in reading.left_out.items():
        logger.warning("the %s of %s are asked for later: %s", listed, found.name, why)
