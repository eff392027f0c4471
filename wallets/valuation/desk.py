"""What the desk is worth as a whole, in its reporting currency: each kind of money by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from wallets.models import Wallet
from wallets.valuation.money import LIVE, PAPER, TESTNET, money_of
from wallets.valuation.worth import Worth


@dataclass(frozen=True, slots=True)
class Sum:
    """Of some wallets. `unpriced` and `estimated` as those of `Worth`; not `booked`: nothing was ever booked in any of them."""

    value: Decimal
    unpriced: tuple[str, ...]
    estimated: tuple[str, ...]
    booked: bool


@dataclass(frozen=True, slots=True)
class VenueWorth:
    venue: str
    sum: Sum


@dataclass(frozen=True, slots=True)
class DeskWorth:
    """All wallets of one kind of money (paper, testnet or live), and the parts of it at each venue."""

    money: str
    currency: str
    sum: Sum
    venues: tuple[VenueWorth, ...]
    wallets: int


def sum_desk(wallets: Sequence[Wallet], worth: Mapping[int, Worth], currency: str) -> list[DeskWorth]:
    """The real money first; no row where there is no wallet. `worth`: all in `currency`."""
    found = []
    for money in (LIVE, TESTNET, PAPER):
        mine = [one for one in wallets if money_of(one) == money]
        if mine:
            venues = tuple(
                VenueWorth(venue, sum_wallets([one for one in mine if one.venue == venue], worth))
                for venue in sorted({one.venue for one in mine})
            )
            found.append(DeskWorth(money, currency, sum_wallets(mine, worth), venues, len(mine)))
    return found


def sum_wallets(wallets: Sequence[Wallet], worth: Mapping[int, Worth]) -> Sum:
    parts = [worth[one.pk] for one in wallets]
    return Sum(
        sum((one.value for one in parts), Decimal(0)),
        tuple(sorted({asset for one in parts for asset in one.unpriced})),
        tuple(sorted({asset for one in parts for asset in one.estimated})),
        any(one.booked for one in parts),
    )
