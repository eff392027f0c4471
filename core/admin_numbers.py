"""Admin pages write amounts to their last digit and no further: Django pads a decimal column to the places that it could have."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import DecimalField, Model
from django.http import HttpRequest

from core.text import decimal_text

if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Any]
else:
    AnyAdmin = admin.ModelAdmin


class ExactNumbers(AnyAdmin):
    """Of rows that nobody changes there."""

    def get_list_display(self, request: HttpRequest) -> Any:
        return [exact_column(self.model, name) for name in super().get_list_display(request)]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        found = super().get_fieldsets(request, obj)
        return [
            (title, {**given, "fields": [exact_column(self.model, name) for name in given["fields"]]}) for title, given in found
        ]


def exact_column(model: type[Model], name: Any) -> str | Callable[[Model], str] | Any:
    """The column of that name, or what writes it where it is a decimal one."""
    try:
        column = model._meta.get_field(name) if isinstance(name, str) else None
    except FieldDoesNotExist:
        return name
    if not isinstance(column, DecimalField):
        return name

    @admin.display(description=column.verbose_name, ordering=name, empty_value="-")
    def write_number(row: Model) -> str | None:
        value: Decimal | None = getattr(row, name)
        return decimal_text(value)

    write_number.__name__ = name
    return write_number
