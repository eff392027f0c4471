"""The threads of a stream worker: two pools for the jobs of bots, and one for database work that belongs to no bot.

Jobs are started from any thread. `in_thread` and `close` are called on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any, Protocol, TypeVar

from django.db import Error as DatabaseError
from django.db import connection

from trading.live.threads import ANY, LOOP, called_from

T = TypeVar("T")

THREADS = {"urgent": 3, "routine": 2, "desk": 2}
"""How many threads there are for orders and what they wait for, for candles, and for what belongs to no bot."""
CLOSE_WITHIN = 2.0


class InThread(Protocol):
    """Runs database work in a thread, and waits for its result on the loop."""

    async def __call__(self, call: Callable[..., T], *arguments: Any) -> T: ...


@called_from(LOOP)
class Pools:
    def __init__(self) -> None:
        self.urgent, self.routine, self.desk = (ThreadPoolExecutor(many, thread_name_prefix=name) for name, many in THREADS.items())

    @called_from(*ANY)
    def start_job(self, drain: Callable[[], None], urgent: bool) -> None:
        (self.urgent if urgent else self.routine).submit(drain)

    async def in_thread(self, call: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.desk, call_safely, call, arguments)

    def close(self) -> None:
        """Waits for the threads to end, after each has closed its connection."""
        for pool, many in zip((self.urgent, self.routine, self.desk), THREADS.values(), strict=True):
            close_connections(pool, many)
            pool.shutdown(wait=True)


def call_safely(call: Callable[..., T], arguments: tuple[Any, ...]) -> T:
    """A connection that broke is thrown away, so that the next call opens a new one."""
    try:
        return call(*arguments)
    except DatabaseError:
        connection.close()
        raise


def close_connections(pool: ThreadPoolExecutor, many: int) -> None:
    """Each of the pool's `many` threads has a connection of its own."""
    together = Barrier(many)

    def close() -> None:
        with suppress(BrokenBarrierError):
            together.wait(CLOSE_WITHIN)  # otherwise one thread would do it for all
        connection.close()

    for _ in range(many):
        pool.submit(close)
