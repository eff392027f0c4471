"""The queue of one bot's jobs, alone: no bot, no database, no Django."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from trading.live.job_queue import JobQueue

Call = Callable[[], None]


class Pool:
    """Keeps what it is given to call, and whether that was urgent, until the test calls it."""

    def __init__(self) -> None:
        self.calls: list[tuple[Call, bool]] = []
        self.stopped = False

    def start(self, call: Call, urgent: bool) -> None:
        self.calls.append((call, urgent))

    def run_next(self) -> None:
        self.calls.pop(0)[0]()


class Worker:
    """A queue of words, and those that were done."""

    def __init__(self) -> None:
        self.pool, self.done = Pool(), list[str]()
        self.queue = JobQueue[str](self.do, self.pool.start, self.pool)

    def do(self, job: str) -> None:
        self.done.append(job)


@pytest.fixture
def worker() -> Worker:
    return Worker()


def test_jobs_are_done_in_their_order_by_one_call(worker: Worker) -> None:
    for job in "abc":
        worker.queue.submit(job)
    assert len(worker.pool.calls) == 1
    assert worker.queue.has_jobs()
    worker.pool.run_next()
    assert worker.done == ["a", "b", "c"]
    assert not worker.queue.has_jobs()


def test_an_urgent_job_asks_once_for_an_urgent_thread_and_leaves_the_order_as_it_is(worker: Worker) -> None:
    worker.queue.submit("candle")
    worker.queue.submit("price", urgent=True)
    worker.queue.submit("report", urgent=True)
    assert [urgent for _, urgent in worker.pool.calls] == [False, True]
    worker.pool.calls.pop()[0]()
    assert worker.done == ["candle", "price", "report"]
    worker.pool.run_next()  # the routine thread comes later, and finds nothing
    assert worker.done == ["candle", "price", "report"]
    worker.queue.submit("next")
    assert [urgent for _, urgent in worker.pool.calls] == [False]


def test_a_job_that_is_submitted_by_a_job_is_done_by_the_same_thread(worker: Worker) -> None:
    def do(job: str) -> None:
        worker.do(job)
        if job == "first":
            worker.queue.submit("second")

    worker.queue.do = do
    worker.queue.submit("first")
    worker.pool.run_next()
    assert worker.done == ["first", "second"]
    assert not worker.pool.calls


def test_a_second_thread_leaves_the_jobs_to_the_first(worker: Worker) -> None:
    begun, go = threading.Event(), threading.Event()

    def wait(job: str) -> None:
        begun.set()
        assert go.wait(10)
        worker.do(f"{job} by {threading.current_thread().name}")

    worker.queue.do = wait
    worker.queue.submit("a")
    first = threading.Thread(target=worker.pool.run_next, name="the first")
    first.start()
    assert begun.wait(10)
    worker.queue.submit("b")
    worker.queue.drain()  # returns at once
    assert worker.done == []
    go.set()
    first.join()
    assert worker.done == ["a by the first", "b by the first"]


@pytest.mark.parametrize("ends", [False, True])
def test_who_waits_for_a_bot_to_be_idle_is_told_also_where_it_ends(worker: Worker, ends: bool) -> None:
    worker.queue.submit("job")
    waited = worker.queue.wait_idle()
    assert not waited.done()
    if ends:
        worker.queue.close()
    worker.pool.run_next()
    assert waited.done()
    assert worker.done == ([] if ends else ["job"])
    assert worker.queue.wait_idle().done()


def test_a_closed_queue_takes_no_job(worker: Worker) -> None:
    worker.queue.close()
    worker.queue.submit("job")
    assert not worker.pool.calls
    assert worker.queue.is_over()
    assert worker.queue.wait_idle().done()


def test_nothing_is_begun_once_the_venue_is_left(worker: Worker) -> None:
    worker.queue.submit("job")
    worker.pool.stopped = True
    worker.pool.run_next()
    assert worker.done == []
    assert worker.queue.is_over()
    assert not worker.queue.has_jobs()


def test_the_queue_needs_no_django() -> None:
    command = "import sys, trading.live.job_queue; assert not [name for name in sys.modules if name.split('.')[0] == 'django']"
    subprocess.run([sys.executable, "-c", command], cwd=Path(__file__).parents[3], check=True)
