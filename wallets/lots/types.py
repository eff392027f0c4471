"""What cost basis is made of: lots, disposals, what changed a wallet, and the rules of matching.

Amounts are whole units of 10^-18, as integers: sums and shares of them are exact, and fast. Moments are microseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, TypeAlias

from core.fields import DIGITS, EXACT

UNIT = 10**DIGITS
STEP = Decimal(1).scaleb(-DIGITS)
Amounts: TypeAlias = Sequence[tuple[str, int]]
"""(asset, units), in the order of booking."""


class LotMethod(StrEnum):
    """Which lots a disposal takes first."""

    FIFO = "fifo"
    LIFO = "lifo"
    HIFO = "hifo"
    AVERAGE = "average"


class LotScope(StrEnum):
    """Whose lots a disposal may take: those of its wallet, or of all wallets."""

    WALLET = "wallet"
    ALL = "all"


class PastPrices(Protocol):
    """What assets were worth in the reporting currency."""

    def price_at(self, asset: str, ts: int) -> Decimal | None:
        """Of one of the asset, at that moment; None where nobody knows."""


@dataclass(frozen=True, slots=True)
class LotRule:
    """A method and scope that hold from a moment on."""

    since: int
    method: LotMethod
    scope: LotScope


@dataclass(slots=True)
class Change:
    """One transaction of a wallet's ledger.

    `traded`: what was taken (above zero) and given in a trade, its base first. `fees`: what was paid, below zero for
    rebates and rewards.
    `moved`: what came in (above zero) or went out beside trades. `link`: where moved lots wait for the other end of a transfer.
    """

    ts: int
    transaction: int
    wallet: int
    kind: str
    traded: Amounts = ()
    fees: Amounts = ()
    moved: Amounts = ()
    link: str = ""


@dataclass(slots=True)
class Lot:
    """What one acquisition left. `basis`: what all of it cost, in the reporting currency; None: nobody knows. `acquired` stays when
    it moves to another wallet; `wallet` and `transaction` are to whom and by what it came last."""

    asset: str
    quantity: int
    basis: int | None
    acquired: int
    kind: str
    transaction: int
    wallet: int

    def split(self, quantity: int) -> Lot:
        """Takes a part of it away, with its share of the basis."""
        basis = None
        if self.basis is not None:
            basis = share_of(self.basis, quantity, self.quantity)
            self.basis -= basis
        self.quantity -= quantity
        return Lot(self.asset, quantity, basis, self.acquired, self.kind, self.transaction, self.wallet)


@dataclass(slots=True)
class Disposal:
    """What a sale, or a fee paid, took of one lot. `basis` is None where nobody knows what it cost, `proceeds` where nobody knows a
    price. `acquired` is None where it is in no lot; `covered`: so it was, and a later acquisition made up for it."""

    transaction: int
    wallet: int
    kind: str
    asset: str
    quantity: int
    disposed: int
    proceeds: int | None
    acquired: int | None = None
    basis: int | None = None
    covered: bool = False

    @property
    def gain(self) -> int | None:
        return None if self.proceeds is None or self.basis is None else self.proceeds - self.basis

    def split(self, quantity: int) -> Disposal:
        """Takes a part of it away, with its share of the proceeds."""
        proceeds = None
        if self.proceeds is not None:
            proceeds = share_of(self.proceeds, quantity, self.quantity)
            self.proceeds -= proceeds
        self.quantity -= quantity
        return Disposal(self.transaction, self.wallet, self.kind, self.asset, quantity, self.disposed, proceeds)


@dataclass(slots=True)
class Shortage:
    """What was given and is in no lot: by a disposal, or (None) by what moved it away."""

    quantity: int
    disposal: Disposal | None

    def split(self, quantity: int) -> Shortage:
        self.quantity -= quantity
        return Shortage(quantity, self.disposal and self.disposal.split(quantity))


@dataclass(slots=True)
class Totals:
    """In the reporting currency. Where every cost and price is known, `put_in` + `gains` + `income` - `costs` is what the open lots
    and the cash cost. `put_in`: what came in less what went out, at cost; `income`: rewards and rebates, at their value;
    `costs`: fees that belong to no trade."""

    put_in: int = 0
    gains: int = 0
    income: int = 0
    costs: int = 0


@dataclass(frozen=True, slots=True)
class KnownLot:
    """What a person said of a part of a deposit or an opening."""

    quantity: int
    basis: int
    acquired: int


KnownCosts: TypeAlias = Mapping[tuple[int, str], Sequence[KnownLot]]
"""By transaction and asset."""


def share_of(total: int, part: int, whole: int) -> int:
    """`total` x `part` / `whole`, to the nearest unit; all of it where the part is the whole."""
    return (2 * total * part + whole) // (2 * whole)


def to_units(amount: Decimal) -> int:
    """Of an amount of at most 18 places."""
    return int(EXACT.scaleb(amount, DIGITS))


def from_units(units: int) -> Decimal:
    return EXACT.scaleb(Decimal(units), -DIGITS)
