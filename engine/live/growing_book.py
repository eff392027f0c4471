"""A kernel's book whose tables grow when a step needs more room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.book import KernelBook

TABLES = ("lots", "working", "orders", "fills", "trades")


class GrowingBook:
    def __init__(self, book: KernelBook) -> None:
        self.book = book

    @property
    def totals(self) -> Any:
        """Cash, equity and the counts of rows in use: the kernel's own record, which may be written to."""
        return self.book.state[0]

    def adopt(self, **tables: Any) -> None:
        """Put these arrays in place of the book's."""
        self.book = self.book._replace(**tables)

    def run(self, entry: Callable[..., bool], *arguments: Any) -> None:
        """Enter the kernel, with longer tables where these are too short."""
        while not entry(self.book, *arguments):
            self.lengthen(2 * len(self.book.orders))

    def lengthen(self, rows: int) -> None:
        """Make every table at least `rows` long."""
        for name in TABLES:
            table = getattr(self.book, name)
            if len(table) >= rows:
                continue
            longer = np.zeros(rows, table.dtype)
            longer[: len(table)] = table
            self.adopt(**{name: longer})
