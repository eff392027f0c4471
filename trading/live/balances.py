"""What an account has, kept in memory: from the account cache every few seconds, and from what the venue says in between. An order
is checked against it without a request."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal

from redis.exceptions import RedisError

from market.exchanges.account_cache import AccountCache
from market.exchanges.base import Balance, Balances, Report
from trading import metrics
from trading.models import Order

logger = logging.getLogger(__name__)

ASK_EVERY = 2.0
OLD = 180.0
"""Seconds without the venue's word after which nothing is known of the account."""
TRIES = 3


class AccountBalances:
    """Changed on the loop, read from any thread."""

    def __init__(self, cache: AccountCache, clock: Callable[[], float] = time.monotonic) -> None:
        self.cache, self.clock = cache, clock
        self.assets: dict[str, Balance] = {}
        self.heard: float | None = None
        self.asked: float | None = None
        self.moved = False
        """Whether something has changed since the cache was last asked."""

    def known(self) -> Mapping[str, Balance] | None:
        """By asset; None where the venue has not said for too long. An asset that is missing is one that it has none of."""
        return None if self.heard is None or self.clock() - self.heard > OLD else self.assets

    async def refresh_due(self) -> None:
        if self.asked is None or self.clock() - self.asked >= ASK_EVERY:
            await self.refresh()

    async def refresh(self) -> None:
        """Asks the cache, which asks the venue once a minute, or where money has moved. Raises what the venue raises."""
        for _ in range(TRIES):
            if self.moved:
                with suppress(RedisError, OSError):
                    await self.cache.drop()
            self.moved = False
            told = await self.ask()
            if not self.moved:  # else the answer may be from before
                break
        self.assets = {one.asset: one for one in told}
        self.heard = self.clock()

    async def ask(self) -> list[Balance]:
        self.asked = self.clock()
        hits, misses = self.cache.hits, self.cache.misses
        try:
            return await self.cache.balances()
        finally:
            metrics.cache_hits.inc(self.cache.hits - hits)
            metrics.cache_misses.inc(self.cache.misses - misses)

    def hear(self, told: Balances) -> None:
        """The venue's own word on what has changed."""
        news = {one.asset: one for one in told.balances}
        self.assets = news if told.complete else {**self.assets, **news}
        self.moved = True
        if told.complete or self.heard is not None:
            self.heard = self.clock()

    def hear_fills(self, report: Report) -> None:
        """At once, so that what a sale has brought can be spent. Told twice, it counts twice until the cache is asked again."""
        base, quote = report.symbol.split("-")
        for one in report.executions:
            asset, amount = (base, one.quantity) if report.side == "buy" else (quote, one.quantity * one.price)
            self.change(asset, amount - (one.fee if one.fee_asset == asset else 0))

    def set_aside(self, order: Order) -> None:
        """An order leaves for the venue, which will hold what it may cost."""
        base, quote = order.symbol.split("-")
        price = order.limit or order.stop or order.reference_price or Decimal(0)
        if order.side == "buy":
            self.change(quote, -order.quantity * price)
        else:
            self.change(base, -order.quantity, held=order.quantity)

    def change(self, asset: str, free: Decimal, *, held: Decimal = Decimal(0)) -> None:
        before = self.assets.get(asset, Balance(asset, Decimal(0), Decimal(0)))
        self.assets = {**self.assets, asset: Balance(asset, before.free + free, before.held + held)}
        self.moved = True
