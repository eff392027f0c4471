"""How what a venue sends is read: frame by frame and row by row, so that one that cannot be read costs no other."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any, ParamSpec, TypeVar

from market.exchanges.base import UnreadRow
from market.exchanges.parsing import Malformed, parse_number, parse_text

logger = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")
UNREAD = (Malformed, KeyError, IndexError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError)
"""What a parser raises where a venue's JSON is not as it expects it."""
TURN = 500
"""Rows of a long list that are read at once: some milliseconds."""
RAW = 2000
"""Characters that are kept of a row."""
SECRET = re.compile(r"key|secret|signature|token|jwt|password", re.IGNORECASE)
FieldNames = Mapping[str, Sequence[str]]
"""Where a venue's rows have what a person wants to know of them: `symbol`, `venue_order_id`, `client_order_id`, `side` and
`quantity`, each under the first of these names that is there."""


class Reader:
    """Applies parsers and goes on if they fail. `skipped` counts failures by kind, and the first of each kind is logged. `unread`
    has the rows of the newest list of each kind that could not be read."""

    def __init__(self, venue: str, fields: FieldNames | None = None) -> None:
        self.venue, self._fields = venue, fields or {}
        self.skipped: Counter[str] = Counter()
        self.unread: dict[str, list[UnreadRow]] = {}

    def parse_with(self, kind: str, parse: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return parse(*args, **kwargs)
        except UNREAD as error:
            self.skip(kind, f"{type(error).__name__}: {error}")
            return None

    def read_rows(self, kind: str, rows: object, parse: Callable[[Any], T]) -> list[T | UnreadRow]:
        """Each row by itself; one that cannot be read is kept as it came. `Malformed` if there is no list at all."""
        if not isinstance(rows, list):
            raise Malformed(f"a list of kind {kind} is {rows!r:.100}")
        result = [self._read_row(kind, row, parse) for row in rows]
        self.unread[kind] = [row for row in result if isinstance(row, UnreadRow)]
        return result

    async def read_long(self, kind: str, rows: object, parse: Callable[[Any], T]) -> list[T | UnreadRow]:
        """As `read_rows`, of a list that may have a hundred thousand rows: others have their turn on the loop meanwhile."""
        if not isinstance(rows, list):
            raise Malformed(f"a list of kind {kind} is {rows!r:.100}")
        result: list[T | UnreadRow] = []
        for first in range(0, len(rows), TURN):
            result += [self._read_row(kind, row, parse) for row in rows[first : first + TURN]]
            await asyncio.sleep(0)
        self.unread[kind] = [row for row in result if isinstance(row, UnreadRow)]
        return result

    def read_list(self, kind: str, rows: object, parse: Callable[[Any], T]) -> list[T]:
        """The rows that can be read, where nobody has to know of the others."""
        return keep_read(self.read_rows(kind, rows, parse))

    def _read_row(self, kind: str, row: object, parse: Callable[[Any], T]) -> T | UnreadRow:
        try:
            return parse(row)
        except UNREAD as error:
            reason = f"{type(error).__name__}: {error}"[:200]
        self.skip(kind, reason)
        return describe_row(self.venue, kind, row, reason, self._fields)

    def skip(self, kind: str, why: str) -> None:
        self.skipped[kind] += 1
        if self.skipped[kind] == 1:
            logger.warning(
                "%s: one of kind %.40r could not be read and was left out, more of them will be counted only: %.200s",
                self.venue,
                kind,
                why,
            )


def keep_read(rows: Iterable[T | UnreadRow]) -> list[T]:
    return [row for row in rows if not isinstance(row, UnreadRow)]


def describe_row(venue: str, kind: str, row: object, reason: str, fields: FieldNames) -> UnreadRow:
    """Keeps a row that could not be read, with what it says of itself."""

    def told(name: str, longest: int) -> str:
        with suppress(Malformed):
            return parse_text(find_value(row, fields.get(name, ())), longest)
        return ""

    return UnreadRow(
        venue=venue,
        kind=kind,
        raw=write_raw(row),
        reason=reason,
        symbol=told("symbol", 32),
        venue_order_id=told("venue_order_id", 64),
        client_order_id=told("client_order_id", 64),
        side=side if (side := told("side", 4).lower()) in ("buy", "sell") else "",
        quantity=_told_quantity(find_value(row, fields.get("quantity", ()))),
    )


def _told_quantity(value: object) -> Decimal | None:
    with suppress(Malformed):
        return parse_number(value)
    return None


def find_value(row: object, names: Sequence[str], depth: int = 2) -> object:
    """The first value under one of the names, in the row or in what it contains."""
    if not isinstance(row, dict):
        return None
    for name in names:
        if row.get(name) not in (None, ""):
            return row[name]
    inner = (find_value(value, names, depth - 1) for value in row.values()) if depth else ()
    return next((value for value in inner if value is not None), None)


def write_raw(row: object) -> str:
    """The row in JSON, as far as it is kept."""
    try:
        return json.dumps(hide_secrets(row), default=str)[:RAW]
    except (ValueError, RecursionError):
        return ""


def hide_secrets(value: object) -> object:
    if isinstance(value, dict):
        return {name: "(hidden)" if SECRET.search(str(name)) else hide_secrets(inner) for name, inner in value.items()}
    return [hide_secrets(inner) for inner in value] if isinstance(value, list) else value
