"""Tables for people, in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def format_table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table; every column but the first is right-aligned."""
    cells = [[str(cell) for cell in row] for row in [heads, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]

    def line(row: Sequence[str]) -> str:
        padded = (
            cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return f"| {' | '.join(padded)} |"

    rule = "| " + " | ".join("-" * width if i == 0 else "-" * (width - 1) + ":" for i, width in enumerate(widths)) + " |"
    return "\n".join([line(cells[0]), rule, *map(line, cells[1:])]) + "\n"
