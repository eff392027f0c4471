"""Let somebody sign in again whose name or address was locked by wrong passwords."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from axes.utils import reset
from django.core.management.base import CommandParser

from access import selectors
from access.sign_in import name_unlock
from core.commands import DeskCommand


class Command(DeskCommand):
    help = "Forget the wrong passwords that were given for a user."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("user")

    def report(self, **options: Any) -> Mapping[str, Any]:
        """Forgets what was counted, in the rows and in the cache."""
        name = selectors.user_named(options["user"]).get_username()
        count = reset(username=name)
        name_unlock(name)
        return {"user": name, "locks": count}

    def show(self, report: Mapping[str, Any]) -> None:
        self.stdout.write(f"{report['user']} may sign in again.")
