"""Says what is wrong with a desk, and what to do about it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from operations.diagnosis import run_checks

MARKS = {"up": "ok", "down": "FAULT", "unknown": "?", "starting": "wait"}


class Command(BaseCommand):
    help = (
        "Checks database, broker, channel layer, worker, schedules, streams, clocks, keys, books, static files and disk; "
        "exit code 1 if any is at fault."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        checks = run_checks()
        well = all(check.state != "down" for check in checks)
        if options["json"]:
            self.stdout.write(json.dumps({"ok": well, "checks": [asdict(check) for check in checks]}))
        else:
            for check in checks:
                remedy = f"\n{'':24}{check.remedy}" if check.remedy and check.state != "up" else ""
                self.stdout.write(f"{MARKS[check.state]:<6}  {check.name:<14}  {check.detail}{remedy}")
        if not well:
            sys.exit(1)
