"""The Celery application: `celery -A config`."""

import os

from celery import Celery
from celery.signals import worker_process_init

from operations.embedded.process import end_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("quarterdeck")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# A worker's pool ends with it, even where it is killed: a run must not go on that nobody hears of.
worker_process_init.connect(lambda **_: end_with_parent(), weak=False)
