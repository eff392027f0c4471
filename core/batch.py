"""Several rows written by one statement: one round trip to the database, where an order would otherwise wait for one a row.

    batch = WriteBatch()
    batch.insert(order)
    batch.insert(allocation, refers={"order": order})
    batch.update(state, "version", "book", version=6)
    missed = batch.run()

The rows are written as they are when the batch runs: all of them or none, also outside of a transaction, where rows that many
orders share stay locked for no longer than the statement takes. Every part of the statement sees the database as it was before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from core.columns import AnyField, field_of, insertable_fields, key_of, quote_column, quote_table, type_of
from core.prepared import execute_prepared

GO = "(SELECT missed FROM go) = -1"
"""A condition of every part: all requirements are met."""


@dataclass(frozen=True, slots=True)
class Insert:
    rows: tuple[Model, ...]
    refers: Mapping[str, Model]
    tells: Mapping[int, Model]
    lock: int | None


@dataclass(slots=True)
class Update:
    row: Model
    names: dict[str, None] = field(default_factory=dict)
    where: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Requirement:
    """A query (with `FOR UPDATE` where it is of rows) that must find `count` rows for anything to be written; None: any number.
    `of`: what it is about, for the answer of `run`."""

    of: object
    sql: str
    values: Sequence[Any]
    count: int | None


@dataclass(slots=True)
class WriteBatch:
    requirements: list[Requirement] = field(default_factory=list)
    inserts: list[Insert] = field(default_factory=list)
    updates: dict[tuple[type[Model], Any], Update] = field(default_factory=dict)
    also: list[tuple[str, str, Sequence[Any]]] = field(default_factory=list)
    """Parts that write no row of a model: name, SQL with `GO` among its conditions, values."""
    after: list[Callable[[], None]] = field(default_factory=list)
    """Called once this has been committed."""

    def insert(
        self,
        *rows: Model,
        refers: Mapping[str, Model] | None = None,
        tells: Mapping[int, Model] | None = None,
        lock: int | None = None,
    ) -> None:
        """Inserts rows of one model, which get their keys in this order. `refers`: columns that point to rows of this batch, each
        of which is inserted alone. `tells`: for the row at this place, a row of the batch whose key goes into the payload as `id`;
        it is inserted alone, too. `lock`: an advisory lock that is taken before the keys are given and held until the transaction
        ends, so insert such rows last."""
        if rows:
            self.inserts.append(Insert(rows, refers or {}, tells or {}, lock))

    def update(self, row: Model, *names: str, **where: Any) -> None:
        """Updates these columns of a row that exists; `where`: column values that it must have for anything to be written."""
        found = self.updates.setdefault((type(row), row.pk), Update(row))
        found.names.update(dict.fromkeys(names))
        found.where.update(where)

    def require(self, of: object, sql: str, values: Sequence[Any], *, count: int | None = 1) -> None:
        """Adds a requirement: a query that must find `count` rows for anything to be written. They are tested in this order,
        after those of rows that are updated with a `where`. `of`: what `run` returns if this one is not met."""
        self.requirements.append(Requirement(of, sql, values, count))

    def copy(self) -> WriteBatch:
        """Another batch with the same parts, which can be added to and run without changing this one."""
        return WriteBatch([*self.requirements], [*self.inserts], {**self.updates}, [*self.also], [*self.after])

    def run(self) -> object | None:
        """Writes it all. Returns what stood in the way, a row or what a requirement is `of`: then nothing was written. None: all
        was."""
        updates = list(self.updates.values())
        if not (updates or self.inserts or self.also):
            return None
        statement = Statement([*(row_requirement(update) for update in updates if update.where), *self.requirements])
        for update in updates:
            statement.update(update)
        for name, sql, values in self.also:
            statement.add(name, sql, values)
        for insert in self.inserts:
            statement.insert(insert)
        missed, keys = statement.run()
        if missed is not None:
            return missed
        for insert, found in zip(self.inserts, keys, strict=True):
            for row, key in zip(insert.rows, found, strict=True):
                row.pk, row._state.adding, row._state.db = key, False, connection.alias
        for action in self.after:
            transaction.on_commit(action)
        return None


def row_requirement(update: Update) -> Requirement:
    model = type(update.row)
    where = {"pk": update.row.pk, **update.where}
    fields = [key_of(model) if name == "pk" else field_of(model, name) for name in where]
    conditions = " AND ".join(f"{quote_column(one)} = %s::{type_of(one)}" for one in fields)
    values = [one.get_db_prep_save(value, connection) for one, value in zip(fields, where.values(), strict=True)]
    return Requirement(update.row, f"SELECT 1 FROM {quote_table(model)} WHERE {conditions} FOR UPDATE", values, 1)


class Statement:
    """`WITH required0 AS (SELECT ... FOR UPDATE), go AS (...), part0 AS (UPDATE ...), part1 AS (INSERT ...) SELECT`. PostgreSQL
    carries the parts out in the order in which the last SELECT reads them, which is that of the list; the requirements likewise,
    and none after one that is not met."""

    def __init__(self, requirements: Sequence[Requirement]) -> None:
        self.requirements = requirements
        self.parts: list[str] = []
        self.values: list[Any] = []
        self.read: list[str] = []
        self.inserted = 0
        self.alone: dict[int, str] = {}
        """The parts of rows that are inserted alone, by `id()` of the row."""
        for number, requirement in enumerate(requirements):
            self.part(f"required{number}", requirement.sql, requirement.values, "MATERIALIZED ")
        tests = ["< 0" if requirement.count is None else f"<> {requirement.count}" for requirement in requirements]
        misses = " ".join(f"WHEN (SELECT count(*) FROM required{i}) {test} THEN {i}" for i, test in enumerate(tests))
        self.part("go", f"SELECT {f'CASE {misses} ELSE -1 END' if requirements else -1} AS missed", (), "MATERIALIZED ")
        self.read.append("SELECT -1, missed FROM go")

    def part(self, name: str, sql: str, values: Sequence[Any], how: str = "") -> None:
        self.parts.append(f"{name} AS {how}({sql})")
        self.values += values

    def add(self, name: str, sql: str, values: Sequence[Any]) -> None:
        """Adds a part and reads it: PostgreSQL carries out one that nothing reads as well, but at the end, not in its turn."""
        self.part(name, sql, values)
        self.read.append(f"SELECT -2, count(*) FROM {name}")

    def update(self, update: Update) -> None:
        model, row = type(update.row), update.row
        fields = [field_of(model, name) for name in update.names]
        sets = ", ".join(f"{quote_column(one)} = %s::{type_of(one)}" for one in fields)
        values = [prepared_value(one, row, adding=False) for one in fields]
        key = key_of(model)
        sql = f"UPDATE {quote_table(model)} SET {sets} WHERE {quote_column(key)} = %s::{type_of(key)} AND {GO} RETURNING 1"
        self.add(f"update{len(self.parts)}", sql, [*values, row.pk])

    def insert(self, insert: Insert) -> None:
        model, name = type(insert.rows[0]), f"insert{len(self.parts)}"
        columns, source = insertable_fields(model), ""
        values: list[Any] = []
        if insert.lock is not None:
            source = f", {name}_lock"
            self.part(f"{name}_lock", f"SELECT pg_advisory_xact_lock({int(insert.lock)})", (), "MATERIALIZED ")
        selects = []
        for place, row in enumerate(insert.rows):
            shown = [self.render_value(one, row, insert, place, values) for one in columns]
            selects.append(f"SELECT {', '.join(shown)} FROM go{source} WHERE missed = -1")
        names = ", ".join(quote_column(one) for one in columns)
        if len(insert.rows) == 1:
            self.alone[id(insert.rows[0])] = name
        key, rows = quote_column(key_of(model)), " UNION ALL ".join(selects)
        sql = f"INSERT INTO {quote_table(model)} ({names}) {rows} RETURNING {key} AS id"
        self.part(name, sql, values)
        self.read.append(f"SELECT {self.inserted}, id FROM {name}")
        self.inserted += 1

    def render_value(self, one: AnyField, row: Model, insert: Insert, place: int, values: list[Any]) -> str:
        if one.name in insert.refers:
            return f"(SELECT id FROM {self.alone[id(insert.refers[one.name])]})"
        values.append(prepared_value(one, row, adding=True))
        if one.name == "payload" and place in insert.tells:
            referred = self.alone[id(insert.tells[place])]
            return f"%s::jsonb || jsonb_build_object('id', (SELECT id FROM {referred}))"
        return f"%s::{type_of(one)}"

    def run(self) -> tuple[object | None, list[list[int]]]:
        """Returns what stood in the way, and the keys of the rows of each insert."""
        keys: list[list[int]] = [[] for _ in range(self.inserted)]
        missed = None
        with execute_prepared(f"WITH {', '.join(self.parts)} {' UNION ALL '.join(self.read)}", self.values) as cursor:
            for number, value in cursor.fetchall():
                if number >= 0:
                    keys[number].append(value)
                elif number == -1 and value >= 0:
                    missed = self.requirements[value].of
        return missed, keys


def prepared_value(one: AnyField, row: Model, *, adding: bool) -> Any:
    return one.get_db_prep_save(one.pre_save(row, adding), connection)
