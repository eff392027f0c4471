"""Orders to the venue, and the venue's answers back, for one account. What is written goes through the bots' runners.

Nothing here decides that an order failed: a refusal is for the venue to say, and after a time-out the order is unknown until the
venue has been asked.

Everything is called on the loop but `claim`, which is called in the bot's thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from django.utils import timezone

from engine.live import Refusal
from engine.transitions import OVER
from market.exchanges.base import (
    Exchange,
    ExchangeError,
    NotFoundAtVenue,
    OrderRequest,
    Refused,
    Report,
    Retryable,
    Unauthorised,
    Unknown,
)
from trading import metrics
from trading.live.bot_runner import BotRunner
from trading.live.pools import InThread
from trading.live.questions import Patience, Questions
from trading.live.threads import ANY, BOT, LOOP, called_from
from trading.models import Order, OrderStatus
from trading.services.lease import Lease
from trading.services.orders import order_claim_send, order_reason_note, order_request, order_unsend

logger = logging.getLogger(__name__)

KEPT = 3_600.0
"""Seconds for which it is kept when an order left whose answer was lost."""
LISTED_WITHIN = timedelta(minutes=1)
"""Venues answer questions from copies that are some seconds behind. An order that they have acknowledged is not believed to be gone
before that."""
LOST = "The venue does not know it any more. Cancel it to end it here."
AT_ONCE = 32
"""Orders on their way to a venue at once. More would wait all the same, for a connection, and be given up while they do: a thousand
that left together went out without being counted among what the venue allows."""


@called_from(LOOP)
class Executor:
    def __init__(
        self,
        exchange: Exchange,
        key: str,
        find_lease: Callable[[], Lease],
        in_thread: InThread,
        note_fills: Callable[[Report], None],
        wallet_id: int,
        doubt_listing: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`key`: the venue's. `note_fills` gets each report before its bot does. `wallet_id`: the primary key of the wallet with
        this account. `doubt_listing` is told where the venue refuses an order for what it is."""
        self.exchange, self.find_lease, self.in_thread, self.note_fills = exchange, find_lease, in_thread, note_fills
        self.wallet_id, self.clock, self.questions = wallet_id, clock, Questions(clock)
        self.doubt_listing = doubt_listing
        self.submit_seconds = metrics.submit_seconds.labels(key)
        self.patience = Patience(clock)
        """For fills that the venue does not list yet, by our client order id, and for cancellings that it refuses, by order."""
        self.unauthorised = ""
        """What the venue said when it did not take the key any more; empty: it takes it."""
        self.in_flight: set[int] = set()
        """Orders that a coroutine of ours is busy with: nobody else asks for them meanwhile."""
        self.sent: dict[int, float] = {}
        """When (monotonic) orders left whose answer was lost: a clock that is put forward makes none of them old."""
        self.turns = asyncio.Semaphore(AT_ONCE)

    async def send(self, runner: BotRunner, order: Order) -> None:
        """Claims an order that is pending, sends it, and takes in what the venue answers."""
        if order.pk in self.in_flight:
            return
        self.in_flight.add(order.pk)
        try:
            request = await self.in_thread(order_claim_send, order, self.find_lease())
            if isinstance(request, OrderRequest):
                await self.place(runner, order, request, 0.0)
        finally:
            self.in_flight.discard(order.pk)

    @called_from(BOT)
    def claim(self, order: Order) -> OrderRequest | None:
        """Makes an order of a step that has just been written ready to be sent: pending becomes submitted, unless the step has
        written it so. None: it must not be sent."""
        if order.status == OrderStatus.SUBMITTED:
            return order_request(order)
        return order_claim_send(order, self.find_lease())

    async def deliver(self, runner: BotRunner, order: Order, request: OrderRequest, received: float) -> None:
        """Sends what `claim` let through. `received`: when the frame came in that set it off; 0: none did."""
        self.in_flight.add(order.pk)
        try:
            await self.place(runner, order, request, received)
        finally:
            self.in_flight.discard(order.pk)

    async def place(self, runner: BotRunner, order: Order, request: OrderRequest, received: float) -> None:
        began = self.clock()
        self.submit_seconds.observe(seconds_until_sent(order, received))
        try:
            report = await self.place_in_turn(order, request)
        except Refused as error:
            self.note_refusal(error)
            if error.kind != "person":
                self.doubt_listing()
            refusal = Refusal(error.kind, error.code, str(error))
            submit_end(runner, order, OrderStatus.SUBMITTED, OrderStatus.REJECTED, refusal)
        except Retryable as error:
            logger.info("order %s waits: %s", request.client_order_id, error)
            await self.in_thread(order_unsend, order.pk)
        except Unknown as error:
            logger.warning("the fate of order %s is unknown: %s", request.client_order_id, error)
            self.sent = {key: at for key, at in self.sent.items() if began - at < KEPT} | {order.pk: began}
        else:
            await self.on_first_report(runner, report)

    async def place_in_turn(self, order: Order, request: OrderRequest) -> Report:
        """One that has waited too long is claimed anew: it must not leave after the venue was believed not to know it."""
        async with self.turns:
            if order.submitted_at is None or timezone.now() - order.submitted_at > timedelta(seconds=self.exchange.finality / 2):
                raise Retryable("Too many orders were on their way at once.", code="turns")
            return await self.exchange.place(request)

    async def on_first_report(self, runner: BotRunner, report: Report) -> None:
        """The answer to an order that was sent, and what the user stream says. That a market order was accepted is not passed on:
        what became of it follows in the same moment, and where it does not, the reconciler asks."""
        if not (report.type == "market" and report.status == "accepted" and not report.filled):
            await self.on_report(runner, report)

    async def on_report(self, runner: BotRunner, report: Report) -> None:
        """A report may count fills that it does not list: then the venue is asked for all of them."""
        if not runner.loaded_bot.is_news(report):
            return
        listed = sum((one.quantity for one in report.executions), start=runner.loaded_bot.filled_quantity(report.client_order_id))
        whole = await find_fills(self, runner, report) if report.filled > listed else report
        self.note_fills(whole)
        runner.submit(lambda: runner.steps.apply_report(whole, self.wallet_id), urgent=True)

    def note_refusal(self, error: ExchangeError) -> None:
        if isinstance(error, Unauthorised):
            self.unauthorised = str(error)

    async def cancel(self, runner: BotRunner, order: Order) -> None:
        """Cancels at the venue; an order that the venue has never got simply ends."""
        if order.pk in self.in_flight or not self.patience.is_due(order.pk):
            return
        if order.status == OrderStatus.PENDING:
            submit_end(runner, order, OrderStatus.PENDING, OrderStatus.CANCELLED, "cancelled before it was sent")
            return
        self.in_flight.add(order.pk)
        try:
            await self.cancel_at_venue(runner, order)
            self.patience.forget(order.pk)
        except (Refused, Retryable, Unknown) as error:
            self.note_refusal(error)
            logger.info("cancelling %s is tried again: %s", order.client_order_id, error)
            if isinstance(error, Refused) and error.lasting:
                self.patience.put_off(order.pk)
                await self.in_thread(order_reason_note, order.pk, f"The venue does not cancel it: {error}")
        finally:
            self.in_flight.discard(order.pk)

    async def cancel_at_venue(self, runner: BotRunner, order: Order) -> None:
        try:
            report = await self.exchange.cancel(order.symbol, order.client_order_id, order.venue_order_id)
        except NotFoundAtVenue:
            await self.query(runner, order)
        else:
            await self.on_report(runner, report)

    async def resolve(self, runner: BotRunner, order: Order) -> None:
        """Asks the venue what became of an order."""
        if order.pk in self.in_flight:
            return
        self.in_flight.add(order.pk)
        try:
            await self.query(runner, order)
        except (Refused, Retryable, Unknown) as error:
            logger.info("order %s is asked for again: %s", order.client_order_id, error)
            self.note_refusal(error)
            self.questions.ask_later(order.client_order_id, error, partial(self.resolve, runner, order))
        finally:
            self.in_flight.discard(order.pk)

    async def query(self, runner: BotRunner, order: Order) -> None:
        try:
            report = await self.exchange.order(order.symbol, order.client_order_id, order.venue_order_id)
        except NotFoundAtVenue:
            await self.on_not_found(runner, order)
            return
        if order.status_reason == LOST:
            await self.in_thread(order_reason_note, order.pk, "")
        await self.on_report(runner, report)

    async def on_not_found(self, runner: BotRunner, order: Order) -> None:
        """An order that the venue has acknowledged and does not know now is not ours to end: a person must say so, by cancelling
        it."""
        if self.has_never_arrived(order):
            submit_end(runner, order, OrderStatus.SUBMITTED, OrderStatus.REJECTED, "it never reached the venue")
        elif not order.venue_order_id or is_fresh(order):
            return  # the venue's lists may be behind what it has told
        elif order.cancel_requested:
            why = "the venue does not know it any more; ended on request"
            submit_end(runner, order, order.status, OrderStatus.CANCELLED, why)
        elif not order.status_reason:
            await self.in_thread(order_reason_note, order.pk, LOST)

    @called_from(*ANY)
    def has_never_arrived(self, order: Order) -> bool:
        """Not known to the venue, and too old to be accepted there any more (its signature has expired)."""
        if order.status != OrderStatus.SUBMITTED or order.venue_order_id or order.submitted_at is None:
            return False
        if (sent := self.sent.get(order.pk)) is not None:
            return self.clock() - sent > self.exchange.finality
        return timezone.now() - order.submitted_at > timedelta(seconds=self.exchange.finality)


def seconds_until_sent(order: Order, received: float) -> float:
    """Since the frame came in that set the order off, or since it was recorded where none did."""
    return time.perf_counter() - received if received else (timezone.now() - order.created_at).total_seconds()


async def find_fills(executor: Executor, runner: BotRunner, told: Report) -> Report:
    """`told` with the executions that the venue has of it. Its lists may be behind what it has just told: what is missing there
    is asked for again, soon."""
    name = told.client_order_id
    problem: ExchangeError
    try:
        whole = join_reports(told, await executor.exchange.order(told.symbol, name, told.venue_order_id))
        if sum(one.quantity for one in whole.executions) >= whole.filled:
            executor.patience.forget(name)
            return whole
        problem = Retryable("The venue does not list all of them yet.")
    except NotFoundAtVenue as error:
        whole, problem = told, Retryable(str(error))
    except (Refused, Retryable, Unknown) as error:
        executor.note_refusal(error)
        whole, problem = told, error
    if isinstance(problem, Retryable) and not problem.after:
        problem.after = executor.patience.put_off(name)
    logger.info("the fills of %s are asked for later: %s", name, problem)
    executor.questions.ask_later(name, problem, partial(executor.on_report, runner, told))
    return whole


def is_fresh(order: Order) -> bool:
    """Whether the venue may have acknowledged it so lately that its own lists do not show it yet."""
    return order.submitted_at is not None and abs(timezone.now() - order.submitted_at) < LISTED_WITHIN


def join_reports(told: Report, answer: Report) -> Report:
    """What the venue told of an order, and what its list says of it, which may be older: whichever has gone further, with the
    executions of both."""
    executions = {one.trade_id: one for one in (*told.executions, *answer.executions)}
    further = answer if answer.status in OVER or answer.filled > told.filled else told
    return replace(further, filled=max(told.filled, answer.filled), executions=tuple(executions.values()))


def submit_end(runner: BotRunner, order: Order, seen: str, status: OrderStatus, why: Refusal | str) -> None:
    runner.submit(lambda: runner.steps.end_order(order.pk, seen, status, why), urgent=True)


async def gather_quietly(calls: list[Awaitable[None]]) -> None:
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(outcome, Exception):
            logger.error("what an order needed failed; it is tried again", exc_info=outcome)
