"""Prices at the steps of a history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from core.times import to_ms
from market.past_prices import PriceHistory
from market.price_book import RECENT, PriceBook
from wallets.models import Wallet
from wallets.selectors import wallet_balances
from wallets.valuation.money import price_environment

AT_ONCE = timedelta(minutes=10)
"""For so long the prices of now are those of a step."""


class StepPrices:
    """Prices of one environment at any step: of now, or of the past by stored candles."""

    def __init__(self, environment: str, currency: str, assets: set[str], now: datetime) -> None:
        self.currency, self.now = currency, now
        self.book = PriceBook(environment, {*assets, currency}, now)
        self.history = PriceHistory(environment, currency, assets)

    def prices_at(self, moments: Iterable[tuple[str, datetime]]) -> dict[tuple[str, datetime], Decimal | None]:
        """One asset after the other, so that few files of candles are open at a time."""
        return {(asset, ts): self.price_at(asset, ts) for asset, ts in sorted(set(moments))}

    def price_at(self, asset: str, ts: datetime) -> Decimal | None:
        if self.now - ts <= AT_ONCE:
            known = self.book.price(asset, self.currency)
            if known.price is not None and known.age <= RECENT:
                return known.price
        return self.history.price_at(asset, to_ms(ts))


def open_prices(wallets: Sequence[Wallet], currency: str, now: datetime) -> dict[str, StepPrices]:
    """By environment, for all that these wallets ever had."""
    assets: dict[str, set[str]] = defaultdict(set)
    for wallet in wallets:
        assets[price_environment(wallet)].update(wallet_balances(wallet=wallet))
    return {environment: StepPrices(environment, currency, named, now) for environment, named in assets.items()}
