"""Seal the exchanges' keys anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from core.commands import DeskCommand
from wallets import services


class Command(DeskCommand):
    help = "Seal every stored secret under the first of ENCRYPTION_KEYS. The older keys may then be dropped."

    def add_options(self, parser: CommandParser) -> None:
        """None."""

    def report(self, **options: Any) -> Mapping[str, Any]:
        return {"sealed_anew": services.secrets_rotate()}

    def show(self, report: Mapping[str, Any]) -> None:
        self.stdout.write(f"Sealed anew: {report['sealed_anew']}. The others were sealed under the first key already.")
