"""A stream worker: holds the venues that it can get, drives the bots that trade there, and tells the pages. Any number may run; of
each venue one holds the sockets, and another takes over within seconds when it dies.

Everything here is called on the worker's event loop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from django.conf import settings
from django.db import Error as DatabaseError

from core.broker import loop_client
from core.database_errors import describe_database_error
from core.exposition import metrics_put
from core.heartbeat import keep_beating
from core.push import pushing_later
from core.venues import venue_key
from engine.warm import live_is_being_compiled, live_is_compiled, warm_live
from market.exchanges import connect
from market.exchanges.account_cache import AccountCache
from market.exchanges.base import Endpoint, Exchange, ExchangeError
from market.exchanges.breaker import Breaker
from market.exchanges.budget import Budget
from market.exchanges.registry import load_adapters
from market.feed import Timing
from market.services import stream_note
from trading import metrics
from trading.compiling import telling_progress
from trading.live.background import BackgroundTasks
from trading.live.desired_state import DesiredState, read_desired_state
from trading.live.facilities import Facilities
from trading.live.leases import Leases
from trading.live.pools import Pools
from trading.live.threads import LOOP, called_from
from trading.live.venue_worker import VenueWorker

logger = logging.getLogger(__name__)

CHECK_EVERY = 1.0
RETRY_AFTER = 2.0
METRICS_EVERY = 5.0
COMPILED_EVERY = 0.1
LEAVE_WITHIN = 20.0
SWITCH_EVERY = 0.0005
"""Seconds that a thread may compute while another waits. By default it is ten times as long, and so would the sockets wait
for each bot that decides."""


@called_from(LOOP)
class StreamWorker:
    """`run` ends when it is cancelled, and leaves nothing behind."""

    def __init__(
        self, *, name: str = "", clock: Callable[[], float] = time.time, timing: Timing | None = None, warm: bool = False
    ) -> None:
        """`clock`: the markets' time in seconds since 1970; another one than ours where a sandbox plays faster. `timing`: of its
        feeds. `warm`: the engine is loaded already."""
        self.name = name or f"{socket.gethostname()}:{os.getpid()}:{time.time_ns() % 1_000_000}"
        self.loop = asyncio.get_running_loop()
        self.pools = Pools()
        self.background = BackgroundTasks(self.loop)
        self.leases = Leases(self.name, self.pools.in_thread)
        self.redis = loop_client()
        self.venues: dict[int, VenueWorker] = {}
        """By the stream's primary key, as are the two below."""
        self.retry_at: dict[int, float] = {}
        self.troubles: dict[int, str] = {}
        self.wake = asyncio.Event()
        self.warm = warm
        self.facilities = Facilities(
            name=self.name,
            loop=self.loop,
            pools=self.pools,
            background=self.background,
            leases=self.leases,
            redis=self.redis,
            clock=clock,
            timing=timing,
            connect=self.connect,
            open_cache=self.open_cache,
        )

    async def run(self) -> None:
        sys.setswitchinterval(SWITCH_EVERY)
        load_adapters()
        with pushing_later():
            await self.work()

    async def work(self) -> None:
        if not self.warm:
            self.background.spawn(self.warm_up())
        self.background.spawn(self.hand_over_metrics())
        self.background.spawn(self.leases.keep())
        self.background.spawn(keep_beating())
        try:
            while True:
                await self.apply_desired_state()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.wake.wait(), CHECK_EVERY)
                self.wake.clear()
        finally:
            await self.stop()

    async def warm_up(self) -> None:
        """Bots are driven once the engine is compiled, by a process of its own: compiling would hold up the sockets here."""
        with telling_progress():
            while not live_is_compiled() and live_is_being_compiled():  # noqa: ASYNC110  (by another process, which sets no event)
                await asyncio.sleep(COMPILED_EVERY)
            if not live_is_compiled():
                await self.compile_engine()
            await self.pools.in_thread(warm_live)
        self.warm = True
        self.wake.set()

    async def compile_engine(self) -> None:
        command = (sys.executable, "-m", "engine.warm", "live")
        compiling = await asyncio.create_subprocess_exec(*command, cwd=settings.BASE_DIR, stdin=asyncio.subprocess.PIPE)
        try:
            await compiling.wait()
        finally:
            if compiling.returncode is None:
                compiling.kill()

    async def hand_over_metrics(self) -> None:
        """For ever, to the process that Prometheus asks."""
        while True:
            await self.pools.in_thread(metrics_put, f"stream:{socket.gethostname()}:{os.getpid()}")
            await asyncio.sleep(METRICS_EVERY)

    async def apply_desired_state(self) -> None:
        """Compares what should run with what does run, and makes up the difference. A fault of one venue is shown with that venue
        and does not touch the others."""
        try:
            desired = await self.pools.in_thread(read_desired_state)
        except DatabaseError as error:
            logger.warning("the database does not answer: %s", describe_database_error(error))
            return
        for stream_id, state in desired.items():
            if time.monotonic() < self.retry_at.get(stream_id, 0.0):
                continue
            try:
                await self.follow(stream_id, state)
                self.troubles.pop(stream_id, None)
            except DatabaseError as error:
                await self.note_trouble(stream_id, state, describe_database_error(error))
            except (ExchangeError, OSError) as error:
                await self.note_trouble(stream_id, state, str(error))
            except Exception as error:
                logger.exception("%s failed; it is tried again", state.key)
                await self.note_trouble(stream_id, state, type(error).__name__)

    async def note_trouble(self, stream_id: int, desired: DesiredState, message: str) -> None:
        """Logged once, shown with the stream, and tried again after a while."""
        self.retry_at[stream_id] = time.monotonic() + RETRY_AFTER
        if self.troubles.get(stream_id) != message:
            logger.warning("%s: %s", desired.key, message)
            self.troubles[stream_id] = message
        if stream_id not in self.venues:
            note = partial(stream_note, stream_id=stream_id, holder=self.name, state="connecting", detail=message[:300])
            with suppress(DatabaseError):
                await self.pools.in_thread(note)

    async def follow(self, stream_id: int, desired: DesiredState) -> None:
        if not await self.leases.take(stream_id):
            await self.leave(stream_id)
            return
        venue = self.venues.get(stream_id)
        if venue is not None and venue.has_died():
            logger.error("the stream of %s died and is opened again", desired.key)
            await self.leave(stream_id)
            venue = None
        if venue is None:
            venue = self.venues[stream_id] = await VenueWorker.open(self.facilities, stream_id, desired)
        await venue.follow(desired, warm=self.warm)

    async def leave(self, stream_id: int) -> None:
        if venue := self.venues.pop(stream_id, None):
            try:
                async with asyncio.timeout(LEAVE_WITHIN):
                    await venue.close()
            except TimeoutError:
                logger.error("%s did not end within %g s: it is left behind", venue.key, LEAVE_WITHIN)

    async def stop(self) -> None:
        for stream_id in list(self.venues):
            await self.leave(stream_id)
        await self.background.cancel_all()
        await self.leases.release_all()
        self.pools.close()
        await self.redis.aclose()

    def connect(self, endpoint: Endpoint) -> Exchange:
        def count(outcome: str) -> None:
            metrics.requests.labels(venue_key(endpoint.venue, endpoint.environment), outcome).inc()

        return connect(endpoint, budget=Budget(self.redis, endpoint), breaker=Breaker(self.redis, endpoint), count=count)

    def open_cache(self, endpoint: Endpoint, exchange: Exchange) -> AccountCache:
        return AccountCache(self.redis, endpoint, exchange.balances)
