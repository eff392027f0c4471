"""A row, and the one that belongs to it, read by one prepared statement: one round trip to the database where an order waits."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model

from core.columns import field_of, key_of, list_columns, quote_column, quote_table
from core.prepared import execute_prepared

MainRow = TypeVar("MainRow", bound=Model)
Row = TypeVar("Row", bound=Model)


class JoinedRows(Generic[MainRow]):
    """Rows of `model`, each with the row of `related` whose one-to-one field `link` points at it, if there is one."""

    def __init__(self, model: type[MainRow], related: type[Model], link: str) -> None:
        self.model, self.related, self.link = model, related, link
        self.statements: dict[str, str] = {}
        """By the field that rows are looked up by. Made when first needed: models may be incomplete while they are imported."""

    def read(self, by: str, value: object) -> MainRow | None:
        """The row whose unique field `by` has this value, its relation to the other row filled in; None where there is none."""
        sql = self.statements.get(by) or self.statements.setdefault(by, self.make_statement(by))
        with execute_prepared(sql, [value]) as cursor:
            row = cursor.fetchone()
        if row is None:
            return None
        width = len(list_columns(self.model))
        main = make_row(self.model, row[:width])
        if row[width] is not None:
            # Assigning this end of the relation fills the cache of the other one too.
            setattr(make_row(self.related, row[width:]), self.link, main)
        return main

    def make_statement(self, by: str) -> str:
        main = [f"main.{quote_column(one)}" for one in list_columns(self.model)]
        other = [f"other.{quote_column(one)}" for one in list_columns(self.related)]
        join = f"other.{quote_column(field_of(self.related, self.link))} = main.{quote_column(key_of(self.model))}"
        source = f"{quote_table(self.model)} AS main LEFT JOIN {quote_table(self.related)} AS other ON {join}"
        return f"SELECT {', '.join([*main, *other])} FROM {source} WHERE main.{quote_column(field_of(self.model, by))} = %s"  # noqa: S608


def make_row(model: type[Row], values: tuple[Any, ...]) -> Row:
    """`values` in the order of `list_columns`."""
    return model.from_db(connection.alias, [one.attname for one in list_columns(model)], values)
