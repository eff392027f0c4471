"""What is wrong with a file, row by row: the first faults in full, and a count of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from engine.types import Bools, Ints

KEPT = 200


@dataclass(frozen=True, slots=True, order=True)
class RowProblem:
    row: int
    field: str
    message: str

    def as_dict(self) -> dict[str, int | str]:
        return {"row": self.row, "field": self.field, "message": self.message}


@dataclass(slots=True)
class Problems:
    count: int = 0
    _found: list[RowProblem] = field(default_factory=list)

    def add(self, row: int, name: str, message: str) -> None:
        self.count += 1
        if len(self._found) < KEPT:
            self._found.append(RowProblem(row, name, message))

    def add_where(self, wrong: Bools, rows: Ints, name: str, message: Callable[[int], str]) -> None:
        """Adds one for each row that is wrong. `message` gets a position and is called for the first ones only."""
        where = np.flatnonzero(wrong)
        self.count += len(where)
        self._found += [RowProblem(int(rows[index]), name, message(int(index))) for index in where[:KEPT]]

    def first(self) -> list[dict[str, int | str]]:
        """The first faults, in the order of the rows."""
        return [problem.as_dict() for problem in sorted(self._found)[:KEPT]]
