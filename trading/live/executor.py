"""Orders to the venue and the venue's words back, for one account. Asynchronous; what is written goes through the runtimes.

Nothing here decides that an order failed: a refusal is the venue's word, a time-out is unknown until the venue has been asked.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from django.utils import timezone

from market.exchanges.base import Exchange, NotFoundAtVenue, OrderRequest, Refused, Report, Retryable, Unknown
from trading import metrics
from trading.live.bot_runner import BotRunner
from trading.models import Order, OrderStatus
from trading.services.lease import Lease
from trading.services.orders import order_claim_send, order_reason_note, order_request, order_unsend

logger = logging.getLogger(__name__)

InThread = Callable[..., Awaitable[object]]
AT_ONCE = 32
"""Orders on their way to a venue at once. More would wait all the same, for a connection, and be given up while they do: a thousand
that left together went out without being counted among what the venue allows."""


class Executor:
    """`in_thread` runs database work in the worker's pool."""

    def __init__(
        self, exchange: Exchange, lease: Callable[[], Lease], in_thread: InThread, filled: Callable[[Report], None]
    ) -> None:
        """`filled` hears each report before its bot does."""
        self.exchange, self.lease, self.in_thread, self.filled = exchange, lease, in_thread, filled
        self.in_flight: set[int] = set()
        """Orders that a coroutine of ours is busy with: nobody else asks for them meanwhile."""
        self.turns = asyncio.Semaphore(AT_ONCE)

    async def send(self, runtime: BotRunner, order: Order, received: float = 0.0) -> None:
        """Pending -> submitted -> the venue -> what it said."""
        if order.pk in self.in_flight:
            return
        self.in_flight.add(order.pk)
        try:
            request = await self.in_thread(order_claim_send, order, self.lease())
            if isinstance(request, OrderRequest):
                await self.place(runtime, order, request, received)
        finally:
            self.in_flight.discard(order.pk)

    def claim(self, order: Order) -> OrderRequest | None:
        """Of a step just written, from its thread: pending -> submitted, unless it was written so. None: not to be sent."""
        if order.status == OrderStatus.SUBMITTED:
            return order_request(order)
        return order_claim_send(order, self.lease())

    async def deliver(self, runtime: BotRunner, order: Order, request: OrderRequest, received: float) -> None:
        """What `claim` let through."""
        self.in_flight.add(order.pk)
        try:
            await self.place(runtime, order, request, received)
        finally:
            self.in_flight.discard(order.pk)

    async def place(self, runtime: BotRunner, order: Order, request: OrderRequest, received: float) -> None:
        if received:
            metrics.submit_seconds.labels(self.exchange.venue).observe(time.perf_counter() - received)
        try:
            report = await self.in_turn(order, request)
        except Refused as error:
            why = f"{error.code} {error}".strip()
            runtime.submit(lambda: runtime.end_order(order.pk, OrderStatus.SUBMITTED, OrderStatus.REJECTED, why), urgent=True)
        except Retryable as error:
            logger.info("order %s waits: %s", request.client_order_id, error)
            await self.in_thread(order_unsend, order.pk)
        except Unknown as error:
            logger.warning("the fate of order %s is unknown: %s", request.client_order_id, error)
        else:
            await self.overhear(runtime, report)

    async def in_turn(self, order: Order, request: OrderRequest) -> Report:
        """One that has waited too long is claimed anew: it must not leave after the venue was believed not to know it."""
        async with self.turns:
            if order.submitted_at is None or timezone.now() - order.submitted_at > timedelta(seconds=self.exchange.finality / 2):
                raise Retryable("Too many orders were on their way at once.", code="turns")
            return await self.exchange.place(request)

    async def overhear(self, runtime: BotRunner, report: Report) -> None:
        """What the venue says unasked. That a market order has arrived waits for what becomes of it, which is said in the same
        moment; where it is not, the sweeper asks."""
        if not (report.type == "market" and report.status == "accepted" and not report.filled):
            await self.hear(runtime, report)

    async def hear(self, runtime: BotRunner, report: Report) -> None:
        """A report may speak of fills that it does not tell: then the venue is asked for all of them."""
        if not runtime.holding.is_news(report):
            return
        told = sum((one.quantity for one in report.executions), start=runtime.holding.filled_quantity(report.client_order_id))
        if report.filled > told:
            try:
                report = await self.exchange.order(report.symbol, report.client_order_id, report.venue_order_id)
            except (Refused, Retryable, Unknown) as error:
                logger.info("the fills of %s are asked for later: %s", report.client_order_id, error)
        self.filled(report)
        runtime.submit(lambda: runtime.report(report), urgent=True)

    async def cancel(self, runtime: BotRunner, order: Order) -> None:
        """Tells the venue; an order that it never heard of simply ends."""
        if order.pk in self.in_flight:
            return
        if order.status == OrderStatus.PENDING:
            why = "cancelled before it was sent"
            runtime.submit(lambda: runtime.end_order(order.pk, OrderStatus.PENDING, OrderStatus.CANCELLED, why), urgent=True)
            return
        self.in_flight.add(order.pk)
        try:
            await self.call_off(runtime, order)
        except (Refused, Retryable, Unknown) as error:
            logger.info("cancelling %s is tried again: %s", order.client_order_id, error)
        finally:
            self.in_flight.discard(order.pk)

    async def call_off(self, runtime: BotRunner, order: Order) -> None:
        try:
            report = await self.exchange.cancel(order.symbol, order.client_order_id, order.venue_order_id)
        except NotFoundAtVenue:
            await self.look(runtime, order)
        else:
            await self.hear(runtime, report)

    async def resolve(self, runtime: BotRunner, order: Order) -> None:
        """Asks the venue what became of an order."""
        if order.pk in self.in_flight:
            return
        self.in_flight.add(order.pk)
        try:
            await self.look(runtime, order)
        except (Refused, Retryable, Unknown) as error:
            logger.info("order %s is asked for again: %s", order.client_order_id, error)
        finally:
            self.in_flight.discard(order.pk)

    async def look(self, runtime: BotRunner, order: Order) -> None:
        try:
            report = await self.exchange.order(order.symbol, order.client_order_id, order.venue_order_id)
        except NotFoundAtVenue:
            await self.unknown_there(runtime, order)
            return
        await self.hear(runtime, report)

    async def unknown_there(self, runtime: BotRunner, order: Order) -> None:
        """One that the venue has acknowledged and now does not know is not ours to end: a person must say so, by cancelling it."""
        if self.never_arrived(order):
            why = "it never reached the venue"
            runtime.submit(lambda: runtime.end_order(order.pk, OrderStatus.SUBMITTED, OrderStatus.REJECTED, why), urgent=True)
        elif order.venue_order_id and order.cancel_requested:
            seen, why = order.status, "the venue does not know it any more; ended on request"
            runtime.submit(lambda: runtime.end_order(order.pk, seen, OrderStatus.CANCELLED, why), urgent=True)
        elif order.venue_order_id and not order.status_reason:
            await self.in_thread(order_reason_note, order.pk, "The venue does not know it any more. Cancel it to end it here.")

    def never_arrived(self, order: Order) -> bool:
        """Not known to the venue, and too old to be accepted there any more (its signature has expired)."""
        if order.status != OrderStatus.SUBMITTED or order.venue_order_id or order.submitted_at is None:
            return False
        return timezone.now() - order.submitted_at > timedelta(seconds=self.exchange.finality)


async def gather_quietly(calls: list[Awaitable[None]]) -> None:
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(outcome, Exception):
            logger.error("an order's errand failed", exc_info=outcome)
