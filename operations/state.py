"""The desk's state for its two home pages: what runs, what there is, what happened last. Every check is cheap and bounded."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from celery import current_app as app
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.models import Count, Q, Sum
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from backtests.models import BacktestRun, Status
from market.models import CandleImport, CandleSeries
from market.selectors import list_streams, stream_json
from operations.schedules import PILED, TICKED, count_piled, list_waiting
from trading.compiling import compiling_words, engine_progress
from wallets.models import ExchangeAccount

CHECKED_FOR_SECONDS = 5
BEAT_SILENT_AFTER = timedelta(seconds=30)
STARTED_BY = (
    "A desk starts it by itself, within a minute; if it does not stay, look into log/{what}.log in the desk's folder. "
    "With services of your own: celery -A config {what}."
)
DISK_LOW = 0.05
SANDBOX_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """The state of one part of the desk: up, down, unknown, or starting. `remedy` says what to do about a fault; `percent`, how far
    something is that starts."""

    name: str
    state: str
    detail: str
    remedy: str = ""
    percent: int | None = None


def desk_state() -> dict[str, Any]:
    """All that the home pages show."""
    known = [stream_json(stream) | {"heard_at": stream.last_message_at} for stream in list_streams()]
    return {"checks": desk_checks(), "streams": known, **count_rows(), **latest_rows(), "disk": disk_room()}


def desk_checks() -> list[HealthCheck]:
    """The checks of database, broker, workers and schedules. They are made at most every few seconds, whoever looks."""
    try:
        known: list[HealthCheck] | None = cache.get("desk:checks")
    except RedisError:
        known = None
    if known is not None:
        return known
    found = [check_database(), *broker_and_workers(), check_beat(), *check_sandbox()]
    with suppress(RedisError):
        cache.set("desk:checks", found, CHECKED_FOR_SECONDS)
    return found


def check_database() -> HealthCheck:
    start = time.perf_counter()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HealthCheck("Database", "down", "PostgreSQL does not answer", "Look into its log, then start it again.")
    return HealthCheck("Database", "up", f"PostgreSQL answers in {(time.perf_counter() - start) * 1000:.1f} ms")


def broker_and_workers() -> list[HealthCheck]:
    remedy = "Nothing new can be started until it is back. Look into its log."
    try:
        with Redis.from_url(settings.TASKS_REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5) as broker:
            waiting = int(broker.llen(f"{settings.REDIS_PREFIX}:{app.conf.task_default_queue}"))
        piled = count_piled(list_waiting())
    except RedisError:
        return [
            HealthCheck("Broker", "down", "Valkey or Redis does not answer", remedy),
            HealthCheck("Workers", "unknown", "Cannot be asked without the broker"),
        ]
    workers = check_workers()
    return [
        HealthCheck("Broker", "up", f"{waiting} task{'' if waiting == 1 else 's'} waiting"),
        workers,
        *check_pile(piled, workers),
    ]


def check_pile(piled: int, workers: HealthCheck) -> list[HealthCheck]:
    """Nothing unless tasks pile up. That they do while the engine is compiled is no fault."""
    if piled <= PILED or workers.state == "starting":
        return []
    remedy = "No worker takes them, or one that takes them hangs: look into the workers' log, then start a worker again."
    return [HealthCheck("Tasks", "down", f"{piled} tasks wait although the same ones wait already", remedy)]


def check_workers() -> HealthCheck:
    try:
        answers = app.control.ping(timeout=0.4)
    except (OperationalError, RedisError, OSError):
        return HealthCheck("Workers", "unknown", "Could not be asked")
    if not answers and (progress := engine_progress()):
        return HealthCheck("Workers", "starting", f"{compiling_words(progress)} Runs wait for it.", percent=progress.percent)
    if not answers:
        return HealthCheck("Workers", "down", "No worker answers", f"Queued runs wait. {STARTED_BY.format(what='worker')}")
    return HealthCheck("Workers", "up", f"{len(answers)} worker{'' if len(answers) == 1 else 's'} answering")


def check_beat() -> HealthCheck:
    try:
        ticked: datetime | None = cache.get(TICKED)
    except RedisError:
        return HealthCheck("Schedules", "unknown", "Cannot be asked without the broker")
    if ticked is None:
        return HealthCheck("Schedules", "unknown", "Not heard of yet", STARTED_BY.format(what="beat"))
    if datetime.now(UTC) - ticked > BEAT_SILENT_AFTER:
        silent = f"Silent since {ticked:%Y-%m-%d %H:%M:%S} UTC"
        return HealthCheck("Schedules", "down", silent, STARTED_BY.format(what="beat"))
    return HealthCheck("Schedules", "up", "Celery Beat is at work")


def check_sandbox() -> list[HealthCheck]:
    """Whether the local exchange answers. Nothing where no account trades there."""
    account = ExchangeAccount.objects.filter(environment="sandbox", rest__startswith="http://127.0.0.1:").first()
    if account is None:
        return []
    try:
        urlopen(f"{account.rest}/api/v3/ping", timeout=SANDBOX_SECONDS).close()  # noqa: S310  (an address of this machine)
    except HTTPError:
        pass  # it answers, in its way
    except OSError:
        remedy = "The desk starts it again by itself. If it does not stay, look into log/sandbox.log in the desk's folder."
        return [HealthCheck("Sandbox", "down", f"The sandbox exchange does not answer at {account.rest}", remedy)]
    return [HealthCheck("Sandbox", "up", "The sandbox exchange answers")]


def count_rows() -> dict[str, Any]:
    """Counts for the home pages: runs by status, and stored candles."""
    day = datetime.now(UTC) - timedelta(days=1)
    by_status = {status: Count("pk", filter=Q(status=status)) for status in Status.values}
    runs = BacktestRun.objects.aggregate(
        total=Count("pk"), failed_today=Count("pk", filter=Q(status=Status.FAILED, finished_at__gte=day)), **by_status
    )
    series = CandleSeries.objects.aggregate(
        total=Count("pk"), candles=Sum("count"), missing_candles=Sum("missing"), bytes=Sum("bytes")
    )
    return {
        "run_counts": runs,
        "series_counts": series,
        "queued_note": f"{runs['queued']:,} queued",
        "series_note": f"in {series['total']:,} series",
        "failed_kind": "down" if runs["failed_today"] else "",
    }


def latest_rows() -> dict[str, Any]:
    return {
        "recent_runs": BacktestRun.objects.defer("config", "results").order_by("-id")[:8],
        "recent_imports": CandleImport.objects.defer("problems").select_related("series").order_by("-id")[:6],
        "gapped_series": CandleSeries.objects.filter(missing__gt=0).select_related("instrument").order_by("-missing")[:6],
    }


def disk_room() -> dict[str, Any]:
    """The room on the disk where the desk writes, in bytes. Where the candles have another disk, it is the fuller one's."""
    return min((room_of(name) for name in ("VAR", "MEDIA_ROOT")), key=lambda room: room["free"] / room["total"])


def room_of(variable: str) -> dict[str, Any]:
    """Of the disk where the folder in that setting is, or will be."""
    folder = Path(getattr(settings, variable)).absolute()
    usage = shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists()))
    free = usage.free / usage.total
    return {
        "variable": variable,
        "folder": folder,
        "free": usage.free,
        "total": usage.total,
        "percent": round(100 * (1 - free)),
        "low": free < DISK_LOW,
    }
