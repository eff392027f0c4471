"""Every address of the product, with the rows of a desk filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from django.apps import apps
from django.urls import URLPattern, URLResolver

COMPILED_WITHIN = 600
"""Seconds: the first desk on a machine compiles the engine before its runs."""
NEWEST = {
    "run_id": "SELECT run_id FROM backtests_backtestrun WHERE status = 'completed' ORDER BY id LIMIT 1",
    "bot_id": "SELECT bot_id FROM trading_bot ORDER BY id LIMIT 1",
    "order_id": "SELECT order_id FROM trading_order ORDER BY id LIMIT 1",
    "correlation_id": "SELECT correlation_id FROM trading_order ORDER BY id LIMIT 1",
    "wallet_id": "SELECT wallet_id FROM wallets_wallet ORDER BY id LIMIT 1",
    "pk": "SELECT id FROM market_candleseries ORDER BY id LIMIT 1",
    "timestamp": 'SELECT to_char(max(last), \'YYYY-MM-DD"T"HH24:MI:SS"Z"\') FROM market_candleseries',
}
FIXED = {
    "act": "start",
    "index": "0",
    "app_label": "market",
    "url": "nothing/",
    "content_type_id": "1",
    "table": "days",
    "kind": "csv",
}
NOBODY = "1"
"""What the desk of the tests may lack. Its page says so."""


def list_routes(patterns: Sequence[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    """Each address, with its parameters as `<name>`."""
    for one in patterns:
        route = before + re.sub(r"\(\?P(<\w+>)[^)]*\)|[\^$]", r"\1", str(one.pattern))
        if isinstance(one, URLResolver):
            yield from list_routes(one.url_patterns, route)
        else:
            yield re.sub(r"<\w+:(\w+)>", r"<\1>", route)


@dataclass
class Rows:
    """The rows of the desk, from which parameters are taken."""

    database: psycopg.Connection[Any]

    def fill_in(self, route: str) -> str:
        return "/" + re.sub(r"<(\w+)>", lambda name: self.find(name[1], route), route)

    def find(self, name: str, route: str) -> str:
        if name in FIXED:
            return FIXED[name]
        if name == "object_id":
            model = apps.get_model(".".join(route.split("/")[1:3])) if route.count("/") > 2 and "/r/" not in route else None
            question = f"SELECT {model._meta.pk.column} FROM {model._meta.db_table} LIMIT 1" if model else ""
        else:
            question = NEWEST.get(name, "")
        row = self.database.execute(question).fetchone() if question else None
        return str(row[0]) if row and row[0] is not None else NOBODY
