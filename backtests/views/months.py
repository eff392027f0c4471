"""Monthly returns as a table of years and months."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import prod
from typing import Any

STEPS = (0.01, 0.03, 0.07, 0.15)
"""Where a month's return gets the next stronger ground."""


@dataclass(frozen=True, slots=True)
class Year:
    """`months`: twelve cells, {"value", "heat"} or None outside the run. `total` compounds them."""

    year: str
    months: list[dict[str, Any] | None]
    total: dict[str, Any]


def month_table(returns: list[dict[str, Any]]) -> list[Year]:
    by_year: dict[str, dict[int, float | None]] = defaultdict(dict)
    for one in returns:
        year, month = one["month"].split("-")
        by_year[year][int(month)] = one["return"]
    return [
        Year(
            year,
            [month_cell(months[number]) if number in months else None for number in range(1, 13)],
            month_cell(compound_months(months)),
        )
        for year, months in by_year.items()
    ]


def compound_months(months: dict[int, float | None]) -> float:
    return prod(1 + (value or 0) for value in months.values()) - 1


def month_cell(value: float | None) -> dict[str, Any]:
    if value is None:
        return {"value": None, "heat": ""}
    strength = 1 + sum(abs(value) >= step for step in STEPS)
    return {"value": value, "heat": "" if abs(value) < 5e-5 else f"{'gain' if value > 0 else 'loss'}-{strength}"}
