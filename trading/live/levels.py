"""The prices that bots wait for, compared with each tick all at once. Everything is called on the loop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

import numpy as np

from engine.live import PriceLevel
from trading.live.threads import LOOP, called_from

Owner = TypeVar("Owner", bound=Hashable)
START = 64


@called_from(LOOP)
class SymbolLevels(Generic[Owner]):
    """One symbol's levels as two columns, one row a level; rows are used again, so that a change costs what has changed."""

    def __init__(self) -> None:
        self.stop = np.full(START, -np.inf)
        self.take = np.full(START, np.inf)
        self.owner: list[Owner | None] = [None] * START
        self.rows: dict[Owner, list[int]] = {}
        self.free = list(range(START - 1, -1, -1))

    def put(self, owner: Owner, levels: Iterable[PriceLevel]) -> None:
        for row in self.rows.pop(owner, ()):
            self.stop[row], self.take[row], self.owner[row] = -np.inf, np.inf, None
            self.free.append(row)
        for level in levels:
            row = self.take_row()
            self.stop[row] = -np.inf if np.isnan(level.stop) else level.stop
            self.take[row] = np.inf if np.isnan(level.take) else level.take
            self.owner[row] = owner
            self.rows.setdefault(owner, []).append(row)

    def take_row(self) -> int:
        """A free row; the columns grow where there is none."""
        if not self.free:
            size = len(self.owner)
            self.stop = np.concatenate([self.stop, np.full(size, -np.inf)])
            self.take = np.concatenate([self.take, np.full(size, np.inf)])
            self.owner += [None] * size
            self.free = list(range(2 * size - 1, size - 1, -1))
        return self.free.pop()

    def hit(self, price: float) -> set[Owner]:
        """Whose levels the price has reached: at or below a stop, at or above a take."""
        reached = np.flatnonzero((self.stop >= price) | (self.take <= price))
        return {owner for row in reached if (owner := self.owner[row]) is not None}


@called_from(LOOP)
class Levels(Generic[Owner]):
    def __init__(self) -> None:
        self.symbols: dict[str, SymbolLevels[Owner]] = {}

    def put(self, owner: Owner, levels: Iterable[PriceLevel]) -> None:
        """In place of all that the owner had."""
        mine: dict[str, list[PriceLevel]] = defaultdict(list)
        for level in levels:
            mine[level.symbol].append(level)
        for symbol in mine.keys() - self.symbols.keys():
            self.symbols[symbol] = SymbolLevels()
        for symbol, table in self.symbols.items():
            if symbol in mine or owner in table.rows:
                table.put(owner, mine[symbol])

    def hit(self, symbol: str, price: float) -> set[Owner]:
        table = self.symbols.get(symbol)
        return table.hit(price) if table is not None and table.rows else set()
