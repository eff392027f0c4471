"""A model's columns as SQL writes them. `Model._meta` is asked here and nowhere else for them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

from django.db import connection
from django.db.models import Field, Model

AnyField: TypeAlias = "Field[Any, Any]"


def list_columns(model: type[Model]) -> list[AnyField]:
    """The fields of `model` that are columns of its own table, in the order in which `Model.from_db` takes them."""
    return list(model._meta.concrete_fields)


@lru_cache
def insertable_fields(model: type[Model]) -> list[AnyField]:
    """Its columns without the key, which the database gives."""
    return [one for one in list_columns(model) if not one.primary_key]


@lru_cache
def type_of(one: AnyField) -> str:
    """The type that a value of this column is cast to."""
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


@lru_cache
def quote_column(one: AnyField) -> str:
    assert one.column
    return quote_name(one.column)


@lru_cache
def quote_table(model: type[Model]) -> str:
    return quote_name(model._meta.db_table)


def quote_name(name: str) -> str:
    return connection.ops.quote_name(name)
