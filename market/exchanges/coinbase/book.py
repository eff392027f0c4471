"""A depth of book kept from a snapshot and its changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from heapq import nlargest, nsmallest

from core.times import EPOCH
from market.exchanges.base import Depth, Side
from market.exchanges.coinbase.frames import VENUE

LEVELS = 20
EVERY = timedelta(milliseconds=250)
"""Changes come many times a second, and each picture means a look at all levels."""


class DepthBook:
    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self._sides: dict[Side, dict[Decimal, Decimal]] = {"buy": {}, "sell": {}}
        self._shown = EPOCH

    def due(self, moment: datetime) -> bool:
        """Whether it is time for another picture."""
        return moment - self._shown >= EVERY

    def change(self, levels: Sequence[tuple[Side, Decimal, Decimal]], *, snapshot: bool) -> None:
        """Each quantity is what stands at that price now. Zero removes the level."""
        if snapshot:
            self._sides, self._shown = {"buy": {}, "sell": {}}, EPOCH
        for side, price, quantity in levels:
            if quantity:
                self._sides[side][price] = quantity
            else:
                self._sides[side].pop(price, None)

    def depth(self, time: datetime) -> Depth:
        self._shown = time
        bids = nlargest(LEVELS, self._sides["buy"].items())
        asks = nsmallest(LEVELS, self._sides["sell"].items())
        return Depth(VENUE, self.symbol, time, tuple(bids), tuple(asks))
