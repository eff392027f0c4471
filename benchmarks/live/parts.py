"""What each part sets up, and the figures that it gives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.live.desk import open_account, open_bots, services, venue
from benchmarks.live.venue import RISE, symbols

Row = list[str]
PATIENCE = 600.0


@dataclass(frozen=True, slots=True)
class Load:
    bots: int = 1000
    symbols: int = 100
    rate: float = 2000.0
    shape: str = "wave"
    strategy: str = "bench_above"
    active: float = 0.96
    """Share of the bots whose levels lie within the wave."""


LOADS = {
    "flow": Load(),
    "fast": Load(rate=5000.0),
    "crowd": Load(symbols=1, rate=200.0, shape="flat"),
    "recovery": Load(rate=200.0, shape="flat", strategy="bench_below"),
    "hundred": Load(bots=100, rate=5000.0, shape="flat"),
}
LOWEST, HIGHEST, STOP = 0.15, 0.95, 0.1
"""Of the wave's height: where purchases begin and end, and how far below a purchase its stop lies."""


def level(load: Load) -> Callable[[int], Mapping[str, float]]:
    """Bots' levels, so that they are reached one after the other; those of the others, never."""
    acting = int(load.bots * load.active)

    def params(number: int) -> Mapping[str, float]:
        if load.strategy == "bench_below":
            return {"share": 0.05}
        if number >= acting:
            return {"share": 0.99}
        # Neighbours in height trade different symbols.
        return {"share": RISE * (LOWEST + (HIGHEST - LOWEST) * (number + 0.5) / acting)}

    return params


def measure(part: str, seconds: int, changes: Mapping[str, Any]) -> list[Row]:
    load = replace(LOADS[part], **changes)
    with services(), venue(load.symbols, load.rate, load.shape) as addresses:
        wallet_id = open_account(addresses)
        exits = {"stop_loss": STOP * RISE}
        began = time.perf_counter()
        open_bots(wallet_id, symbols(load.symbols), load.bots, strategy=load.strategy, params=level(load), exits=exits)
        print(f"{load.bots} bots made in {time.perf_counter() - began:.1f} s", flush=True)
        if part == "recovery":
            return asyncio.run(recovery(load))
        from benchmarks.live.figures import figures

        seen, ready = asyncio.run(run(seconds, load))
        return [["bots ready after", f"{ready:.1f} s", ""], *figures(seen, load.shape == "wave")]


async def run(seconds: int, load: Load) -> Any:
    """From the second minute's beginning on, so that every bot has decided once."""
    from benchmarks.live.probes import BenchWorker, Seen, wire

    seen = Seen()
    wire(seen)
    worker = BenchWorker(seen)
    began = time.monotonic()
    task = asyncio.create_task(worker.run())
    try:
        await until(lambda: ready_bots(worker), load.bots)
        ready = time.monotonic() - began
        await asyncio.sleep(61 - time.time() % 60)
        for each in (seen.evaluated, seen.aged, seen.written, seen.claimed, seen.sent):
            del each[:]
        seen.orders = 0
        sampler = asyncio.create_task(worker.sample())
        await asyncio.sleep(seconds)
        sampler.cancel()
        return seen, ready
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def recovery(load: Load) -> list[Row]:
    """Every bot rests an order at the venue; the worker ends, and another one begins."""
    from trading.models import Order

    def resting() -> int:
        return Order.objects.filter(status="accepted").count()

    async with working() as worker:
        await until(lambda: worker.pools.in_thread(resting), load.bots)
    began = time.monotonic()
    async with working() as worker:
        await until(lambda: ready_bots(worker), load.bots)
        seconds = time.monotonic() - began
        left = await worker.pools.in_thread(resting)
    return [[f"a start with {load.bots} bots and {left} open orders, until every bot may trade", f"{seconds:.1f} s", "10 s"]]


@asynccontextmanager
async def working() -> AsyncIterator[Any]:
    from benchmarks.live.probes import BenchWorker, Seen

    worker = BenchWorker(Seen())
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def ready_bots(worker: Any) -> int:
    """How many may trade."""
    return sum(not one.steps.explain_not_ready() for venue in worker.venues.values() for one in venue.bots.list_all())


async def until(count: Callable[[], Awaitable[int]], wanted: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while (found := await count()) < wanted:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{found} of {wanted} within {PATIENCE} s")
        await asyncio.sleep(0.05)
