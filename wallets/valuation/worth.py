"""What wallets hold, at the newest prices, in their own currency or in another one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from market.price_book import AssetPrice, PriceBook
from wallets.models import Wallet
from wallets.selectors import wallet_balances
from wallets.valuation.money import price_environment

MOST = Decimal(10) ** 20
"""More than this is a fault of an amount or a price."""
Books: TypeAlias = Mapping[str, PriceBook]
"""By environment."""
Held: TypeAlias = Mapping[int, Mapping[str, Decimal]]
"""By a wallet's key and the asset."""


@dataclass(frozen=True, slots=True)
class Holding:
    """An amount of an asset. `value` in the price's currency; None where there is no price."""

    amount: Decimal
    price: AssetPrice
    value: Decimal | None

    @property
    def asset(self) -> str:
        return self.price.asset


@dataclass(frozen=True, slots=True)
class Worth:
    """Of one wallet, in `currency`."""

    currency: str
    holdings: tuple[Holding, ...]
    value: Decimal
    """Of all that has a price."""
    unpriced: tuple[str, ...]
    """Assets that no price leads from: they are not in `value`."""
    estimated: tuple[str, ...]
    """Assets whose price is not one of now, but was heard before or is a stored close: `value` is as good as those."""
    booked: bool
    """False where nothing ever was: nothing is known of its worth."""

    @property
    def largest(self) -> list[Holding]:
        """What is worth most first, and then what has no price."""
        return sorted(self.holdings, key=lambda one: (one.value is None, -(one.value or 0)))

    @property
    def unsure(self) -> list[str]:
        """Assets without a price of now."""
        return sorted((*self.unpriced, *self.estimated))

    @property
    def cash(self) -> Decimal:
        """What it holds of the currency itself."""
        return next((one.amount for one in self.holdings if one.asset == self.currency), Decimal(0))


def open_books(wallets: Sequence[Wallet], *currencies: str, held: Held | None = None) -> Books:
    """The prices that value these wallets in the currencies and in their own. `held` as in `value_wallets`."""
    held = held_by(wallets) if held is None else held
    assets: dict[str, set[str]] = defaultdict(lambda: set(currencies))
    for wallet in wallets:
        assets[price_environment(wallet)].update((wallet.quote, *held[wallet.pk]))
    return {environment: PriceBook(environment, named) for environment, named in assets.items()}


def held_by(wallets: Sequence[Wallet]) -> Held:
    return {one.pk: wallet_balances(wallet=one) for one in wallets}


def value_wallets(
    wallets: Sequence[Wallet], currency: str = "", *, books: Books | None = None, held: Held | None = None
) -> dict[int, Worth]:
    """By primary key; wallets of `wallets_list`. Without a `currency` each is valued in its own. `books`: of `open_books`; `held`:
    of `read_held`, for wallets that were listed without their balances."""
    held = held_by(wallets) if held is None else held
    books = open_books(wallets, *filter(None, [currency]), held=held) if books is None else books
    return {one.pk: value_held(held[one.pk], currency or one.quote, books[price_environment(one)]) for one in wallets}


def value_held(held: Mapping[str, Decimal], currency: str, book: PriceBook) -> Worth:
    holdings = [value_amount(amount, book.price(asset, currency)) for asset, amount in sorted(held.items()) if amount]
    return Worth(
        currency,
        tuple(holdings),
        sum((one.value for one in holdings if one.value is not None), Decimal(0)),
        tuple(one.asset for one in holdings if one.value is None),
        tuple(one.asset for one in holdings if one.value is not None and one.price.state != "live"),
        booked=bool(held),
    )


def value_wallet(wallet: Wallet, currency: str, book: PriceBook) -> Worth:
    return value_held(wallet_balances(wallet=wallet), currency, book)


def value_amount(amount: Decimal, price: AssetPrice) -> Holding:
    value = None if price.price is None else amount * price.price
    return Holding(amount, price, value if value is not None and -MOST < value < MOST else None)
