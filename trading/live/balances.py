"""What an account has, kept in memory: from the account cache every few seconds, and from what the venue says in between. An order
is checked against it without a request.

Changed on the loop. `find_all` may be called from any thread: a change puts a new mapping in the place of the old one.
"""

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
from trading.live.threads import ANY, LOOP, called_from
from trading.models import Order

logger = logging.getLogger(__name__)

ASK_EVERY = 2.0
OLD = 180.0
"""Seconds without news from the venue after which nothing is known of the account."""
TRIES = 3


@called_from(LOOP)
class AccountBalances:
    def __init__(self, cache: AccountCache, clock: Callable[[], float] = time.monotonic) -> None:
        self.cache, self.clock = cache, clock
        self.assets: dict[str, Balance] = {}
        self.updated_at: float | None = None
        """When the venue last said what the account has."""
        self.asked_at: float | None = None
        self.moved = False
        """Whether something has changed since the cache was last asked."""

    @called_from(*ANY)
    def find_all(self) -> Mapping[str, Balance] | None:
        """By asset; None where the venue has said nothing for too long. Of an asset that is missing the account has none."""
        return None if self.updated_at is None or self.clock() - self.updated_at > OLD else self.assets

    async def refresh_due(self) -> None:
        if self.asked_at is None or self.clock() - self.asked_at >= ASK_EVERY:
            await self.refresh()

    async def refresh(self) -> None:
        """Asks the cache, which asks the venue once a minute, or where money has moved. Raises what the venue raises."""
        for _ in range(TRIES):
            if self.moved:
                with suppress(RedisError, OSError):
                    await self.cache.drop()
            self.moved = False
            found = await self.ask_cache()
            if not self.moved:  # else the answer may be from before
                break
        self.assets = {one.asset: one for one in found}
        self.updated_at = self.clock()

    async def ask_cache(self) -> list[Balance]:
        self.asked_at = self.clock()
        hits, misses = self.cache.hits, self.cache.misses
        try:
            return await self.cache.balances()
        finally:
            metrics.cache_hits.inc(self.cache.hits - hits)
            metrics.cache_misses.inc(self.cache.misses - misses)

    def on_balances(self, balances: Balances) -> None:
        """The user stream says what has changed."""
        news = {one.asset: one for one in balances.balances}
        self.assets = news if balances.complete else {**self.assets, **news}
        self.moved = True
        if balances.complete or self.updated_at is not None:
            self.updated_at = self.clock()

    def add_fills(self, report: Report) -> None:
        """At once, so that what a sale has brought can be spent. A report that comes twice counts twice until the cache is asked
        again."""
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
