"""Where lots are: in pools by wallet and asset, or by asset alone; parked between two wallets; or short."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from typing import TypeAlias

from wallets.lots.dividing import Share, divide_lots
from wallets.lots.pools import LotPool, make_pool
from wallets.lots.types import Lot, LotMethod, LotRule, LotScope, Shortage

Place: TypeAlias = tuple[int, str]
"""(wallet, asset); wallet 0 where the lots are those of all."""
Covered: TypeAlias = tuple[Shortage, Lot]
"""A shortage, and the lot that made up for it, of the same quantity."""
FIRST_RULE = LotRule(0, LotMethod.FIFO, LotScope.WALLET)


class LotStore:
    """What is given and is in no lot is a shortage, which the next lot covers: a place has lots or a shortage, never both."""

    def __init__(self) -> None:
        self.rule = FIRST_RULE
        self.pools: dict[Place, LotPool] = {}
        self.shortages: dict[Place, deque[Shortage]] = {}
        self.parked: dict[tuple[str, str], LotPool] = {}
        self.held: defaultdict[Place, int] = defaultdict(int)
        """What each wallet has of each asset."""

    def find_place(self, wallet: int, asset: str) -> Place:
        return (wallet if self.rule.scope is LotScope.WALLET else 0), asset

    def take(self, wallet: int, asset: str, quantity: int) -> list[Lot]:
        """Lots by the method of the rule; less than the quantity where there is less."""
        pool = self.pools.get(self.find_place(wallet, asset))
        return pool.take(quantity) if pool else []

    def put(self, wallet: int, lot: Lot) -> list[Covered]:
        """A lot into its pool, after it has covered what was short."""
        place, covered = self.find_place(wallet, lot.asset), []
        owed = self.shortages.get(place)
        while owed and lot.quantity:
            quantity = min(lot.quantity, owed[0].quantity)
            covered.append((owed[0].split(quantity), lot.split(quantity)))
            if not owed[0].quantity:
                owed.popleft()
        if lot.quantity:
            pool = self.pools.get(place)
            if pool is None:
                pool = self.pools[place] = make_pool(self.rule.method)
            pool.put(lot)
        return covered

    def owe(self, wallet: int, asset: str, shortage: Shortage) -> None:
        self.shortages.setdefault(self.find_place(wallet, asset), deque()).append(shortage)

    def park(self, link: str, lot: Lot) -> None:
        """Until the other end of a transfer comes."""
        self.parked.setdefault((link, lot.asset), make_pool(self.rule.method)).put(lot)

    def take_parked(self, link: str, asset: str, quantity: int) -> list[Lot]:
        pool = self.parked.get((link, asset))
        return pool.take(quantity) if pool else []

    def turn_to(self, rule: LotRule) -> list[Covered]:
        """Another method takes the same lots in another order. Another scope puts them together, or divides them by what each
        wallet has, the oldest first."""
        divide = self.rule.scope is LotScope.ALL and rule.scope is LotScope.WALLET
        pools, shortages = self.pools, self.shortages
        self.rule, self.pools, self.shortages = rule, {}, {}
        shares: list[Share] = []
        for place in {**shortages, **pools}:
            lots, owed, (wallet, asset) = pools.get(place, ()), shortages.get(place, ()), place
            if divide:
                shares += divide_lots(asset, lots, owed, self.held_by_wallet(asset), rule.since)
            else:
                shares += [(wallet, asset, one) for one in (*owed, *lots)]
        for wallet, asset, share in shares:
            if isinstance(share, Shortage):
                self.owe(wallet, asset, share)
        # What one wallet has too little of, another one's lots may cover now.
        return [one for wallet, _, share in shares if isinstance(share, Lot) for one in self.put(wallet, share)]

    def held_by_wallet(self, asset: str) -> dict[int, int]:
        return {wallet: amount for (wallet, name), amount in self.held.items() if name == asset}

    def list_lots(self) -> Iterator[tuple[int, str, Lot]]:
        """Each with its wallet (0: they are those of all), and with the link where it is parked."""
        for (wallet, _), pool in self.pools.items():
            yield from ((wallet, "", lot) for lot in pool)
        for (link, _), pool in self.parked.items():
            yield from ((0, link, lot) for lot in pool)

    def list_shortages(self) -> Iterator[tuple[Place, Shortage]]:
        return ((place, one) for place, shortages in self.shortages.items() for one in shortages)
