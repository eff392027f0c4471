"""Reconciliation of one account, the same at the start and every few seconds after: what is open with us is compared with what the
venue says, and what our own orders still need is done. Bots trade only after the first comparison has gone through.

The methods of `Reconciler` are called on the loop. The functions below it read and write rows, in a database thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from core.events import News, events_record
from market.exchanges.base import Exchange, ExchangeError, Report
from trading.live.bot_runner import BotRunner
from trading.live.executor import Executor, gather_quietly
from trading.live.pools import InThread
from trading.live.threads import LOOP, called_from
from trading.models import OPEN, ForeignOrder, Order, OrderStatus
from trading.services.orders import TOO_OLD
from wallets.models import Wallet

logger = logging.getLogger(__name__)

UNANSWERED = timedelta(seconds=1)
AT_ONCE = 8
"""Orders that are seen to at once: recovery must not use up the venue's rate limit that new orders need."""


class OrderOwners(Protocol):
    """Finds the bots whose orders an account has."""

    async def find_owner(self, client_order_id: str) -> BotRunner | None: ...
    def find_runner(self, bot_id: int) -> BotRunner | None: ...
    def list_of_wallet(self, wallet_id: int) -> list[BotRunner]: ...


@called_from(LOOP)
class Reconciler:
    def __init__(self, wallet: Wallet, exchange: Exchange, executor: Executor, owners: OrderOwners, in_thread: InThread) -> None:
        self.wallet, self.exchange, self.executor, self.owners, self.in_thread = wallet, exchange, executor, owners, in_thread
        self.ready = False
        """Whether the first comparison with the venue has gone through."""
        self.compared_at = 0.0
        """When (monotonic); 0: a comparison is due."""

    def request_comparison(self) -> None:
        """Something may have been missed."""
        self.compared_at = 0.0

    async def run(self) -> None:
        """Sees to our orders every second or so; compares with the venue's list at the start, after each gap, and every half
        minute."""
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

    async def compare(self) -> None:
        """Our open orders against the venue's."""
        began = time.monotonic()
        reports = await self.exchange.open_orders()
        found = await self.in_thread(compare_orders, self.wallet.pk, reports)
        await self.for_each(found.ask, self.resolve)
        await self.in_thread(foreign_note, self.wallet, found.foreign)
        self.compared_at = began
        if not self.ready:
            await self.admit_bots(found.ask)

    async def admit_bots(self, asked: list[Order]) -> None:
        """The first comparison is over once the answers to what it asked for have been written down. Then bots may trade."""
        for order in asked:
            runner = self.owners.find_runner(order.bot_id)
            if runner is not None:
                await asyncio.wrap_future(runner.queue.wait_idle())
        self.ready = True
        for runner in self.owners.list_of_wallet(self.wallet.pk):
            runner.submit(runner.candles.catch_up)

    async def run_errands(self) -> None:
        found = await self.in_thread(find_errands, self.wallet.pk)
        await self.for_each(found.drop, self.executor.cancel)
        if self.ready:
            await self.for_each(found.send, self.executor.send)
        await self.for_each(found.ask, self.resolve)
        await self.for_each(found.cancel, self.executor.cancel)

    async def for_each(self, orders: list[Order], do: Callable[[BotRunner, Order], Awaitable[None]]) -> None:
        """A few at a time."""
        for i in range(0, len(orders), AT_ONCE):
            await gather_quietly([self.do_for_owner(order, do) for order in orders[i : i + AT_ONCE]])

    async def do_for_owner(self, order: Order, do: Callable[[BotRunner, Order], Awaitable[None]]) -> None:
        runner = await self.owners.find_owner(order.client_order_id)
        if runner is not None:
            await do(runner, order)

    async def resolve(self, runner: BotRunner, order: Order) -> None:
        """Not while the bot has jobs to do: the answer may be among them, and be late with us, not with the venue."""
        if not (self.ready and runner.queue.has_jobs()):
            await self.executor.resolve(runner, order)


@dataclass(frozen=True, slots=True)
class Errands:
    """What is to be done about our open orders of an account."""

    send: list[Order]
    drop: list[Order]
    """Never sent, and too old to be sent now."""
    ask: list[Order]
    cancel: list[Order]


def find_errands(wallet_id: int) -> Errands:
    """From our own rows alone: cheap, for every second or two, however many orders rest at the venue."""
    now = timezone.now()
    found = Errands([], [], [], [])
    waits = Q(status=OrderStatus.PENDING) | Q(status=OrderStatus.SUBMITTED, submitted_at__lt=now - UNANSWERED)
    rows = Order.objects.filter(waits | Q(cancel_requested=True), wallet_id=wallet_id, status__in=OPEN)
    for order in rows.select_related("bot", "run").order_by("id"):
        if order.status == OrderStatus.PENDING:
            if order.cancel_requested or (order.type == "market" and now - order.created_at > TOO_OLD):
                found.drop.append(order)
            elif now - order.created_at > UNANSWERED:
                found.send.append(order)
        elif order.status == OrderStatus.SUBMITTED and order.submitted_at and now - order.submitted_at > UNANSWERED:
            found.ask.append(order)
        elif order.cancel_requested and order.status != OrderStatus.SUBMITTED:
            found.cancel.append(order)
    return found


@dataclass(frozen=True, slots=True)
class OrderComparison:
    ask: list[Order]
    """Open with us, and the venue says something else of them or nothing."""
    foreign: list[Report]


def compare_orders(wallet_id: int, reports: Sequence[Report]) -> OrderComparison:
    """Our open orders against the venue's list of open orders."""
    by_id = {report.client_order_id: report for report in reports}
    open_now = Order.objects.filter(wallet_id=wallet_id, status__in=OPEN).exclude(status=OrderStatus.PENDING)
    ask = []
    for order_id, name, filled, status in open_now.values_list("pk", "client_order_id", "filled_quantity", "status"):
        report = by_id.get(name)
        if report is None or report.filled != filled or status == OrderStatus.SUBMITTED:
            ask.append(order_id)
    known = set(Order.objects.filter(client_order_id__in=by_id).values_list("client_order_id", flat=True))
    # Orders of ours that we take for over: what the venue says counts.
    over = Q(client_order_id__in=by_id) & ~Q(status__in=OPEN)
    asked = Order.objects.filter(Q(pk__in=ask) | over).select_related("bot", "run")
    return OrderComparison(list(asked), [report for report in reports if report.client_order_id not in known])


def foreign_note(wallet: Wallet, reports: Sequence[Report]) -> int:
    """Orders that are not ours become rows for a person to look at; those that are gone from the venue's list say so. Counts new
    ones."""
    new = 0
    for report in reports:
        _, created = ForeignOrder.objects.update_or_create(
            wallet=wallet,
            venue_order_id=report.venue_order_id,
            defaults={"filled": report.filled},
            create_defaults={
                "venue": report.venue,
                "symbol": report.symbol,
                "client_order_id": report.client_order_id,
                "side": report.side,
                "type": report.type,
                "quantity": report.quantity,
                "filled": report.filled,
                "limit": report.limit,
            },
        )
        new += created
    open_ids = [report.venue_order_id for report in reports]
    ForeignOrder.objects.filter(wallet=wallet, state=ForeignOrder.State.OPEN).exclude(venue_order_id__in=open_ids).update(
        state="gone"
    )
    if new:
        message = (
            f"{new} open order{'s' if new > 1 else ''} of {wallet.name} {'are' if new > 1 else 'is'} not ours. Adopt or ignore."
        )
        events_record([News("alert", "recovery", {"message": message, "wallet": wallet.wallet_id})])
    return new
