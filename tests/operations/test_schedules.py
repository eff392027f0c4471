"""While no worker takes tasks, the schedules do not fill the queue, and a queue that fills is a fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app as app
from celery.beat import ScheduleEntry
from django.conf import settings
from django.core.cache import cache
from redis import Redis

from operations import state
from operations.diagnosis import run_checks
from operations.schedules import PILED, PatientScheduler, list_waiting

pytestmark = [pytest.mark.django_db, pytest.mark.services]


@pytest.fixture(autouse=True)
def queue() -> Iterator[None]:
    """Empty, and without a worker."""
    with Redis.from_url(settings.TASKS_REDIS_URL) as broker:
        broker.delete(f"{settings.REDIS_PREFIX}:{app.conf.task_default_queue}")
        cache.clear()
        yield
        broker.delete(f"{settings.REDIS_PREFIX}:{app.conf.task_default_queue}")
        cache.clear()


def entry_of(name: str) -> ScheduleEntry:
    given: Any = settings.CELERY_BEAT_SCHEDULE[name]
    return ScheduleEntry(name=name, app=app, schedule=given["schedule"], task=given["task"], options=given["options"])


def test_a_task_that_still_waits_is_not_sent_again() -> None:
    scheduler = PatientScheduler(app=app, lazy=True)
    names = ("drive replays", "find lost backtests")
    for _ in range(5):
        for name in names:
            scheduler.apply_entry(entry_of(name))
    assert sorted(name for name, _ in list_waiting()) == ["backtests.tasks.runs_sweep_lost", "trading.tasks.replays_ensure"]


def test_tasks_that_pile_up_are_a_fault_that_the_doctor_tells() -> None:
    def told() -> list[state.HealthCheck]:
        return [check for check in run_checks() if check.name == "Tasks"]

    for number in range(PILED + 5):
        app.send_task("backtests.tasks.sweep_chunk_execute", args=("a", number))
    assert told() == []  # all of them different: work, and no pile
    for _ in range(PILED + 2):
        app.send_task("trading.tasks.replays_ensure")
    (fault,) = told()
    assert (fault.state, fault.detail.split()[0]) == ("down", str(PILED + 1))
    assert fault.remedy
