"""What wallets hold, at the newest prices, each in its own currency."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.venues import venue_key, venue_split
from market.models import CandleSeries
from market.prices import Pair, Price, prices_get
from wallets.models import Wallet
from wallets.selectors import wallet_balances

Feed = tuple[str, str]
Close = tuple[str, str]
"""(venue key, symbol)"""


@dataclass(frozen=True, slots=True)
class Worth:
    """Sums in the wallet's quote. `unpriced`: the symbols whose price is old, or that have none and count at their last stored
    close, or not at all."""

    value: Decimal
    cash: Decimal
    unpriced: tuple[str, ...] = ()


def value_wallets(wallets: Sequence[Wallet]) -> dict[int, Worth]:
    """By primary key; wallets of `wallets_list`. One question to the price store, and a query where a price is missing."""
    wanted = {pair for wallet in wallets for asset in held_assets(wallet) for pair in pairs_of(wallet, asset)}
    prices = prices_get(wanted)
    closes = last_closes(pair for pair in wanted if pair not in prices) if len(prices) < len(wanted) else {}
    return {wallet.pk: value_wallet(wallet, prices, closes) for wallet in wallets}


def value_wallet(wallet: Wallet, prices: Mapping[Pair, Price], closes: Mapping[Close, Decimal]) -> Worth:
    held = wallet_balances(wallet=wallet)
    cash = value = held.get(wallet.quote, Decimal(0))
    unpriced = []
    for asset in held_assets(wallet):
        price, fresh = price_asset(wallet, asset, prices, closes)
        value += held[asset] * price
        if not fresh:
            unpriced.append(f"{asset}-{wallet.quote}")
    return Worth(value, cash, tuple(unpriced))


def price_asset(wallet: Wallet, asset: str, prices: Mapping[Pair, Price], closes: Mapping[Close, Decimal]) -> tuple[Decimal, bool]:
    """What one of the asset costs in the wallet's quote, by their pair either way round, and whether that is a price of now."""
    direct, reverse = pairs_of(wallet, asset)
    if known := prices.get(direct):
        return known.price, not known.stale
    if (known := prices.get(reverse)) and known.price:
        return 1 / known.price, not known.stale
    return closes.get((venue_key(*direct[:2]), direct[2]), Decimal(0)), False


def held_assets(wallet: Wallet) -> Iterator[str]:
    """All that has to be valued."""
    return (asset for asset, amount in sorted(wallet_balances(wallet=wallet).items()) if amount and asset != wallet.quote)


def pairs_of(wallet: Wallet, asset: str) -> tuple[Pair, Pair]:
    """Of the asset in the wallet's quote, and the other way round."""
    feed = feed_of_wallet(wallet)
    return (*feed, f"{asset}-{wallet.quote}"), (*feed, f"{wallet.quote}-{asset}")


def feed_of_wallet(wallet: Wallet) -> Feed:
    """Whose prices it is valued at."""
    return (wallet.account.venue, wallet.account.environment) if wallet.account else venue_split(wallet.venue)


def last_closes(missing: Iterable[Pair]) -> dict[Close, Decimal]:
    """The newest stored close of each, where there is one."""
    names = {(venue_key(*pair[:2]), pair[2]) for pair in missing}
    rows = CandleSeries.objects.filter(instrument__symbol__in={symbol for _, symbol in names}, last_close__isnull=False)
    known = rows.order_by("last").values_list("instrument__venue", "instrument__symbol", "last_close")
    return {(venue, symbol): close for venue, symbol, close in known if (venue, symbol) in names and close is not None}
