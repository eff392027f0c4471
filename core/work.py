"""What all jobs that Celery's workers do have in common: who does one, and when its message is sent once more."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from celery import Celery, Task, current_app
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from core.broker import PATIENT, Unanswered, ask_broker

logger = logging.getLogger(__name__)

HARD_LIMIT_MARGIN = 60
"""A job stops itself at its own limit. A child stuck where no signal reaches it (in compiled code) is killed after these more
seconds."""
SEND_SECONDS = 2.0
"""So long a person who starts a job waits for the broker at most."""
TIMEOUTS = ("socket_timeout", "socket_connect_timeout")
ONE_TRY = {"max_retries": 0}
"""Otherwise a connection that fails is tried for four seconds more, whatever a single try may take."""
REQUEUE_AFTER = timedelta(minutes=2)
"""A queued job whose message has had this long is handed to the broker again; a second message for it does no harm."""


def worker_name(task: Task[Any, Any]) -> str:
    """The worker and its process: workers of one machine may all be called the same."""
    return f"{task.request.hostname or socket.gethostname()}:{os.getpid()}"


def send_jobs(task: Task[Any, Any], jobs: Sequence[tuple[Any, ...]]) -> None:
    """Hands jobs, each told by the task's arguments, to the workers. A broker that is away or hangs costs a moment: they stay
    queued, and their sweeper sends them again."""
    send_all(task.app, task.name, task.apply_async, jobs)


def send_named(name: str, jobs: Sequence[tuple[Any, ...]], **options: Any) -> None:
    """The same for a task that is told by its name, where to import it would lead in a circle."""
    send_all(current_app, name, partial(current_app.send_task, name, **options), jobs)


def send_all(app: Celery, name: str, send: Callable[..., Any], jobs: Sequence[tuple[Any, ...]]) -> None:
    try:
        with app.connection_for_write(transport_options=dict.fromkeys(TIMEOUTS, SEND_SECONDS) | ONE_TRY) as link:
            for given in jobs:
                send(given, connection=link, retry=False)
    except (OperationalError, RedisError, OSError):
        logger.warning("%s %s: queued, but the broker does not answer; what was not sent will be sent again", name, jobs)


def all_taken() -> bool:
    """Whether no message waits for a worker."""
    queue = current_app.conf.task_default_queue
    try:
        return ask_broker("queue", lambda broker: broker.llen(queue) == 0, patience=PATIENT)
    except Unanswered:
        return False


def oldest_message(*, all_taken: bool) -> datetime:
    """What was queued before then is sent again. If no message waits at the broker (`all_taken`), a worker took it along, which is
    busy or has died: then it is time as soon as that one would be given up."""
    return timezone.now() - (timedelta(seconds=settings.RUN_LOST_AFTER_SECONDS) if all_taken else REQUEUE_AFTER)
