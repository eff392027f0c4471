"""Celery tasks. Each calls the service that does the work."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from trading.models import Bot, DesiredStatus, Mode
from trading.services import accounts

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
def accounts_check() -> None:
    """What each key may do can be changed at the venue at any time."""
    accounts.accounts_check()
