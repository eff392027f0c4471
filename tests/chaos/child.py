"""A stream worker in a process of its own, with short times, that kills itself at a given point."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import aiohttp
from django.conf import settings
from django.db import connection
from redis.connection import parse_url

import market.services
from core.broker import broker_address, layer_config
from market.exchanges import breaker, connect
from market.exchanges.base import Endpoint, Exchange, ExchangeError
from market.exchanges.binance.client import BinanceClient as BinanceClient
from market.exchanges.breaker import Breaker
from market.exchanges.budget import Budget
from market.exchanges.coinbase import client as coinbase_client
from market.exchanges.coinbase import tokens
from market.feed import Timing
from tests.chaos.days import SPEED, Kill
from trading.live import (
    account,
    account_pool,
    bot_candles,
    bot_intake,
    bot_runner,
    dispatcher,
    errands,
    executor,
    leases,
    listing,
    reconciler,
    worker,
)
from trading.live.worker import StreamWorker
from trading.models import Order, OrderStatus
from trading.services.orders import order_claim_send, order_request
from trading.services.step_writer import StepEffects
from trading.services.venue_steps import VenueStepWriter

FINALITY = {"binance": 1.5, "coinbase": 3.0}
"""Beyond the life of the signatures, which is shortened as well: see `hurry`."""
HURRIED = Timing(
    backoff=(0.1, 0.2, 0.4),
    silence=1.0,
    settle=0.3,
    poll=0.2,
    late=0.1 * SPEED,
    again=0.2,
    stale=5.0,
    change=0.05,
    tend=0.2,
    report=0.5,
)


@dataclass(frozen=True, slots=True)
class Life:
    """What a child is told. `clock`: the markets' time in seconds, shared memory. `reckless`: orders go to the venue before their
    transaction commits, as in a desk without a write-ahead step."""

    database: str
    folder: Path
    clock: Any
    ready: Any
    """How many accounts have been compared with their venue: shared memory as well."""
    kill: Kill | None = None
    reckless: bool = False
    database_port: int = 0
    redis_port: int = 0
    """Of lines that can be cut; 0: the straight way."""


class Fuse:
    """Counts passings of one point, and at the last one it is over."""

    def __init__(self, kill: Kill | None) -> None:
        self.kill, self.left = kill, kill.nth if kill else 0
        self.guard = threading.Lock()

    def passing(self, point: str) -> None:
        if self.kill is None or self.kill.point != point:
            return
        with self.guard:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def live(life: Life) -> None:
    """The child's main function; ends in order on SIGTERM."""
    log = os.open(life.folder / "children.log", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.dup2(log, 1)
    os.dup2(log, 2)
    connection.settings_dict["NAME"] = life.database
    settings.MEDIA_ROOT = life.folder / "media"
    if life.database_port:
        connection.settings_dict |= {"HOST": "127.0.0.1", "PORT": life.database_port}
    if life.redis_port:
        read: Any = parse_url
        number = read(broker_address()).get("db", 0)
        layer_config()["hosts"][0]["address"] = f"redis://127.0.0.1:{life.redis_port}/{number}"
    hurry()
    threading.Thread(target=end_with_parent, daemon=True).start()
    asyncio.run(until_told(life))


def end_with_parent() -> None:
    """A test run that is killed leaves no worker behind."""
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)


async def until_told(life: Life) -> None:
    fuse = Fuse(life.kill)
    hasty = HastyWorker(fuse, life)
    wire(fuse, hasty)
    task = asyncio.ensure_future(hasty.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


def hurry() -> None:
    """Every wait shorter by about as much as the market is faster."""
    settings.SWEEP_SECONDS, settings.COMPARE_SECONDS, settings.STRATEGY_SECONDS = 0.1, 0.7, 1
    settings.WATCHLIST = {}
    hurried: dict[Any, dict[str, Any]] = {
        market.services: {"HOLD_SECONDS": 1.5},
        worker: {"CHECK_EVERY": 0.1, "RETRY_AFTER": 0.2},
        leases: {"RENEW_EVERY": 0.3},
        account: {"RECONNECT": Timing(backoff=(0.05, 0.1, 0.15), jitter=0.8)},
        account_pool: {"AGAIN_SECONDS": 0.2, "SHUT_SECONDS": 0.2},
        errands: {"UNANSWERED": timedelta(seconds=0.2)},
        reconciler: {"PROBE_FIRST": 0.05},
        breaker: {"LATER": 50},
        bot_intake: {"AGAIN_SECONDS": 0.2},
        listing: {"REFRESH_EVERY": 1.0},
        bot_runner: {"RETRY_SECONDS": 0.05},
        bot_candles: {"SAVE_EVERY": 0.5, "HOLE_SECONDS": 0.3 * SPEED},
        coinbase_client: {"TIMEOUT": (0.4, 0.4)},
        tokens: {"LIFE": 1},
        BinanceClient: {"REQUEST_RECVWINDOW": 1000, "REQUEST_TIMEOUT": aiohttp.ClientTimeout(total=0.4)},
    }
    for module, waits in hurried.items():
        for name, value in waits.items():
            assert hasattr(module, name)
            setattr(module, name, value)


class HastyWorker(StreamWorker):
    def __init__(self, fuse: Fuse, life: Life) -> None:
        super().__init__(clock=lambda: float(life.clock.value), timing=HURRIED, warm=True)
        self.fuse, self.life = fuse, life
        self.exchanges: dict[str, Exchange] = {}

    def connect(self, endpoint: Endpoint) -> Exchange:
        shared = Breaker(self.redis, endpoint, rest=0.3, probe=0.1)
        exchange = connect(endpoint, budget=Budget(self.redis, endpoint, patience=1.0), breaker=shared)
        exchange.finality = FINALITY[endpoint.venue]
        for name in ("place", "cancel"):
            setattr(exchange, name, self.fused(getattr(exchange, name), name))
        if endpoint.api_key:
            self.exchanges[endpoint.venue] = exchange
        return exchange

    def fused(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(call)
        async def fused(*arguments: Any) -> Any:
            self.fuse.passing(f"{name} before")
            try:
                return await call(*arguments)
            finally:
                self.fuse.passing(f"{name} answered")

        return fused

    def place_now(self, order: Order) -> None:
        """From a thread: the venue hears of an order that no committed row knows."""
        exchange = self.exchanges[order.venue.split("-")[0]]
        with suppress(ExchangeError):
            asyncio.run_coroutine_threadsafe(exchange.place(order_request(order)), self.loop).result()


def wire(fuse: Fuse, hasty: HastyWorker) -> None:
    """Puts the fuse into the order path."""
    for place, name, wired in (
        (VenueStepWriter, "finish", finish_fused(fuse, hasty, VenueStepWriter.finish)),
        (dispatcher.Dispatcher, "dispatch", dispatch_fused(fuse, dispatcher.Dispatcher.dispatch)),
        (executor, "order_claim_send", claim_fused(fuse, order_claim_send)),
        (executor, "order_request", claim_fused(fuse, order_request)),  # of one that was claimed as it was written
        (reconciler.Reconciler, "admit_bots", count_admitted(hasty, reconciler.Reconciler.admit_bots)),
    ):
        setattr(place, name, wired)


def finish_fused(fuse: Fuse, hasty: HastyWorker, finish: Callable[..., StepEffects]) -> Callable[..., StepEffects]:
    def finish_fused(writer: VenueStepWriter) -> StepEffects:
        sent = list(writer.fresh.rows)
        if hasty.life.reckless:
            writer.lease = None
        for order in sent if hasty.life.reckless else ():
            hasty.place_now(order)
        if sent:
            fuse.passing("step before commit")
        if has_fills(writer.effects):
            fuse.passing("report before commit")
        written = finish(writer)
        for order in sent if hasty.life.reckless else ():
            Order.objects.filter(pk=order.pk).update(status=OrderStatus.SUBMITTED, submitted_at=order.created_at)
        return written

    return finish_fused


def dispatch_fused(fuse: Fuse, dispatch: Callable[..., None]) -> Callable[..., None]:
    def dispatch_fused(self: dispatcher.Dispatcher, runner: bot_runner.BotRunner, effects: StepEffects) -> None:
        if effects.send:
            fuse.passing("step after commit")
        if has_fills(effects):
            fuse.passing("report after commit")
        dispatch(self, runner, effects)

    return dispatch_fused


def has_fills(written: StepEffects) -> bool:
    return any(one.type == "fill" for one in written.news)


def claim_fused(fuse: Fuse, claim: Callable[..., Any]) -> Callable[..., Any]:
    def claim_fused(*arguments: Any) -> Any:
        fuse.passing("claim before")
        claimed = claim(*arguments)
        fuse.passing("claim after")
        return claimed

    return claim_fused


def count_admitted(hasty: HastyWorker, admit_bots: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def count_admitted(one: reconciler.Reconciler, asked: list[Order]) -> None:
        await admit_bots(one, asked)
        hasty.life.ready.value += 1

    return count_admitted
