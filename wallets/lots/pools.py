"""Lots of one asset, in the order in which they are taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from heapq import heappop, heappush
from typing import Any

from wallets.lots.types import UNIT, Lot, LotMethod, share_of

Place = tuple[Any, ...]


class LotPool:
    """The lots of one asset, of one wallet or of all. A cost that nobody knows comes last where the order goes by cost."""

    def __init__(self, order: Callable[[Lot, int], Place]) -> None:
        self.order, self.heap, self.number = order, list[tuple[Place, Lot]](), 0

    def __bool__(self) -> bool:
        return bool(self.heap)

    def __iter__(self) -> Iterator[Lot]:
        return (lot for _, lot in sorted(self.heap, key=lambda item: item[0]))

    def put(self, lot: Lot) -> None:
        self.number += 1
        heappush(self.heap, (self.order(lot, self.number), lot))

    def take(self, quantity: int) -> list[Lot]:
        """Lots, and a part of the last, that make up the quantity; less where there is less."""
        taken, heap = [], self.heap
        while quantity and heap:
            lot = heap[0][1]
            part = lot.split(quantity) if lot.quantity > quantity else heappop(heap)[1]
            taken.append(part)
            quantity -= part.quantity
        return taken


class AveragePool(LotPool):
    """Lots that share what they cost by quantity. Those of unknown cost stay apart, and are taken when no other is left."""

    def __init__(self, order: Callable[[Lot, int], Place]) -> None:
        super().__init__(order)
        self.basis = self.quantity = 0

    def __iter__(self) -> Iterator[Lot]:
        """Each with its share, which sum to the whole."""
        basis, quantity = self.basis, self.quantity
        for lot in super().__iter__():
            if lot.basis is not None:
                share = share_of(basis, lot.quantity, quantity)
                basis, quantity = basis - share, quantity - lot.quantity
                lot = replace(lot, basis=share)
            yield lot

    def put(self, lot: Lot) -> None:
        super().put(lot)
        if lot.basis is not None:
            self.basis += lot.basis
            self.quantity += lot.quantity

    def take(self, quantity: int) -> list[Lot]:
        taken = super().take(quantity)
        for lot in taken:
            if lot.basis is not None:
                lot.basis = share_of(self.basis, lot.quantity, self.quantity)
                self.basis -= lot.basis
                self.quantity -= lot.quantity
        return taken


def oldest_first(lot: Lot, number: int) -> Place:
    return lot.acquired, number


def newest_first(lot: Lot, number: int) -> Place:
    return -lot.acquired, -number


def dearest_first(lot: Lot, number: int) -> Place:
    """By what one of it cost; of equal ones the oldest."""
    price = 0 if lot.basis is None else lot.basis * UNIT // lot.quantity
    return lot.basis is None, -price, lot.acquired, number


def known_first(lot: Lot, number: int) -> Place:
    return lot.basis is None, lot.acquired, number


def make_pool(method: LotMethod) -> LotPool:
    if method is LotMethod.AVERAGE:
        return AveragePool(known_first)
    return LotPool({LotMethod.FIFO: oldest_first, LotMethod.LIFO: newest_first, LotMethod.HIFO: dearest_first}[method])
