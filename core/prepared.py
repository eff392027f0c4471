"""Statements that orders wait for are planned by the server once a connection, and their values bound. Django writes the values
into the text, which the server then has to parse and plan again each time: most of the cost of a statement with many parts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import RawCursor

PLACEHOLDER = re.compile(r"%s|%\((\w+)\)s")


class PlannedCursor(RawCursor[Any]):
    """Takes Django's placeholders. psycopg converts them too, but remembers the result for short statements only."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        text, names = number_placeholders(query)
        values = [params[name] for name in names] if names else params
        return super().execute(text, values)


@lru_cache(maxsize=1_000)
def number_placeholders(sql: str) -> tuple[str, tuple[str, ...]]:
    """`sql` with $1, $2 and so on for `%s` or `%(name)s`, and the names."""
    names: list[str] = []

    def place(found: re.Match[str]) -> str:
        name = found[1] or str(len(names))
        if not found[1] or name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    text = PLACEHOLDER.sub(place, sql)
    return text, tuple(names) if "%(" in sql else ()


@contextmanager
def execute_prepared(sql: str, values: Sequence[Any] | Mapping[str, Any]) -> Iterator[CursorWrapper]:
    """Gives a cursor that has executed `sql`. The texts should be few, since each is planned and kept; placeholders whose type the
    server cannot infer need a cast."""
    link: Any = connection
    link.ensure_connection()
    with link.wrap_database_errors:
        planned = PlannedCursor(link.connection)
    with link._prepare_cursor(planned) as cursor:
        cursor.execute(sql, values)
        yield cursor
