"""What is measured inside the worker's process."""

from __future__ import annotations

import asyncio
import os
import time
from array import array
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp

from market.exchanges.base import Endpoint, Exchange, OrderRequest, Tick
from trading.live.bot_runner import BotRunner
from trading.live.dispatcher import Dispatcher
from trading.live.executor import Executor
from trading.live.market_state import MarketState
from trading.live.worker import StreamWorker
from trading.models import Order
from trading.services.step_writer import StepEffects

RECEIVED: ContextVar[float] = ContextVar("received", default=0.0)
PLACING: ContextVar[bool] = ContextVar("placing", default=False)
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Sample:
    """The process at a moment (monotonic seconds). `loop`, `process`: CPU seconds so far."""

    moment: float
    second: float
    """Of the minute."""
    loop: float
    process: float
    ticks: int
    jobs: int
    rss: float
    """MB."""


@dataclass
class Seen:
    """Lists of (monotonic, seconds since the frame was received), by stage: the order's row committed; the way to the
    venue begun; the request written to its socket."""

    written: list[tuple[float, float]] = field(default_factory=list)
    claimed: list[tuple[float, float]] = field(default_factory=list)
    sent: list[tuple[float, float]] = field(default_factory=list)
    orders: int = 0
    """Requests for new orders written, whatever set them off: a purchase that fills sends the stop that protects it."""
    evaluated: array[float] = field(default_factory=lambda: array("d"))
    """Seconds in the evaluator, for each tick. Arrays: a million of them must not show among the worker's memory."""
    aged: array[float] = field(default_factory=lambda: array("d"))
    """Seconds since the trade at the venue."""
    samples: list[Sample] = field(default_factory=list)


class BenchWorker(StreamWorker):
    """A worker whose requests tell when they are on the wire."""

    def __init__(self, seen: Seen) -> None:
        super().__init__(name="bench")
        self.seen = seen

    def connect(self, endpoint: Endpoint) -> Exchange:
        exchange = super().connect(endpoint)
        opened = exchange.connect

        async def connect() -> None:
            await opened()
            exchange._client.session._trace_configs.append(self.trace())  # type: ignore[attr-defined]

        exchange.connect = connect  # type: ignore[method-assign]
        return exchange

    def trace(self) -> aiohttp.TraceConfig:
        """The body is the last part of a request that is written."""
        config = aiohttp.TraceConfig()

        async def written(session: aiohttp.ClientSession, context: SimpleNamespace, chunk: Any) -> None:
            self.seen.orders += PLACING.get()
            if received := RECEIVED.get():
                self.seen.sent.append((time.monotonic(), time.perf_counter() - received))

        config.on_request_chunk_sent.append(written)
        config.freeze()
        return config

    async def sample(self, every: float = 0.25) -> None:
        """For ever."""
        while True:
            jobs = sum(len(one.queue.jobs) for venue in self.venues.values() for one in venue.bots.list_all())
            ticks, moment = len(self.seen.evaluated), time.monotonic()
            row = Sample(moment, time.time() % 60, time.thread_time(), time.process_time(), ticks, jobs, memory())
            self.seen.samples.append(row)
            await asyncio.sleep(every)


def memory() -> float:
    """Resident, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6


def wire(seen: Seen) -> None:
    """Puts the probes into the order path."""
    on_tick, dispatch, place = MarketState.on_tick, Dispatcher.dispatch, Executor.place

    def on_tick_probed(self: MarketState, tick: Tick) -> None:
        began = time.perf_counter()
        on_tick(self, tick)
        seen.evaluated.append(time.perf_counter() - began)
        seen.aged.append(time.time() - tick.time.timestamp())

    def dispatch_probed(self: Dispatcher, runner: BotRunner, effects: StepEffects) -> None:
        if effects.send and runner.steps.received:
            seen.written.append((time.monotonic(), time.perf_counter() - runner.steps.received))
        dispatch(self, runner, effects)

    async def place_probed(self: Executor, runner: BotRunner, order: Order, request: OrderRequest, received: float) -> None:
        if received:
            seen.claimed.append((time.monotonic(), time.perf_counter() - received))
        RECEIVED.set(received)
        PLACING.set(True)
        await place(self, runner, order, request, received)

    MarketState.on_tick = on_tick_probed  # type: ignore[method-assign]
    Dispatcher.dispatch = dispatch_probed  # type: ignore[method-assign]
    Executor.place = place_probed  # type: ignore[method-assign]


def quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
