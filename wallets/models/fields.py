"""Columns of money."""

from __future__ import annotations

from typing import Any

from django.db import models


def money_field(**options: Any) -> models.DecimalField[Any, Any]:
    """A sum of an asset."""
    return models.DecimalField(max_digits=38, decimal_places=18, **options)


def share_field(**options: Any) -> models.DecimalField[Any, Any]:
    """A share of the traded value: 0.001 is 10 basis points."""
    return models.DecimalField(max_digits=12, decimal_places=10, **options)
