"""One exchange account in a stream worker: its user stream, its orders on their way, and its recovery."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import Error as DatabaseError

from core.errors import DomainError
from market.exchanges.base import (
    Alive,
    Balance,
    Balances,
    Exchange,
    ExchangeError,
    FeeTier,
    Report,
    StreamGap,
    Unauthorised,
    UserEvent,
)
from market.feed import Incident, Timing
from market.feed.ending import end
from trading.live.balances import AccountBalances
from trading.live.clock import VenueClock
from trading.live.executor import Executor, gather_quietly
from trading.live.reconciler import compare, errands, foreign_note
from trading.models import Order
from wallets.models import Wallet
from wallets.services import account_check, ledger_opening_from_venue

if TYPE_CHECKING:
    from trading.live.venue_worker import VenueWorker

logger = logging.getLogger(__name__)

RECONNECT = Timing(backoff=(0.5, 1.0, 2.0, 4.0, 8.0, 15.0), jitter=0.8)
"""Before the user stream is opened again; the jitter is large, since all accounts of a venue lose their streams at once."""
AT_ONCE = 8


@dataclass(slots=True)
class AccountDesk:
    station: VenueWorker
    wallet: Wallet
    exchange: Exchange
    executor: Executor
    balances: AccountBalances
    clock: VenueClock
    ready: bool = False
    """Whether the first comparison with the venue has gone through since the user stream was last lost for long."""
    lost: Incident | None = None
    """Since when there has been no user stream."""
    compared_at: float = 0.0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def introduce(self) -> None:
        """Asks the venue who we are before the first order: what the key may do, the fees it pays, what the account holds.
        `Unauthorised` where the key is not used."""
        in_thread, wallet = self.station.worker.in_thread, self.wallet
        assert wallet.account
        account = await in_thread(partial(account_check, account=wallet.account, permissions=await self.exchange.permissions()))
        if account.refused_reason:
            raise Unauthorised(account.refused_reason, code="permissions")
        self.balances.moved = True  # what begins the books is asked of the venue itself
        await self.balances.refresh()
        await in_thread(opening_note, wallet, list(self.balances.assets.values()))
        symbol = next(iter(self.station.external_symbols(wallet.pk)), "")
        if symbol:
            await in_thread(fees_note, wallet, await self.exchange.fee_tier(symbol))

    def start(self) -> None:
        self.tasks = [asyncio.create_task(one) for one in (self.listen(), self.sweep(), self.watch_balances(), self.clock.keep())]

    def died(self) -> bool:
        """Whether a task that should go on for ever has ended."""
        return any(task.done() for task in self.tasks)

    async def stop(self) -> None:
        await end(self.tasks)
        self.note_found()  # nobody waits for it any more
        await self.exchange.close()

    async def listen(self) -> None:
        """The user stream, for ever: each loss is followed by a comparison, since something may have been missed."""
        attempt = 0
        while True:
            why = "It ended."
            try:
                async for event in self.exchange.user_stream():
                    if isinstance(event, Alive):
                        attempt = 0
                        self.note_found()
                    await self.hear(event)
            except ExchangeError as error:
                why = str(error)
            except Exception as error:
                logger.exception("the user stream of %s failed; it is opened anew", self.wallet.name)
                why = f"It failed here ({type(error).__name__}); that has been logged."
            self.note_lost(why)
            await asyncio.sleep(RECONNECT.wait(attempt, random.random()))  # noqa: S311
            attempt += 1

    async def hear(self, event: UserEvent) -> None:
        if isinstance(event, StreamGap):
            self.compared_at = 0.0
        elif isinstance(event, Balances):
            self.balances.hear(event)
        elif isinstance(event, Report):
            try:
                await self.station.hear_user(self.wallet.account_id or 0, event)
            except (DatabaseError, DomainError) as error:
                logger.warning("what the venue says of %s is asked for later: %s", event.client_order_id, error)
                self.compared_at = 0.0

    def note_lost(self, why: str) -> None:
        self.compared_at = 0.0
        if self.lost is None:
            logger.warning("user stream of %s: %s", self.wallet.name, why)
            detail = f"{self.wallet.name}: {why}"
            self.lost = Incident(self.exchange.venue, "user_stream", datetime.now(UTC), detail=detail)
            self.station.reporter.hear(self.lost)

    def note_found(self) -> None:
        if self.lost is not None:
            self.station.reporter.hear(replace(self.lost, end=datetime.now(UTC)))
            self.lost = None

    @property
    def fault(self) -> str:
        if self.lost is None:
            return ""
        return f"No user stream of {self.lost.detail} What becomes of its orders is asked for, every half minute at least."

    async def sweep(self) -> None:
        """Errands every second or so; the comparison with the venue's list at the start, after each gap, and every half minute."""
        while True:
            try:
                if time.monotonic() - self.compared_at > settings.COMPARE_SECONDS or not self.compared_at:
                    await self.compare()
                await self.run_errands()
            except ExchangeError as error:
                logger.info("recovery of %s waits: %s", self.wallet.name, error)
            except Exception:
                logger.exception("recovery of %s failed; it is tried again", self.wallet.name)
            await asyncio.sleep(settings.SWEEP_SECONDS)

    async def watch_balances(self) -> None:
        """Beside the sweep: who asks may have to wait for another process, one that was killed while it asked, and no order's
        cancelling waits with it."""
        while True:
            try:
                await self.balances.refresh_due()
            except ExchangeError as error:
                logger.info("the balances of %s are asked for later: %s", self.wallet.name, error)
            except Exception:
                logger.exception("the balances of %s are asked for later", self.wallet.name)
            await asyncio.sleep(settings.SWEEP_SECONDS)

    async def compare(self) -> None:
        """Our open orders against the venue's."""
        began = time.monotonic()
        told = await self.exchange.open_orders()
        found = await self.station.worker.in_thread(compare, self.wallet.pk, told)
        await self.each("resolve", found.ask)
        await self.station.worker.in_thread(foreign_note, self.wallet, found.foreign)
        self.compared_at = began
        if not self.ready:
            await self.settled(found.ask)

    async def settled(self, asked: list[Order]) -> None:
        """The first comparison is over once what it asked for has been written down."""
        for order in asked:
            runtime = self.station.roster.runtimes.get(order.bot_id)
            if runtime is not None:
                await asyncio.wrap_future(runtime.idle())
        self.ready = True
        for runtime in self.station.roster.all():
            if runtime.holding.bot.wallet_id == self.wallet.pk:
                runtime.submit(runtime.catch_up)

    async def run_errands(self) -> None:
        found = await self.station.worker.in_thread(errands, self.wallet.pk)
        await self.each("drop", found.drop)
        if self.ready:
            await self.each("send", found.send)
        await self.each("resolve", found.ask)
        await self.each("cancel", found.cancel)

    async def each(self, what: str, orders: list[Order]) -> None:
        """A few at a time: recovery must not use up the venue's rate limit that new orders need."""
        for i in range(0, len(orders), AT_ONCE):
            await gather_quietly([self.errand(what, order) for order in orders[i : i + AT_ONCE]])

    async def errand(self, what: str, order: Order) -> None:
        runtime = await self.station.roster.owner(order.client_order_id)
        if runtime is None:
            return
        if what == "send":
            await self.executor.send(runtime, order)
        elif what == "resolve" and self.ready and runtime.jobs:
            return  # the answer may be among them: it is late with us, not with the venue
        elif what == "resolve":
            await self.executor.resolve(runtime, order)
        else:
            await self.executor.cancel(runtime, order)


def opening_note(wallet: Wallet, balances: Sequence[Balance]) -> None:
    """What the account held before its first fill here begins the ledger. Booked once."""
    ledger_opening_from_venue(wallet=wallet, balances=balances)


def fees_note(wallet: Wallet, tier: FeeTier) -> None:
    Wallet.objects.filter(pk=wallet.pk).update(maker=tier.maker, taker=tier.taker)
