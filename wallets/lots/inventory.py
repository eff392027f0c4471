"""Matching: every disposal with the lots that it takes, by the rule that holds at its moment."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

from wallets.lots.store import LotStore
from wallets.lots.trades import trade_flows
from wallets.lots.types import (
    UNIT,
    Change,
    Disposal,
    KnownCosts,
    Lot,
    LotRule,
    PastPrices,
    Shortage,
    Totals,
    share_of,
    to_units,
)

SALE, FEE = "sale", "fee"


class Inventory:
    """The lots of wallets, kept by their changes in the order of time. The reporting currency itself is cash, and has no lots."""

    def __init__(self, currency: str, prices: PastPrices, rules: Iterable[LotRule] = (), costs: KnownCosts | None = None) -> None:
        self.currency, self.prices, self.costs = currency, prices, costs or {}
        self.rules = deque(sorted(rules, key=lambda rule: rule.since))
        self.store, self.totals = LotStore(), Totals()
        self.change = Change(0, 0, 0, "")
        self.found: list[Disposal] = []

    def apply(self, change: Change) -> list[Disposal]:
        """The disposals that it made, and those that it covered."""
        self.change, self.found = change, []
        while self.rules and self.rules[0].since <= change.ts:
            self.settle(self.store.turn_to(self.rules.popleft()))
        if change.traded:
            for asset, amount, value, is_fee in trade_flows(change, self.currency, self.worth):
                self.book(asset, amount, value, FEE if is_fee else SALE)
        else:
            for asset, paid in change.fees:
                self.charge(asset, paid)
        for asset, amount in change.moved:
            if amount > 0:
                self.move_in(asset, amount)
            else:
                self.move_out(asset, -amount)
        return self.found

    def worth(self, asset: str, units: int) -> int | None:
        """In the reporting currency, at the moment of the change."""
        if asset == self.currency:
            return units
        price = self.prices.price_at(asset, self.change.ts)
        return None if price is None else share_of(units, to_units(price), UNIT)

    def book(self, asset: str, amount: int, value: int | None, kind: str) -> None:
        """An acquisition for `value`, or below zero a disposal."""
        change = self.change
        self.store.held[change.wallet, asset] += amount
        if asset == self.currency or not amount:
            return
        if amount > 0:
            self.receive(Lot(asset, amount, value, change.ts, change.kind, change.transaction, change.wallet))
        else:
            self.dispose(asset, -amount, value, kind)

    def dispose(self, asset: str, quantity: int, proceeds: int | None, kind: str) -> None:
        """One disposal of each lot that it takes, which shares the proceeds by quantity; what is in no lot is short."""
        change, share = self.change, proceeds
        for lot in self.store.take(change.wallet, asset, quantity):
            if proceeds is not None:
                share = share_of(proceeds, lot.quantity, quantity)
                proceeds -= share
            quantity -= lot.quantity
            self.note(Disposal(change.transaction, change.wallet, kind, asset, lot.quantity, change.ts, share), lot)
        if quantity:
            short = Disposal(change.transaction, change.wallet, kind, asset, quantity, change.ts, proceeds)
            self.store.owe(change.wallet, asset, Shortage(quantity, short))

    def charge(self, asset: str, paid: int) -> None:
        """A fee that belongs to no trade, at its value: it is a cost, or below zero income."""
        value = self.worth(asset, abs(paid))
        if paid > 0:
            self.totals.costs += value or 0
        else:
            self.totals.income += value or 0
        self.book(asset, -paid, value, FEE)

    def move_in(self, asset: str, amount: int) -> None:
        """First what waits for the other end of a transfer, then lots of told cost. Nobody knows what the rest cost."""
        change = self.change
        self.store.held[change.wallet, asset] += amount
        if asset == self.currency:
            self.totals.put_in += amount
            return
        for lot in self.waiting_lots(asset, amount):
            amount -= lot.quantity
            self.receive(lot)
        if amount:
            self.receive(Lot(asset, amount, None, change.ts, change.kind, change.transaction, change.wallet))

    def waiting_lots(self, asset: str, amount: int) -> Iterator[Lot]:
        """Those parked by the other end of this transfer, and those that a person told the cost of; no more than the amount."""
        change = self.change
        for lot in self.store.take_parked(change.link, asset, amount) if change.link else ():
            amount -= lot.quantity
            yield replace(lot, transaction=change.transaction, wallet=change.wallet)
        for known in self.costs.get((change.transaction, asset), ()):
            lot = Lot(asset, known.quantity, known.basis, known.acquired, change.kind, change.transaction, change.wallet)
            lot = lot.split(min(amount, lot.quantity))
            amount -= lot.quantity
            self.totals.put_in += lot.basis or 0
            if lot.quantity:
                yield lot

    def move_out(self, asset: str, quantity: int) -> None:
        """Parks the lots for the other end of a transfer, or lets them go, at their cost."""
        change, left = self.change, quantity
        self.store.held[change.wallet, asset] -= quantity
        if asset == self.currency:
            self.totals.put_in -= quantity
            return
        for lot in self.store.take(change.wallet, asset, quantity):
            left -= lot.quantity
            if change.link:
                self.store.park(change.link, lot)
            else:
                self.totals.put_in -= lot.basis or 0
        if left:
            self.store.owe(change.wallet, asset, Shortage(left, None))

    def receive(self, lot: Lot) -> None:
        self.settle(self.store.put(self.change.wallet, lot))

    def settle(self, covered: Iterable[tuple[Shortage, Lot]]) -> None:
        """Completes what was short with the lots that came for it."""
        for shortage, lot in covered:
            if shortage.disposal is None:
                self.totals.put_in -= lot.basis or 0
            else:
                shortage.disposal.covered = True
                self.note(shortage.disposal, lot)

    def note(self, disposal: Disposal, lot: Lot) -> None:
        """What a disposal took, with the lot that it took."""
        disposal.acquired, disposal.basis = lot.acquired, lot.basis
        self.totals.gains += disposal.gain or 0
        self.found.append(disposal)
