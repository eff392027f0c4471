"""How pages write sweeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from backtests.templatetags.runs import params_text
from engine.metrics import KINDS
from market.templatetags import desk

register = template.Library()


@register.filter
def value_of(trial: Mapping[str, Any], name: str) -> Any:
    return trial.get(name)


@register.filter
def point_text(trial: Mapping[str, Any]) -> str:
    """fast 7, slow 115."""
    return params_text(trial)


@register.filter
def heat_number(value: Any, metric: str) -> str:
    """Short enough for a cell: percentages without their sign, large numbers whole."""
    if KINDS[metric] == "percent":
        return desk.number(value * 100, 1) if value is not None else desk.MISSING
    return desk.number(value, 2 if KINDS[metric] == "number" else 0)
