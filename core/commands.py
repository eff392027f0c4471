"""What all commands of the desk share: `--json`, and errors as the API gives them."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import DomainError


class DeskCommand(BaseCommand):
    """A command that answers with a report: as text for a person, or with `--json` as one JSON object and nothing else.

    Subclasses implement `add_options`, `report` and `show`. A domain error ends the command with exit code 1, its fields named
    on standard error; with `--json` standard output then carries `{"error": {"code", "message", "fields"}}`.
    """

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_options(parser)
        parser.add_argument("--json", action="store_true", help="Print one JSON object and nothing else.")

    def handle(self, *args: Any, **options: Any) -> None:
        as_json = options.pop("json")
        try:
            report = self.report(**options)
        except DomainError as error:
            if as_json:
                self.stdout.write(json.dumps({"error": {"code": error.code, "message": str(error), "fields": error.fields}}))
            raise CommandError(explain_error(error)) from error
        if as_json:
            self.stdout.write(json.dumps(report, allow_nan=False))
        else:
            self.show(report)

    @abstractmethod
    def add_options(self, parser: CommandParser) -> None:
        """The command's own arguments."""

    @abstractmethod
    def report(self, **options: Any) -> Mapping[str, Any]:
        """Do it, and say what came of it, JSON-ready."""

    @abstractmethod
    def show(self, report: Mapping[str, Any]) -> None:
        """The report for a person."""


def explain_error(error: DomainError) -> str:
    """An error's message, with what it says of each field, for a terminal."""
    lines = [f"  {name}: {text}" for name, texts in error.fields.items() for text in texts if text != str(error)]
    return "\n".join([str(error), *lines])
