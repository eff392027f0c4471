"""What differences are worth, at the newest prices."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from market.price_book import PriceBook
from wallets.models import Wallet
from wallets.valuation import price_environment, value_wallet


def price_differences(wallet: Wallet, assets: Collection[str]) -> tuple[dict[str, Decimal | None], Decimal]:
    """What one of each asset costs, in the wallet's currency (None: nobody knows), and what the whole wallet is worth."""
    held = {one.asset for one in wallet.balances.all()}
    book = PriceBook(price_environment(wallet), {wallet.quote, *assets, *held})
    return {asset: book.price(asset, wallet.quote).price for asset in assets}, value_wallet(wallet, wallet.quote, book).value
