"""The jobs of one bot, done one after the other by one thread at a time. Knows neither bots nor the database.

`submit`, `close`, `wait_idle` and the two questions may be called from any thread. `drain` runs in a thread of the pool.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar

from trading import metrics
from trading.live.threads import ANY, BOT, called_from

J = TypeVar("J")
ROUTINE, URGENT = 1, 2


class Stoppable(Protocol):
    stopped: bool
    """Whether nobody's jobs are done any more."""


@called_from(*ANY)
class JobQueue(Generic[J]):
    def __init__(self, do: Callable[[J], None], start: Callable[[Callable[[], None], bool], None], host: Stoppable) -> None:
        """`do` does one job, in the thread that drains. `start` has a pool call what it is given; its second argument says whether
        that is urgent."""
        self.do, self.start, self.host = do, start, host
        self.jobs: deque[J] = deque()
        self.guard = threading.Lock()
        self.scheduled = 0
        """ROUTINE or URGENT: the pool in which the queue waits for a thread. 0: in none."""
        self.busy = False
        self.closed = False
        self.waiting: list[Future[None]] = []

    def submit(self, job: J, *, urgent: bool = False) -> None:
        """An urgent job is about an order, or about a price that one waits for. The bot's turn then comes before the turns of
        bots whose candle has closed; its own jobs stay in their order."""
        wanted = URGENT if urgent else ROUTINE
        with self.guard:
            if self.closed:
                return
            self.jobs.append(job)
            metrics.backlog.inc()
            if self.busy or self.scheduled >= wanted:
                return
            self.scheduled = wanted
        self.start(self.drain, urgent)

    def wait_idle(self) -> Future[None]:
        """Done when nothing is queued: everything has been done, or nothing more will be."""
        done: Future[None] = Future()
        with self.guard:
            if self.busy or self.jobs:
                self.waiting.append(done)
                return done
        done.set_result(None)
        return done

    def has_jobs(self) -> bool:
        """Whether some job has not begun yet."""
        return bool(self.jobs)

    def is_over(self) -> bool:
        """Whether no job is begun, or tried again, any more."""
        return self.closed or self.host.stopped

    def close(self) -> None:
        """Nothing is queued any more, and what is queued is not begun."""
        self.closed = True

    @called_from(BOT)
    def drain(self) -> None:
        """Does what is queued. A second thread leaves it to the first."""
        with self.guard:
            if self.busy:
                return
            self.busy = True
        while (job := self.take_next()) is not None:
            self.do(job)

    @called_from(BOT)
    def take_next(self) -> J | None:
        with self.guard:
            if self.jobs and not self.closed and not self.host.stopped:
                metrics.backlog.dec()
                return self.jobs.popleft()
            self.scheduled, self.busy = 0, False
            metrics.backlog.dec(len(self.jobs))
            self.jobs.clear()
            waiting, self.waiting = self.waiting, []
        for done in waiting:
            done.set_result(None)
        return None
