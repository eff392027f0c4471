"""The schedules of beat, and the queue that they go to. While no worker takes anything, nothing piles up there."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson
from celery import current_app as app
from django.conf import settings
from django.core.cache import cache
from django_celery_beat.schedulers import DatabaseScheduler
from redis import Redis
from redis.exceptions import RedisError

from core.heartbeat import heartbeat_write

LOOKED_AT = 1_000
"""The newest messages of the queue, which are looked at."""
TICKED = "desk:beat"
"""Where in the cache beat says when it last looked what is due."""
PILED = 20
"""So many tasks that already wait, once more: nobody takes them."""

Waiting = tuple[str, str]
"""A task's name and what it is called with."""


class PatientScheduler(DatabaseScheduler):  # type: ignore[misc]
    """Sends no task of which the last one still waits: a worker that comes back needs one of each and no more. It tells the
    supervisor that it is at work."""

    def tick(self, *arguments: Any, **named: Any) -> float:
        """At most five seconds apart. Told afterwards, so that nobody judges one that still looks for its broker."""
        wait: float = super().tick(*arguments, **named)
        if wait > 0:
            heartbeat_write()
            with suppress(RedisError):
                cache.set(TICKED, datetime.now(UTC), None)
        return wait

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        if not is_waiting(entry.task):
            super().apply_entry(entry, producer=producer)


def is_waiting(task: str) -> bool:
    """A broker that does not answer is found out by whoever sends."""
    with suppress(RedisError):
        return any(name == task for name, _ in list_waiting())
    return False


def list_waiting() -> list[Waiting]:
    """The newest tasks that no worker has taken. Raises `RedisError`."""
    with Redis.from_url(settings.TASKS_REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5) as broker:
        packed: Any = broker.lrange(f"{settings.REDIS_PREFIX}:{app.conf.task_default_queue}", 0, LOOKED_AT - 1)
    headers = [orjson.loads(message)["headers"] for message in packed]
    return [(str(one["task"]), str(one.get("argsrepr"))) for one in headers]


def count_piled(waiting: list[Waiting]) -> int:
    """How many of them wait although the same one waits already."""
    return sum(Counter(waiting).values()) - len(set(waiting))
