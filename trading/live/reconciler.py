"""Reconciliation of one account, the same at the start and every half minute after: what is open with us is compared with what the
venue says. Bots trade only after the first comparison has gone through; what our own orders need is done without one (`errands`).

The methods of `Reconciler` are called on the loop, unless they say otherwise. The functions below it read and write rows, in a
database thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models import Q

from core.database_errors import describe_database_error
from core.work import send_named
from market.exchanges.base import Exchange, ExchangeError, Report, Retryable, UnreadRow
from trading.live.bot_runner import BotRunner
from trading.live.executor import Executor, gather_quietly
from trading.live.pools import InThread
from trading.live.threads import ANY, LOOP, called_from
from trading.models import OPEN, Order, OrderStatus
from trading.services.foreign_orders import foreign_orders_note
from trading.services.orders import order_revival_tell
from trading.services.twins import name_book
from wallets.models import Wallet

logger = logging.getLogger(__name__)

AT_ONCE = 8
"""Orders that are seen to at once: recovery must not use up the venue's rate limit that new orders need."""
NOT_ASKED = ("budget", "breaker")
"""Codes of errors that say nothing of the venue but that it was not asked."""
RUN_EVERY = 60.0
"""Seconds."""
RECONCILE = "trading.tasks.wallets_reconcile"
PROBE_FIRST = 1.0
"""Seconds by which a comparison leaves the first try of a venue that failed to the errands."""


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
        self.run_due = "start"
        """Why the books are to be compared with the venue by a run of its own, once the orders have been; empty: they are not."""
        self.run_asked_at = 0.0
        """When (monotonic) the last one was asked for."""
        self.trouble = ""
        """Why the last comparison did not go through, for a person; empty: it did."""

    def request_comparison(self) -> None:
        """Something may have been missed."""
        self.compared_at = 0.0

    def note_gap(self) -> None:
        """The user stream was away, and not only orders may have been missed."""
        self.run_due = self.run_due or "gap"
        self.request_comparison()

    async def run(self) -> None:
        """For ever: at the start, after each gap, and every half minute."""
        while True:
            due = not self.compared_at or time.monotonic() - self.compared_at > settings.COMPARE_SECONDS
            wait = await self.attempt_comparison() if due else 0.0
            await asyncio.sleep(max(wait, settings.SWEEP_SECONDS))

    async def attempt_comparison(self) -> float:
        """Returns how many seconds to wait at least before the next one."""
        self.compared_at, wait = time.monotonic(), 0.0
        try:
            await self.compare()
            self.trouble = ""
            await self.ask_for_run()
            return wait
        except ExchangeError as error:
            wait = self.note_trouble(error)
        except DatabaseError as error:
            self.trouble = f"The database: {describe_database_error(error)}"
            logger.warning("the orders of %s are compared later: %s", self.wallet.name, self.trouble)
        except Exception as error:
            self.trouble = f"It failed here ({type(error).__name__}); that has been logged."
            logger.exception("the orders of %s are compared later", self.wallet.name)
        self.request_comparison()
        return wait

    async def ask_for_run(self) -> None:
        """Has workers reconcile the wallet after the start and after each gap, once a minute at most."""
        if self.ready and self.run_due and time.monotonic() - self.run_asked_at > RUN_EVERY:
            due, self.run_due, self.run_asked_at = self.run_due, "", time.monotonic()
            await self.in_thread(partial(send_named, RECONCILE, [(self.wallet.wallet_id, due)], expires=RUN_EVERY))

    def note_trouble(self, error: ExchangeError) -> float:
        """What the venue said is kept while we only wait for it. Returns how long to wait at least."""
        logger.info("the orders of %s are compared later: %s", self.wallet.name, error)
        self.executor.note_refusal(error)
        if error.code not in NOT_ASKED or not self.trouble:
            self.trouble = str(error)
        after = error.after if isinstance(error, Retryable) else 0.0
        return after + PROBE_FIRST if error.code == "breaker" else after

    @called_from(*ANY)
    def describe_trouble(self) -> str:
        """Why the account's orders are not compared with the venue's, for a person; empty: they are."""
        return f"The orders of {self.wallet.name} cannot be compared with the venue's: {self.trouble}" if self.trouble else ""

    async def compare(self) -> None:
        """Our open orders against the venue's."""
        rows = await self.exchange.open_orders()
        found = await self.in_thread(compare_orders, self.wallet.pk, rows)
        await self.for_each(found.ask, self.resolve)
        await self.for_each(found.revived, self.end_again)
        await self.in_thread(foreign_orders_note, self.wallet, found.foreign)
        if not self.ready and any(order.pk in self.executor.in_flight for order in found.ask):
            self.request_comparison()  # an errand has asked for one of them, and its answer is not here yet
        elif not self.ready:
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

    async def for_each(self, orders: list[Order], do: Callable[[BotRunner, Order], Awaitable[None]]) -> None:
        """A few at a time."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def do_in_turn(order: Order) -> None:
            async with turns:
                await self.do_for_owner(order, do)

        await gather_quietly([do_in_turn(order) for order in orders])

    async def do_for_owner(self, order: Order, do: Callable[[BotRunner, Order], Awaitable[None]]) -> None:
        runner = await self.owners.find_owner(order.client_order_id)
        if runner is not None:
            await do(runner, order)

    async def resolve(self, runner: BotRunner, order: Order) -> None:
        """Not while the bot has jobs to do: the answer may be among them, and be late with us, not with the venue."""
        if not (self.ready and runner.queue.has_jobs()):
            await self.executor.resolve(runner, order)

    async def end_again(self, runner: BotRunner, order: Order) -> None:
        """An order that is over with us, and open in the venue's list. The list may be old: where the order itself is open, that is
        told, and it is cancelled again."""
        name = (order.symbol, order.client_order_id, order.venue_order_id)
        try:
            report = await self.exchange.order(*name)
            if report.status in ("accepted", "partially_filled"):
                await self.in_thread(order_revival_tell, order.pk)
                report = await self.exchange.cancel(*name)
            await self.executor.on_report(runner, report)
        except ExchangeError as error:
            logger.info("cancelling %s again is tried again: %s", order.client_order_id, error)
            self.executor.note_refusal(error)
            self.executor.questions.ask_later(order.client_order_id, error, partial(self.end_again, runner, order))


@dataclass(frozen=True, slots=True)
class OrderComparison:
    ask: list[Order]
    """Open with us, and the venue says something else of them or nothing that we can
    read; or rejected, as we took it, and open at the venue."""
    revived: list[Order]
    """Over with us, and open at the venue."""
    foreign: list[Report | UnreadRow]


def compare_orders(wallet_id: int, venue_rows: Sequence[Report | UnreadRow]) -> OrderComparison:
    """Our open orders against the venue's list of open orders."""
    listed = {name_order(row): row for row in venue_rows if isinstance(row, Report)}
    unread = [row for row in venue_rows if isinstance(row, UnreadRow)]
    known, ask, revived = set(), list[int](), list[int]()
    rows = Order.objects.filter(Q(status__in=OPEN) | Q(client_order_id__in={name[0] for name in listed}), wallet_id=wallet_id)
    for order in rows.only("client_order_id", "venue", "symbol", "side", "status", "filled_quantity"):
        report = listed.get(name_order(order))
        known.add(name_order(order))
        if order.status in OPEN:
            if needs_asking(order, report):
                ask.append(order.pk)
        elif report is not None:  # one that we took for rejected: what the venue says of it counts
            (ask if order.status == OrderStatus.REJECTED else revived).append(order.pk)
    found = Order.objects.select_related("bot", "run").in_bulk([*ask, *revived])
    return OrderComparison(
        ask=[found[order_id] for order_id in ask],
        revived=[found[order_id] for order_id in revived],
        foreign=[
            *(row for row in venue_rows if isinstance(row, Report) and name_order(row) not in known),
            *find_strangers(wallet_id, unread),
        ],
    )


def needs_asking(order: Order, report: Report | None) -> bool:
    """Whether the venue says something else of an open order, or nothing."""
    if order.status == OrderStatus.PENDING:
        return False
    if report is None or order.status == OrderStatus.SUBMITTED:
        return True
    return report.filled != order.filled_quantity or report.status == "other"


def find_strangers(wallet_id: int, unread: Sequence[UnreadRow]) -> list[UnreadRow]:
    """Of the rows that could not be read, those that bear no id of an order of ours."""
    if not unread:
        return []
    names, numbers = {row.client_order_id for row in unread}, {row.venue_order_id for row in unread} - {""}
    ours = Order.objects.filter(Q(client_order_id__in=names) | Q(venue_order_id__in=numbers), wallet_id=wallet_id)
    known = {text for pair in ours.values_list("client_order_id", "venue_order_id") for text in pair if text}
    return [row for row in unread if not known & {row.client_order_id, row.venue_order_id}]


def name_order(one: Order | Report) -> tuple[str, str, str]:
    """What a report and our order have in common, where the report is of that order."""
    return one.client_order_id, name_book(one.venue, one.symbol), one.side
