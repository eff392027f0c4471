"""The Celery application: `celery -A config`."""

import os

from celery import Celery
from celery.signals import worker_process_init

from operations.embedded.process import end_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("quarterdeck")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# The worker's pool ends with it, even if the worker is killed: a run that nobody knows of must not go on.
worker_process_init.connect(lambda **_: end_with_parent(), weak=False)
