"""Several rows written by one statement: one way to the database and back, where an order would wait for one of each.

    batch = Batch()
    batch.insert(order)
    batch.insert(allocation, refers={"order": order})
    batch.update(position, "quantity", "cost")
    batch.run()

What is written is what the rows hold when it runs. Part of the caller's transaction; every part of it sees the database as it was
before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from django.db import connection
from django.db.models import Field, Model

AnyField: TypeAlias = "Field[Any, Any]"


@dataclass(frozen=True, slots=True)
class Insert:
    rows: tuple[Model, ...]
    refers: Mapping[str, Model]
    lock: int | None


@dataclass(slots=True)
class Update:
    row: Model
    names: dict[str, None] = field(default_factory=dict)
    where: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Batch:
    inserts: list[Insert] = field(default_factory=list)
    updates: dict[tuple[type[Model], Any], Update] = field(default_factory=dict)

    def insert(self, *rows: Model, refers: Mapping[str, Model] | None = None, lock: int | None = None) -> None:
        """Rows of one model, which get their keys in this order. `refers`: columns that point to rows of this batch, each inserted
        alone. `lock`: an advisory lock that is had before the keys are given, until the transaction ends: insert those last."""
        if rows:
            self.inserts.append(Insert(rows, refers or {}, lock))

    def update(self, row: Model, *names: str, **where: Any) -> None:
        """These columns of a row that exists; `where`: what else must hold for it to be written."""
        found = self.updates.setdefault((type(row), row.pk), Update(row))
        found.names.update(dict.fromkeys(names))
        found.where.update(where)

    def run(self) -> list[Model]:
        """Writes it all. Answers the rows of which `where` did not hold: they were not written."""
        updates = list(self.updates.values())
        if not updates and not self.inserts:
            return []
        statement = Statement()
        for update in updates:
            statement.update(update)
        for insert in self.inserts:
            statement.insert(insert)
        keys = statement.run()
        self.updates.clear()
        for insert, found in zip(self.inserts, keys[len(updates) :], strict=True):
            for row, key in zip(insert.rows, found, strict=True):
                row.pk, row._state.adding, row._state.db = key, False, connection.alias
        self.inserts.clear()
        return [update.row for update, found in zip(updates, keys, strict=False) if not found]


class Statement:
    """`WITH part0 AS (UPDATE ...), part1 AS (INSERT ...) SELECT`: PostgreSQL carries the parts out in the order in which the keys
    that they answer are read, which is theirs."""

    def __init__(self) -> None:
        self.locks: list[str] = []
        self.parts: list[str] = []
        self.values: list[Any] = []
        self.alone: dict[int, int] = {}
        """Rows that are inserted alone, by `id()`: their part."""

    def update(self, update: Update) -> None:
        model, row = type(update.row), update.row
        fields = [field_of(model, name) for name in update.names]
        held = [field_of(model, name) for name in update.where]
        sets = ", ".join(f"{column(one)} = {self.value(one, one.pre_save(row, False))}" for one in fields)
        key = column(key_of(model))
        conditions = [f"{key} = {self.value(key_of(model), row.pk)}"]
        conditions += [f"{column(one)} = {self.value(one, update.where[one.name])}" for one in held]
        self.part(f"UPDATE {table(model)} SET {sets} WHERE {' AND '.join(conditions)} RETURNING {key} AS id")

    def insert(self, insert: Insert) -> None:
        model = type(insert.rows[0])
        columns = insertable(model)
        source = ""
        if insert.lock is not None:
            source = f" FROM lock{len(self.parts)}"
            self.locks.append(f"lock{len(self.parts)} AS MATERIALIZED (SELECT pg_advisory_xact_lock({int(insert.lock)}))")
        selects = [f"SELECT {', '.join(self.shown(one, row, insert.refers) for one in columns)}{source}" for row in insert.rows]
        names = ", ".join(column(one) for one in columns)
        if len(insert.rows) == 1:
            self.alone[id(insert.rows[0])] = len(self.parts)
        self.part(f"INSERT INTO {table(model)} ({names}) {' UNION ALL '.join(selects)} RETURNING {column(key_of(model))} AS id")

    def shown(self, one: AnyField, row: Model, refers: Mapping[str, Model]) -> str:
        if one.name in refers:
            return f"(SELECT id FROM part{self.alone[id(refers[one.name])]})"
        return self.value(one, one.pre_save(row, True))

    def value(self, one: AnyField, value: Any) -> str:
        self.values.append(one.get_db_prep_save(value, connection))
        return f"%s::{kind_of(one)}"

    def part(self, body: str) -> None:
        self.parts.append(f"part{len(self.parts)} AS ({body})")

    def run(self) -> list[list[int]]:
        """The keys that each part answers."""
        answers = " UNION ALL ".join(f"SELECT {number}, id FROM part{number}" for number in range(len(self.parts)))
        keys: list[list[int]] = [[] for _ in self.parts]
        with connection.cursor() as cursor:
            cursor.execute(f"WITH {', '.join([*self.locks, *self.parts])} {answers}", self.values)
            for number, key in cursor.fetchall():
                keys[number].append(key)
        return keys


@lru_cache
def insertable(model: type[Model]) -> list[AnyField]:
    return [one for one in model._meta.concrete_fields if not one.primary_key]


@lru_cache
def kind_of(one: AnyField) -> str:
    kind = one.db_type(connection)
    assert kind
    return {"bigserial": "bigint"}.get(kind, kind).split(" GENERATED")[0]


@lru_cache
def field_of(model: type[Model], name: str) -> AnyField:
    found = model._meta.get_field(name)
    assert isinstance(found, Field)
    return found


def key_of(model: type[Model]) -> AnyField:
    assert model._meta.pk
    return model._meta.pk


def column(one: AnyField) -> str:
    assert one.column
    return quoted(one.column)


def table(model: type[Model]) -> str:
    return quoted(model._meta.db_table)


def quoted(name: str) -> str:
    return connection.ops.quote_name(name)
