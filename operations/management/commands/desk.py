"""The whole product in one command."""

from __future__ import annotations

import os
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from core import env
from operations.embedded.desk import open_desk
from operations.embedded.layout import VarFolder
from operations.embedded.process import end_with_parent


class Command(BaseCommand):
    help = (
        "Runs the whole desk: database and broker (unless DATABASE_URL and REDIS_URL name some), migrations, demo data, "
        "web, worker and schedules. Ctrl-C stops everything."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--with-parent", action="store_true", help="stop when the process that started this one ends")

    def handle(self, *args: Any, with_parent: bool, **options: Any) -> None:
        if with_parent:
            end_with_parent(signal.SIGTERM)
        layout = VarFolder(settings.VAR)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        open_desk(
            layout,
            host=settings.HOST,
            port=settings.PORT,
            workers=env.read_integer("WORKERS", cores, least=1),
            embedded=layout.database_url == settings.DATABASE_URL,
            demo=env.read_flag("DEMO", True),
            sandbox=env.read_flag("SANDBOX", True),
        )
