"""A stream worker: holds the venues that it can get, drives the bots that trade there, and tells the pages. Any number may run; of
each venue one holds the sockets, and another takes over within seconds when it dies."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any, TypeVar

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from core.broker import loop_client
from core.exposition import metrics_put
from core.push import pushing_later
from engine.warm import live_is_being_compiled, live_is_compiled, warm_live
from market.exchanges import connect
from market.exchanges.account_cache import AccountCache
from market.exchanges.base import Endpoint, Exchange, ExchangeError
from market.exchanges.breaker import Breaker
from market.exchanges.budget import Budget
from market.exchanges.registry import load_adapters
from market.feed import Timing
from market.feed.ending import end_tasks
from market.services import stream_hold, stream_note, stream_release
from trading import metrics
from trading.live.desired_state import DesiredState, desired_state_read
from trading.live.leases import VenueLease
from trading.live.venue_worker import VenueWorker
from trading.services.lease import Lease

logger = logging.getLogger(__name__)
T = TypeVar("T")

LOOK_EVERY = 1.0
HOLD_EVERY = 2.0
RETRY_AFTER = 2.0
TELL_EVERY = 5.0
COMPILED_EVERY = 0.1
LOST = -1
"""The token of a hold that is had no more: no stream has it."""
CLOSE_WITHIN, LEAVE_WITHIN = 2.0, 20.0
THREADS = {"urgent": 3, "routine": 2, "desk": 2}
"""For orders and what they wait for; for candles; for what is no bot's."""
SWITCH_EVERY = 0.0005
"""Seconds that a thread may compute while another waits. By default it is ten times as long, and so would the sockets wait
for each bot that decides."""


class StreamWorker:
    """`run` ends when it is cancelled, and leaves nothing behind."""

    def __init__(
        self, *, name: str = "", clock: Callable[[], float] = time.time, timing: Timing | None = None, warm: bool = False
    ) -> None:
        """`clock`: the markets' time in seconds since 1970; another one than ours where a sandbox plays faster. `timing`: of its
        feeds. `warm`: the engine is loaded already."""
        self.clock, self.timing = clock, timing
        self.name = name or f"{socket.gethostname()}:{os.getpid()}:{time.time_ns() % 1_000_000}"
        self.loop = asyncio.get_running_loop()
        self.urgent, self.routine, self.desk = (ThreadPoolExecutor(many, thread_name_prefix=name) for name, many in THREADS.items())
        self.stations: dict[int, VenueWorker] = {}
        self.holds: dict[int, VenueLease] = {}
        self.retry_at: dict[int, float] = {}
        self.troubles: dict[int, str] = {}
        self.errands: set[asyncio.Task[None]] = set()
        self.wake = asyncio.Event()
        self.warm = warm
        self.redis = loop_client()

    async def run(self) -> None:
        sys.setswitchinterval(SWITCH_EVERY)
        load_adapters()
        with pushing_later():
            await self.work()

    async def work(self) -> None:
        if not self.warm:
            self.spawn(self.warm_up())
        self.spawn(self.tell_metrics())
        self.spawn(self.keep_holds())
        try:
            while True:
                await self.look()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.wake.wait(), LOOK_EVERY)
                self.wake.clear()
        finally:
            await self.stop()

    async def keep_holds(self) -> None:
        """However long a look takes: loading many bots takes longer than a hold lasts. One that was lost is left as it is; the next
        look sees that, and leaves the venue."""
        while True:
            await asyncio.sleep(HOLD_EVERY)
            for stream_id, hold in list(self.holds.items()):
                with suppress(DatabaseError):
                    token = await self.in_thread(stream_hold_of, stream_id, self.name)
                    if token == hold.token and self.holds.get(stream_id) is hold:
                        self.holds[stream_id] = VenueLease(stream_id, self.name, token, time.monotonic())

    async def warm_up(self) -> None:
        """Bots are driven once the engine is compiled, by a process of its own: compiling would hold up the sockets here."""
        while not live_is_compiled() and live_is_being_compiled():  # noqa: ASYNC110  (by another process, which sets no event)
            await asyncio.sleep(COMPILED_EVERY)
        if not live_is_compiled():
            await self.compile()
        await self.in_thread(warm_live)
        self.warm = True
        self.wake.set()

    async def compile(self) -> None:
        command = (sys.executable, "-m", "engine.warm", "live")
        compiling = await asyncio.create_subprocess_exec(*command, cwd=settings.BASE_DIR, stdin=asyncio.subprocess.PIPE)
        try:
            await compiling.wait()
        finally:
            if compiling.returncode is None:
                compiling.kill()

    async def look(self) -> None:
        """Compares what should run with what does, and makes it so. A fault of one venue is told there and hurts no other."""
        try:
            plan = await self.in_thread(desired_state_read)
        except DatabaseError as error:
            logger.warning("the database does not answer: %s", type(error).__name__)
            return
        for stream_id, wanted in plan.items():
            if time.monotonic() < self.retry_at.get(stream_id, 0.0):
                continue
            try:
                await self.follow(stream_id, wanted)
                self.troubles.pop(stream_id, None)
            except (DatabaseError, ExchangeError, OSError) as error:
                await self.trouble(stream_id, wanted, str(error))
            except Exception as error:
                logger.exception("%s failed; it is tried again", wanted.key)
                await self.trouble(stream_id, wanted, type(error).__name__)

    async def tell_metrics(self) -> None:
        """For the process that Prometheus asks."""
        while True:
            await self.in_thread(metrics_put, f"stream:{socket.gethostname()}:{os.getpid()}")
            await asyncio.sleep(TELL_EVERY)

    async def trouble(self, stream_id: int, wanted: DesiredState, message: str) -> None:
        """Told once, shown with the stream, and tried again after a while."""
        self.retry_at[stream_id] = time.monotonic() + RETRY_AFTER
        if self.troubles.get(stream_id) != message:
            logger.warning("%s: %s", wanted.key, message)
            self.troubles[stream_id] = message
        if stream_id not in self.stations:
            with suppress(DatabaseError):
                await self.in_thread(note_trouble, stream_id, self.name, message)

    async def follow(self, stream_id: int, wanted: DesiredState) -> None:
        hold = self.holds.get(stream_id)
        if hold is None or time.monotonic() - hold.renewed > HOLD_EVERY:
            token = await self.in_thread(stream_hold_of, stream_id, self.name)
            if token is None or (hold and token != hold.token):
                self.holds.pop(stream_id, None)
                await self.leave(stream_id)
                return
            hold = self.holds[stream_id] = VenueLease(stream_id, self.name, token, time.monotonic())
        station = self.stations.get(stream_id)
        if station is not None and station.died():
            logger.error("the stream of %s died and is opened anew", wanted.key)
            await self.leave(stream_id)
            station = None
        if station is None:
            station = self.stations[stream_id] = await VenueWorker.open(self, stream_id, wanted)
        await station.follow_plan(wanted)

    def lease(self, stream_id: int) -> Lease:
        """Of no force once the hold is lost."""
        hold = self.holds.get(stream_id)
        return Lease(stream_id, hold.holder, hold.token) if hold else Lease(stream_id, self.name, LOST)

    async def leave(self, stream_id: int) -> None:
        if station := self.stations.pop(stream_id, None):
            try:
                async with asyncio.timeout(LEAVE_WITHIN):
                    await station.close()
            except TimeoutError:
                logger.error("%s did not end within %g s: it is left behind", station.key, LEAVE_WITHIN)

    async def stop(self) -> None:
        for stream_id in list(self.stations):
            await self.leave(stream_id)
        await end_tasks(list(self.errands))
        for stream_id in list(self.holds):
            with suppress(DatabaseError):
                await self.in_thread(release, stream_id, self.name)
        for pool, many in zip((self.urgent, self.routine, self.desk), THREADS.values(), strict=True):
            close_connections(pool, many)
            pool.shutdown(wait=True)
        await self.redis.aclose()

    # What stations use.

    async def in_thread(self, call: Callable[..., T], *arguments: Any) -> T:
        return await self.loop.run_in_executor(self.desk, call_safely, call, arguments)

    def spawn(self, errand: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(errand)
        self.errands.add(task)
        task.add_done_callback(self.over)

    def over(self, task: asyncio.Task[None]) -> None:
        self.errands.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("an errand failed", exc_info=error)

    def connect(self, endpoint: Endpoint) -> Exchange:
        def count(outcome: str) -> None:
            metrics.requests.labels(endpoint.venue, outcome).inc()

        return connect(endpoint, budget=Budget(self.redis, endpoint), breaker=Breaker(self.redis, endpoint), count=count)

    def account_cache(self, endpoint: Endpoint, exchange: Exchange) -> AccountCache:
        return AccountCache(self.redis, endpoint, exchange.balances)


def call_safely(call: Callable[..., T], arguments: tuple[Any, ...]) -> T:
    """A connection that broke is thrown away, so that the next call opens a new one."""
    try:
        return call(*arguments)
    except DatabaseError:
        connection.close()
        raise


def close_connections(pool: ThreadPoolExecutor, many: int) -> None:
    """Each of its threads has one."""
    together = Barrier(many)

    def close() -> None:
        with suppress(BrokenBarrierError):
            together.wait(CLOSE_WITHIN)  # else one thread would do it for all
        connection.close()

    for _ in range(many):
        pool.submit(close)


def stream_hold_of(stream_id: int, holder: str) -> int | None:
    return stream_hold(stream_id=stream_id, holder=holder)


def note_trouble(stream_id: int, holder: str, message: str) -> None:
    stream_note(stream_id=stream_id, holder=holder, state="connecting", detail=message[:300])


def release(stream_id: int, holder: str) -> None:
    stream_release(stream_id=stream_id, holder=holder)
