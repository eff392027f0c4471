"""The Celery application: `celery -A config`."""

import os
from typing import Any

from celery import Celery, bootsteps
from celery.signals import worker_process_init

from core.heartbeat import BEAT_EVERY, heartbeat_end, heartbeat_write
from operations.embedded.process import end_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("quarterdeck")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# The worker's pool ends with it, even if the worker is killed: a run that nobody knows of must not go on.
worker_process_init.connect(lambda **_: end_with_parent(), weak=False)


class Heartbeat(bootsteps.StartStopStep):
    """The worker tells its supervisor that it is at work, from the loop that takes tasks and hears of their ends. Celery starts
    this with each connection to the broker and stops it when that is lost: a worker that looks for its broker does not hang."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:
        heartbeat_write()
        self.timer = parent.timer.call_repeatedly(BEAT_EVERY, heartbeat_write)

    def stop(self, parent: Any) -> None:
        self.timer.cancel()
        heartbeat_end()


app.steps["consumer"].add(Heartbeat)
