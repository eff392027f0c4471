"""Columns of money."""

from __future__ import annotations

from typing import Any

from django.db import models


def amount_field(**options: Any) -> models.DecimalField[Any, Any]:
    """A price, quantity or sum of money."""
    return models.DecimalField(max_digits=38, decimal_places=18, **options)
