"""Celery tasks. Each calls the service that does the work."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from celery import Task, shared_task
from django.utils import timezone

from core.errors import Conflict, NotFound
from core.work import send_jobs
from trading.models import Bot, DesiredStatus, Mode
from trading.reconciliation.run import run_execute, runs_begin
from trading.services import accounts
from wallets.models import ReconciliationRun

SILENT = timedelta(seconds=15)


@shared_task
def replay_drive(bot_id: int) -> None:
    from trading.live.replay import replay_drive as drive  # the engine; beat only sends

    drive(bot_id)


@shared_task
def replays_ensure() -> None:
    """Hands the replays that should run and that nobody drives to a worker: new ones, and those whose worker died."""
    now = timezone.now()
    rows = Bot.objects.filter(mode=Mode.REPLAY, run__isnull=False, run__ended_at=None, archived_at=None)
    for bot in rows.select_related("run"):
        fresh = bot.state.version == 0 and bot.run is not None and now - bot.run.started_at < SILENT
        if (fresh and bot.wanted != DesiredStatus.STOPPED) or now - bot.state.updated_at > SILENT:
            replay_drive.apply_async(args=(bot.pk,), expires=10)


@shared_task
def wallets_reconcile(wallet_id: str = "", trigger: str = ReconciliationRun.Trigger.SCHEDULE) -> None:
    """One wallet, or all that have a venue, side by side on the workers. What is being reconciled already is left alone."""
    with suppress(Conflict, NotFound):
        runs = runs_begin(wallet_id=wallet_id, trigger=trigger)
        send_jobs(reconciliation_execute, [(run.run_id,) for run in runs])


@shared_task
def reconciliation_execute(run_id: str) -> None:
    """A second message for a run does no harm."""
    run = ReconciliationRun.objects.select_related("wallet__account").get(run_id=run_id)
    if run.state == ReconciliationRun.State.RUNNING:
        run_execute(run)


@shared_task(bind=True, max_retries=100, default_retry_delay=10)
def demo_drift_plant(self: Task[Any, Any]) -> None:
    """Waits for the first fill of the demonstration."""
    from trading.demo import drift_plant  # the sandbox; no other task needs it

    if drift_plant() is None:
        raise self.retry()


@shared_task
def accounts_check() -> None:
    """What each key may do can be changed at the venue at any time."""
    accounts.accounts_check()
