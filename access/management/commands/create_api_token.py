"""Make an API token."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from access import selectors, services
from core.errors import DomainError
from core.text import utc_text


class Command(BaseCommand):
    help = "Make an API token for a user, and print it this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user")
        parser.add_argument("--scopes", default="read", help="read, trade, admin; with commas between.")
        parser.add_argument("--limit", action="append", metavar="KIND:ID", help="It may act on this bot, wallet or account alone.")
        parser.add_argument("--days", help=f"{services.DEFAULT_DAYS} where left out.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object and nothing else.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Makes the token and shows its secret, once."""
        try:
            user = selectors.user_named(options["user"])
            limits = read_limits(options["limit"] or [])
            token, secret = services.token_create(user=user, scopes=options["scopes"], days=options["days"], limits=limits)
        except DomainError as error:
            if options["json"]:
                self.stdout.write(json.dumps({"error": {"code": error.code, "message": str(error), "fields": error.fields}}))
            told = "; ".join(f"{name}: {text}" for name, texts in error.fields.items() for text in texts)
            raise CommandError(told or str(error)) from error
        expires = utc_text(token.expires_at)
        if options["json"]:
            made = {"token": secret, "id": token.pk, "scopes": token.scopes, "expires_at": expires}
            self.stdout.write(json.dumps(made))
            return
        self.stdout.write(secret)
        self.stderr.write(f"Scopes {', '.join(token.scopes)}; until {expires}. It is not shown again.")


def read_limits(given: Sequence[str]) -> dict[str, list[str]]:
    """`bot:ID` and so on, by kind."""
    found: dict[str, list[str]] = {}
    for kind, _, key in (one.partition(":") for one in given):
        found.setdefault(kind, []).append(key)
    return found
