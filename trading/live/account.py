"""One exchange account in a stream worker: its user stream, its balances, and the reconciliation of its orders.

Everything here is called on the loop.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError

from core.database_errors import describe_database_error
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
from market.feed.ending import end_tasks
from trading.live.balances import AccountBalances
from trading.live.clock import VenueClock
from trading.live.errands import Errands
from trading.live.executor import Executor
from trading.live.pools import InThread
from trading.live.reconciler import Reconciler
from trading.live.threads import ANY, LOOP, called_from
from wallets.models import Wallet
from wallets.services import account_check, ledger_opening_from_venue

logger = logging.getLogger(__name__)

RECONNECT = Timing(backoff=(0.5, 1.0, 2.0, 4.0, 8.0, 15.0), jitter=0.8)
"""Before the user stream is opened again; the jitter is large, since all accounts of a venue lose their streams at once."""


@called_from(LOOP)
@dataclass(slots=True)
class AccountWorker:
    wallet: Wallet
    exchange: Exchange
    executor: Executor
    balances: AccountBalances
    reconciler: Reconciler
    clock: VenueClock
    report_incident: Callable[[Incident], None]
    lost: Incident | None = None
    """Since when there has been no user stream."""
    errands: Errands = field(init=False)
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    """By what each does; all go on for ever."""
    dead: dict[str, Incident] = field(default_factory=dict)
    """Of tasks that have ended all the same, until they are seen at work again."""

    def __post_init__(self) -> None:
        self.errands = Errands(self.reconciler)

    def start(self) -> None:
        for name in self.list_parts():
            self.start_part(name)

    def list_parts(self) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
        return {
            "user stream": self.listen,
            "comparison of orders": self.reconciler.run,
            "errands": self.errands.run,
            "balances": self.watch_balances,
            "clock": self.clock.run,
        }

    def start_part(self, name: str) -> None:
        self.tasks[name] = asyncio.create_task(self.list_parts()[name]())

    def revive(self) -> None:
        """Called every second or so: what should go on for ever and has ended is started again, and told."""
        for name, task in list(self.tasks.items()):
            if task.done():
                self.note_dead(name, task)
                self.start_part(name)
            elif died := self.dead.pop(name, None):
                self.report_incident(replace(died, end=datetime.now(UTC)))

    def note_dead(self, name: str, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        logger.error("the %s of %s ended and is started again", name, self.wallet.name, exc_info=error)
        self.reconciler.request_comparison()
        if name not in self.dead:
            detail = (
                f"{self.wallet.name}: its {name} ended ({type(error).__name__ if error else 'cancelled'}) and was started again."
            )
            self.dead[name] = Incident(self.exchange.venue, "account_task", datetime.now(UTC), detail=detail)
            self.report_incident(self.dead[name])

    async def stop(self) -> None:
        await end_tasks(list(self.tasks.values()))
        await self.errands.stop()
        self.note_found()  # nobody waits for it any more
        await self.exchange.close()

    async def listen(self) -> None:
        """Keeps the user stream open for ever. Each loss is followed by a comparison, since something may have been missed."""
        attempt = 0
        while True:
            why = "It ended."
            try:
                async for event in self.exchange.user_stream():
                    if isinstance(event, Alive):
                        attempt = 0
                        self.note_found()
                    await self.on_event(event)
            except ExchangeError as error:
                why = str(error)
            except Exception as error:
                logger.exception("the user stream of %s failed; it is opened again", self.wallet.name)
                why = f"It failed here ({type(error).__name__}); that has been logged."
            self.note_lost(why)
            await asyncio.sleep(RECONNECT.wait(attempt, random.random()))  # noqa: S311
            attempt += 1

    async def on_event(self, event: UserEvent) -> None:
        if isinstance(event, StreamGap):
            self.reconciler.note_gap()
        elif isinstance(event, Balances):
            self.balances.on_balances(event)
        elif isinstance(event, Report):
            try:
                await self.on_report(event)
            except (DatabaseError, DomainError) as error:
                why = describe_database_error(error) if isinstance(error, DatabaseError) else str(error)
                logger.warning("the state of %s is asked of the venue later: %s", event.client_order_id, why)
                self.reconciler.request_comparison()

    async def on_report(self, report: Report) -> None:
        runner = await self.reconciler.owners.find_owner(report.client_order_id)
        if runner is not None:
            await self.executor.on_first_report(runner, report)

    def note_lost(self, why: str) -> None:
        self.reconciler.note_gap()
        if self.lost is None:
            logger.warning("user stream of %s: %s", self.wallet.name, why)
            detail = f"{self.wallet.name}: {why}"
            self.lost = Incident(self.exchange.venue, "user_stream", datetime.now(UTC), detail=detail)
            self.report_incident(self.lost)

    def note_found(self) -> None:
        if self.lost is not None:
            self.report_incident(replace(self.lost, end=datetime.now(UTC)))
            self.lost = None

    @called_from(*ANY)
    def describe_fault(self) -> str:
        """What does not work, for a person; empty: nothing."""
        if (lost := self.lost) is None:
            return self.reconciler.describe_trouble()
        return f"No user stream of {lost.detail} What becomes of its orders is asked for, every half minute at least."

    async def watch_balances(self) -> None:
        """A task of its own: the question may have to wait for another process, which was killed while it asked, and no order's
        cancelling waits with it."""
        while True:
            try:
                await self.balances.refresh_due()
            except ExchangeError as error:
                logger.info("the balances of %s are asked for later: %s", self.wallet.name, error)
            except Exception:
                logger.exception("the balances of %s are asked for later", self.wallet.name)
            await asyncio.sleep(settings.SWEEP_SECONDS)


async def prepare_account(
    wallet: Wallet, exchange: Exchange, balances: AccountBalances, symbols: Sequence[str], in_thread: InThread
) -> None:
    """Asks the venue who we are before the first order: what the key may do, what the account holds, and the fees that it pays (for
    one of `symbols`, where there is one). `Unauthorised` where the key is not used."""
    assert wallet.account
    account = await in_thread(partial(account_check, account=wallet.account, permissions=await exchange.permissions()))
    if account.refused_reason:
        raise Unauthorised(account.refused_reason, code="permissions")
    balances.moved = True  # what begins the books is asked of the venue itself
    asked = datetime.now(UTC) + timedelta(seconds=await exchange.clock_offset())
    await balances.refresh()
    await in_thread(write_opening, wallet, list(balances.assets.values()), asked)
    if symbols:
        await in_thread(write_fees, wallet, await exchange.fee_tier(symbols[0]))


def write_opening(wallet: Wallet, balances: Sequence[Balance], asked: datetime) -> None:
    """What the account held before its first fill here begins the ledger. Booked once, at the moment by the venue's clock at which
    it was `asked`: what the venue dates later is not in it."""
    ledger_opening_from_venue(wallet=wallet, balances=balances, ts=asked)


def write_fees(wallet: Wallet, tier: FeeTier) -> None:
    Wallet.objects.filter(pk=wallet.pk).update(maker=tier.maker, taker=tier.taker)
