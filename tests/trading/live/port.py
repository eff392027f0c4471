"""An account of the live worker in a test's own process: a venue that says what it is told to, and the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

from market.exchanges.base import Execution, NotFoundAtVenue, OrderRequest, Report
from tests.trading.live.fixtures import Rows
from trading.live.errands import Errands
from trading.live.executor import Executor
from trading.live.reconciler import Reconciler
from trading.models import Bot, Order
from wallets.models import Wallet

HELD = 60
"""Turns of the loop: more than anything here needs."""


def report(
    order: Order, status: str = "accepted", *, filled: str = "0", executions: tuple[Execution, ...] = (), **given: Any
) -> Report:
    """What the venue says of an order, unless the test says something else."""
    made: dict[str, Any] = {
        "venue": "binance",
        "symbol": order.symbol,
        "client_order_id": order.client_order_id,
        "venue_order_id": order.venue_order_id or f"v{order.pk}",
        "status": status,
        "side": order.side,
        "type": order.type,
        "quantity": order.quantity,
        "filled": Decimal(filled),
        "executions": executions,
        "time": datetime.now(UTC),
    }
    return Report(**made | given)


@dataclass
class Port:
    """A venue. What it answers is a value, an error, or a coroutine function; `asked` says what it was asked for, in order."""

    venue = "binance"
    finality = 10.0
    listed: Any = field(default_factory=list)
    orders: dict[str, Any] = field(default_factory=dict)
    cancels: dict[str, Any] = field(default_factory=dict)
    placed: Any = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def answer(self, what: Any) -> Any:
        if callable(what):
            return await what()
        if isinstance(what, Exception):
            raise what
        return what

    async def open_orders(self) -> Any:
        self.asked.append(("open_orders", ""))
        return await self.answer(self.listed)

    async def place(self, request: OrderRequest) -> Any:
        self.asked.append(("place", request.client_order_id))
        return await self.answer(self.placed)

    async def order(self, symbol: str, client_order_id: str, venue_order_id: str = "") -> Any:
        self.asked.append(("order", client_order_id))
        return await self.answer(self.orders.get(client_order_id, NotFoundAtVenue("It knows no such order.")))

    async def cancel(self, symbol: str, client_order_id: str, venue_order_id: str = "") -> Any:
        self.asked.append(("cancel", client_order_id))
        return await self.answer(self.cancels.get(client_order_id, NotFoundAtVenue("It knows no such order.")))

    async def close(self) -> None:
        pass

    def count(self, what: str) -> int:
        return sum(asked == what for asked, _ in self.asked)


async def hang() -> Any:
    """No answer, and no end."""
    await asyncio.Event().wait()


class Owners:
    """One runner for all orders: `runner.submit` gets what is to be written."""

    def __init__(self) -> None:
        self.runner = Mock()
        self.runner.queue.has_jobs.return_value = False
        self.runner.loaded_bot.filled_quantity.return_value = Decimal(0)

    async def find_owner(self, client_order_id: str) -> Any:
        return self.runner

    def find_runner(self, bot_id: int) -> Any:
        return None

    def list_of_wallet(self, wallet_id: int) -> list[Any]:
        return []


async def in_thread(call: Callable[..., Any], *arguments: Any) -> Any:
    """At once, in the test's own thread and transaction: while it runs, Django sees no loop."""
    loop = asyncio.get_running_loop()
    asyncio._set_running_loop(None)
    try:
        return call(*arguments)
    finally:
        asyncio._set_running_loop(loop)


def account_parts(wallet: Wallet, port: Port, clock: Callable[[], float] = lambda: 0.0) -> tuple[Reconciler, Errands]:
    executor = Executor(port, "binance", Mock(), in_thread, Mock(), wallet.pk, Mock(), clock)  # type: ignore[arg-type]
    reconciler = Reconciler(wallet, port, executor, Owners(), in_thread)  # type: ignore[arg-type]
    return reconciler, Errands(reconciler)


def resting(rows: Rows, bot: Bot, **given: Any) -> Order:
    """An order that the venue has taken."""
    order = rows.order(bot, **{"type": "limit", "status": "accepted", **given})
    Order.objects.filter(pk=order.pk).update(venue_order_id=f"v{order.pk}")
    order.refresh_from_db()
    return order


async def turn_loop() -> None:
    """Whatever can go on does."""
    for _ in range(HELD):
        await asyncio.sleep(0)
