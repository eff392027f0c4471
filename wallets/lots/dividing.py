"""From lots of all wallets to those of each: by what each has, the oldest lots first."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from wallets.lots.pools import LotPool, oldest_first
from wallets.lots.types import Lot, Shortage

UNKNOWN = "unknown"
Share: TypeAlias = tuple[int, str, "Lot | Shortage"]
"""What a wallet gets of an asset."""


def divide_lots(asset: str, lots: Iterable[Lot], short: Iterable[Shortage], held: Mapping[int, int], ts: int) -> Iterator[Share]:
    """`held` by wallet, below zero where it gave more than it had. Wallets come in the order of their keys. Where the lots do not
    suffice, because another wallet used them up, a lot of unknown cost stands for the rest, and a shortage at that other wallet."""
    pool, owed = LotPool(oldest_first), deque(short)
    for lot in lots:
        pool.put(lot)
    for wallet, amount in sorted(held.items()):
        for share in pool.take(amount) if amount > 0 else take_shortages(owed, -amount):
            amount += share.quantity if isinstance(share, Shortage) else -share.quantity
            yield wallet, asset, share
        if amount > 0:
            yield wallet, asset, Lot(asset, amount, None, ts, UNKNOWN, 0, wallet)
        elif amount:
            yield wallet, asset, Shortage(-amount, None)


def take_shortages(owed: deque[Shortage], quantity: int) -> Iterator[Shortage]:
    while owed and quantity:
        first = owed.popleft()
        if first.quantity > quantity:
            owed.appendleft(first)
            first = first.split(quantity)
        quantity -= first.quantity
        yield first
