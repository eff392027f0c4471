"""The kill switch, from the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from core.commands import DeskCommand
from trading.services.bots import kill_switch_set


class Command(DeskCommand):
    help = (
        "Stops everything: no order is sent, every bot is stopped, open orders are cancelled. Positions stay. --arm takes it back."
    )

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--arm", action="store_true", help="Allow orders again. Bots stay stopped until they are started.")
        parser.add_argument("--reason", default="", help="Why, for whoever looks later.")

    def report(self, **options: Any) -> Mapping[str, Any]:
        switch = kill_switch_set(killed=not options["arm"], reason=options["reason"])
        return {"killed": switch.killed, "reason": switch.reason, "changed_at": switch.changed_at.isoformat()}

    def show(self, report: Mapping[str, Any]) -> None:
        self.stdout.write(
            "Killed: no order is sent, every bot is stopped." if report["killed"] else "Armed again. Bots stay stopped."
        )
