"""What the orders of an account need, whatever the venue says otherwise: those that are to be cancelled are cancelled, those that
never left are sent, and those without an answer are asked for. No errand waits for a comparison, nor for another errand.

The methods are called on the loop. `find_errands` reads rows, in a database thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models import Q
from django.utils import timezone

from core.database_errors import describe_database_error
from trading.live.background import BackgroundTasks
from trading.live.bot_runner import BotRunner
from trading.live.executor import gather_quietly
from trading.live.questions import Ask
from trading.live.reconciler import AT_ONCE, Reconciler
from trading.live.threads import LOOP, called_from
from trading.models import OPEN, Order, OrderStatus
from trading.services.orders import TOO_OLD

logger = logging.getLogger(__name__)

UNANSWERED = timedelta(seconds=1)


@called_from(LOOP)
class Errands:
    def __init__(self, reconciler: Reconciler) -> None:
        self.reconciler, self.executor = reconciler, reconciler.executor
        self.background = BackgroundTasks(asyncio.get_running_loop())
        self.begun: set[int] = set()
        """Orders that an errand is about, so that it is not begun twice."""
        self.turns = {what: asyncio.Semaphore(AT_ONCE) for what in ("cancel", "send", "ask")}

    async def run(self) -> None:
        """For ever, every second or so."""
        whose = self.reconciler.wallet
        while True:
            try:
                await self.begin_all()
            except DatabaseError as error:
                logger.warning("errands of %s wait for the database: %s", whose.name, describe_database_error(error))
            except Exception:
                logger.exception("errands of %s failed; they are tried again", whose.name)
            await asyncio.sleep(settings.SWEEP_SECONDS)

    async def begin_all(self) -> None:
        """Each order goes its own way: one that the venue leaves without an answer holds up no other."""
        found = await self.reconciler.in_thread(find_errands, self.reconciler.wallet.pk)
        self.begin_each("cancel", [*found.drop, *found.cancel], self.executor.cancel)
        if self.reconciler.ready:
            self.begin_each("send", found.send, self.executor.send)
        self.begin_each("ask", found.ask, self.reconciler.resolve)
        for question in self.executor.questions.take_due():
            self.background.spawn(self.ask_again(question))

    def begin_each(self, what: str, orders: Sequence[Order], do: Callable[[BotRunner, Order], Awaitable[None]]) -> None:
        for order in orders:
            if order.pk not in self.begun:
                self.begun.add(order.pk)
                self.background.spawn(self.run_one(order, do, self.turns[what]))

    async def run_one(self, order: Order, do: Callable[[BotRunner, Order], Awaitable[None]], turns: asyncio.Semaphore) -> None:
        try:
            async with turns:
                await gather_quietly([self.reconciler.do_for_owner(order, do)])
        finally:
            self.begun.discard(order.pk)

    async def ask_again(self, ask: Ask) -> None:
        async with self.turns["ask"]:
            await gather_quietly([ask()])

    async def stop(self) -> None:
        await self.background.cancel_all()


@dataclass(frozen=True, slots=True)
class FoundErrands:
    """What is to be done about our open orders of an account."""

    send: list[Order]
    drop: list[Order]
    """Never sent, and too old to be sent now."""
    ask: list[Order]
    cancel: list[Order]


def find_errands(wallet_id: int) -> FoundErrands:
    """From our own rows alone: cheap, for every second or two, however many orders rest at the venue."""
    now = timezone.now()
    found = FoundErrands([], [], [], [])
    # A time that is ahead of the clock was written before the clock was put back.
    waits = Q(submitted_at__lt=now - UNANSWERED) | Q(submitted_at__gt=now + UNANSWERED)
    wanted = Q(status=OrderStatus.PENDING) | Q(waits, status=OrderStatus.SUBMITTED) | Q(cancel_requested=True)
    for order in Order.objects.filter(wanted, wallet_id=wallet_id, status__in=OPEN).select_related("bot", "run").order_by("id"):
        if order.status == OrderStatus.PENDING:
            if order.cancel_requested or (order.type == "market" and now - order.created_at > TOO_OLD):
                found.drop.append(order)
            elif abs(now - order.created_at) > UNANSWERED:
                found.send.append(order)
        elif order.status == OrderStatus.SUBMITTED:
            if order.submitted_at and abs(now - order.submitted_at) > UNANSWERED:
                found.ask.append(order)
        elif order.cancel_requested:
            found.cancel.append(order)
    return found
