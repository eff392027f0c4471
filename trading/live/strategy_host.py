"""A bot's strategy in the live worker: made when it is first needed, given the same candles in every life of a run, and interrupted
where it does not return.

The strategy computes in the bot's thread. `interrupt` is called on the loop; the lock is between these two.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import numpy as np

from core.times import to_ms
from engine.grid import shift_open
from engine.strategies import registry
from engine.strategy import Strategy, blame_strategy
from trading.live.history import CandleHistory
from trading.live.threads import BOT, LOOP, called_from
from trading.models import BotRun
from trading.setup.config import RunConfig

LEAST_HISTORY = 200
"""Candles before the first decision that averages settle in, where a strategy needs any."""


class Stalled(BaseException):
    """Thrown into a strategy that does not return. No `except Exception` of the strategy's keeps it."""


@called_from(LOOP, BOT)
class StrategyHost:
    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self.guard = threading.Lock()
        self.evaluating: tuple[float, int] | None = None
        """Since when (monotonic), and in which thread, the strategy computes."""

    @cached_property
    def strategy(self) -> Strategy:
        """Not made where a bot is loaded only to settle its orders."""
        kind = registry.get_strategy(self.config.strategy)
        with blame_strategy(kind):
            return kind(self.config.params)

    @called_from(BOT)
    @contextmanager
    def watch(self) -> Iterator[None]:
        """Around a strategy's own code: see `interrupt`."""
        self.evaluating = (time.monotonic(), threading.get_ident())
        try:
            yield
        finally:
            with self.guard:
                self.evaluating = None

    @called_from(LOOP)
    def interrupt(self, after: float) -> None:
        """Throws `Stalled`, once, into a strategy that has computed for longer than `after` seconds. What a thread computes outside
        of Python cannot be interrupted: it is stopped when it comes back."""
        # The strategy's end waits for the guard, so that what is thrown hits nothing else.
        with self.guard:
            if self.evaluating is None or time.monotonic() - self.evaluating[0] < after:
                return
            thread, self.evaluating = self.evaluating[1], None
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Stalled))

    def find_history_start(self, run: BotRun, now_ms: int) -> int:
        """Open time (ms) of the first candle that the strategy is to see: a run always begins its history at the same one."""
        if run.history_from:
            return to_ms(run.history_from)
        with blame_strategy(type(self.strategy)):
            warmup = self.strategy.warmup_at(self.config.interval)
        return shift_open(self.config.interval, now_ms, -(1 if warmup <= 1 else max(LEAST_HISTORY, 4 * warmup)))

    def find_first_candle(self, run: BotRun, history: CandleHistory, now_ms: int) -> int:
        """Open time (ms) of the first candle of this history that the strategy sees."""
        if run.history_from:
            return max(int(history.time[0]), to_ms(run.history_from))
        i = int(np.searchsorted(history.time[: len(history)], self.find_history_start(run, now_ms)))
        return int(history.time[min(i, len(history) - 1)])
