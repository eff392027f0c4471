"""Our side of a wallet against the venue's. Pure: nothing is asked and nothing is written here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from core.fields import EXACT
from market.exchanges.base import Balance
from wallets.models import Drift

About = Drift.About
NOTHING = Decimal(0)
FEE_SET_ASIDE = Decimal("0.02")
"""A venue may hold the fee of a purchase beside its price: up to this share of what its orders take is no difference."""


@dataclass(frozen=True, slots=True)
class RestingOrder:
    """An order that is open. `name`: the venue's number of it, or our id where that is not known. `price` in quote; None: it trades
    at the market's, once it is triggered."""

    name: str
    client_order_id: str
    symbol: str
    side: str
    left: Decimal
    price: Decimal | None

    @property
    def asset(self) -> str:
        """What it is paid with."""
        base, quote = self.symbol.split("-")
        return quote if self.side == "buy" else base

    @property
    def held(self) -> Decimal:
        """What is set aside for it, without a fee; nothing, where that cannot be said."""
        return EXACT.multiply(self.left, self.price or NOTHING) if self.side == "buy" else self.left


@dataclass(frozen=True, slots=True)
class OwnSide:
    """`amounts`: the ledger's, without what it took for granted. `pending`: of orders that the venue has not
    answered, our id and the symbol."""

    amounts: Mapping[str, Decimal]
    orders: Sequence[RestingOrder] = ()
    pending: Mapping[str, str] = field(default_factory=dict)
    positions: Mapping[str, Decimal] = field(default_factory=dict)
    """What the bots of the wallet hold, by asset."""


@dataclass(frozen=True, slots=True)
class VenueSide:
    """`orders`: None where the list was not to be had, or a row of it could not be read."""

    balances: Mapping[str, Balance]
    orders: Sequence[RestingOrder] | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    about: Drift.About
    asset: str
    ours: Decimal
    theirs: Decimal
    name: str = ""

    @property
    def amount(self) -> Decimal:
        """What the venue has more; less, where it is below zero."""
        return EXACT.subtract(self.theirs, self.ours)

    @property
    def key(self) -> tuple[str, str, str]:
        return str(self.about), self.asset, self.name


def compare_sides(own: OwnSide, venue: VenueSide) -> list[Difference]:
    """All that differs: balances, orders that are open on one side, what is held for none, and positions without the money."""
    found = compare_balances(own.amounts, venue.balances)
    if venue.orders is not None:
        found += [*compare_orders(own, venue.orders), *compare_held(venue.orders, venue.balances)]
    differ = {one.asset for one in found if one.about == About.BALANCE}
    return [*found, *(one for one in compare_positions(own.positions, venue.balances) if one.asset not in differ)]


def compare_balances(ours: Mapping[str, Decimal], theirs: Mapping[str, Balance]) -> list[Difference]:
    pairs = ((asset, ours.get(asset, NOTHING), find_total(theirs, asset)) for asset in sorted({*ours, *theirs}))
    return [Difference(About.BALANCE, asset, mine, there) for asset, mine, there in pairs if mine != there]


def compare_orders(own: OwnSide, theirs: Sequence[RestingOrder]) -> Iterator[Difference]:
    """What an order holds is there on one side only. An order that is still on its way is on neither."""
    known = {text for one in own.orders for text in (one.name, one.client_order_id)} | own.pending.keys()
    listed = {text for one in theirs for text in (one.name, one.client_order_id)}
    for one in theirs:
        if not {one.name, one.client_order_id} & known - {""}:
            yield Difference(About.ORDER, one.asset, NOTHING, one.held, one.name)
    for one in own.orders:
        if not {one.name, one.client_order_id} & listed - {""}:
            yield Difference(About.ORDER, one.asset, one.held, NOTHING, one.name)


def compare_held(orders: Sequence[RestingOrder], balances: Mapping[str, Balance]) -> Iterator[Difference]:
    """What the venue holds, and no order of its list takes. Of a purchase without a price nobody can say what it takes."""
    taken: dict[str, Decimal] = defaultdict(Decimal)
    for one in orders:
        taken[one.asset] += one.held
    unknown = {one.asset for one in orders if one.side == "buy" and one.price is None}
    for asset in sorted({*taken, *balances} - unknown):
        held = balances[asset].held if asset in balances else NOTHING
        if abs(held - taken[asset]) > FEE_SET_ASIDE * taken[asset]:
            yield Difference(About.HELD, asset, taken[asset], held)


def compare_positions(positions: Mapping[str, Decimal], balances: Mapping[str, Balance]) -> Iterator[Difference]:
    """An account may have more than its bots hold, and not less."""
    for asset, quantity in sorted(positions.items()):
        if quantity > (there := find_total(balances, asset)):
            yield Difference(About.POSITION, asset, quantity, there)


def find_total(balances: Mapping[str, Balance], asset: str) -> Decimal:
    """Free and held."""
    found = balances.get(asset)
    return EXACT.add(found.free, found.held) if found else NOTHING
