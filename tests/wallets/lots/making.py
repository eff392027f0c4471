"""Changes of wallets for tests of cost basis, in plain decimals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from wallets.lots.inventory import Inventory
from wallets.lots.types import Change, Disposal, KnownLot, LotMethod, LotRule, LotScope, from_units, to_units

numbers = count(1)
DAY = 86_400_000_000


class TablePrices:
    """The same price at every moment, or for (asset, moment) another one."""

    def __init__(self, prices: Mapping[Any, str]) -> None:
        self.prices = {key: Decimal(price) for key, price in prices.items()}

    def price_at(self, asset: str, ts: int) -> Decimal | None:
        return self.prices.get((asset, ts), self.prices.get(asset))


def units(text: str | int | Decimal) -> int:
    return to_units(Decimal(text))


def moment(text: str) -> int:
    """Microseconds of a date."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def rule(method: str, scope: str = "wallet", since: int = 0) -> LotRule:
    return LotRule(since, LotMethod(method), LotScope(scope))


def trade(ts: int, *legs: str, fee: str = "", wallet: int = 1) -> Change:
    """Legs and fees as `+1 BTC`, `-2000 USD`."""
    fees = [fee] if fee else []
    return Change(ts, next(numbers), wallet, "fill", [*map(read_leg, legs)], [*map(read_leg, fees)])


def move(ts: int, *legs: str, kind: str = "deposit", fee: str = "", wallet: int = 1, link: str = "") -> Change:
    fees = [read_leg(fee)] if fee else []
    return Change(ts, next(numbers), wallet, kind, fees=fees, moved=[*map(read_leg, legs)], link=link)


def read_leg(text: str) -> tuple[str, int]:
    amount, asset = text.split()
    return asset, units(amount)


def told(change: Change, basis: str | int, acquired: int) -> tuple[tuple[int, str], list[KnownLot]]:
    """What a person said of all that a deposit brought."""
    (asset, amount), *_ = change.moved
    return (change.transaction, asset), [KnownLot(amount, units(basis), acquired)]


def keep(
    changes: Iterable[Change], *rules: LotRule, currency: str = "USD", prices: Mapping[Any, str] | None = None, costs: Any = None
) -> tuple[Inventory, list[Disposal]]:
    """The lots after the changes, and all disposals."""
    inventory = Inventory(currency, TablePrices(prices or {}), rules, dict(costs or {}))
    return inventory, [one for change in changes for one in inventory.apply(change)]


def figures(disposal: Disposal) -> tuple[str, ...]:
    """Quantity, proceeds, basis and gain, as text."""
    values = (disposal.quantity, disposal.proceeds, disposal.basis, disposal.gain)
    return tuple("?" if value is None else f"{from_units(value).normalize():f}" for value in values)


def open_figures(inventory: Inventory) -> list[tuple[str, ...]]:
    """Wallet, quantity, asset and basis of each open lot, as text."""
    found = []
    for wallet, link, lot in inventory.store.list_lots():
        basis = "?" if lot.basis is None else f"{from_units(lot.basis).normalize():f}"
        found.append((link or str(wallet), f"{from_units(lot.quantity).normalize():f} {lot.asset}", basis))
    return sorted(found)
