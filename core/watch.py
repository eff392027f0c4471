"""Keeps an eye on a long computation: sends signs of life, and stops it on cancel, at a time limit, or when it lost its job.

The computation runs in the caller's thread; a second thread beats. In a process's main thread (a Celery child, a command) the
computation is interrupted wherever it is, by a signal, so that a strategy that never returns cannot hold a worker. In any other
thread it stops where it next asks.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection

logger = logging.getLogger(__name__)

BEAT_SECONDS = 0.25


class Interrupted(BaseException):
    """Not an Exception: a strategy's `except Exception` must not swallow it. `reason`: cancelled, time_limit or lost."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Watch:
    """`beat(done)` is called a few times a second, from another thread; it answers the reason to stop, or nothing."""

    def __init__(self, beat: Callable[[int], str], *, seconds: float) -> None:
        self.beat, self.seconds = beat, seconds
        self.done = 0
        self.reason = ""
        self._armed = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._main = threading.current_thread() is threading.main_thread()
        self._before: Any = None

    def progress(self, done: int) -> bool:
        """For `simulate`: how far it is; False tells it to stop."""
        self.done = done
        return not self.reason

    def check(self) -> None:
        """Between two phases: raises `Interrupted` if there is a reason to."""
        if self.reason:
            raise Interrupted(self.reason)

    def __enter__(self) -> Watch:
        if self._main:
            self._before = signal.signal(signal.SIGALRM, self._interrupt)
            self._armed = True
            signal.setitimer(signal.ITIMER_REAL, self.seconds)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self._armed = False  # from here on an interrupt would hit the caller's bookkeeping
        finally:
            self._ended.set()
            self._thread.join()
            if self._main:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, self._before)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._armed:
            self.reason = self.reason or "time_limit"
            self._armed = False
            raise Interrupted(self.reason)

    def _run(self) -> None:
        try:
            while not self._ended.wait(BEAT_SECONDS) and not self.reason:
                self._look()
        finally:
            connection.close()

    def _look(self) -> None:
        try:
            reason = self.beat(self.done)
        except DatabaseError:
            logger.warning("a sign of life was lost: the database does not answer", exc_info=True)
            return
        if reason:
            self.reason = reason
            if self._main and not self._ended.is_set():
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)
