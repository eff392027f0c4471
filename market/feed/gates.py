"""Closed candles of each symbol and interval, in order and each once. What the stream did not bring, the venue is asked for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from engine.grid import MILLISECOND, close_moment, open_moment
from market.exchanges.base import Candle, Exchange, ExchangeError
from market.feed.ending import end_tasks
from market.feed.subscription import Key
from market.feed.timing import Timing

logger = logging.getLogger(__name__)
AT_ONCE = 8
"""How many questions to the venue may run at the same time."""


@dataclass(slots=True)
class CandleGate:
    """`last` is the open time of the newest candle handed on, and `asked` that of the newest one that the venue was asked for.
    `waiting` holds what came while candles before it were missing."""

    interval: str
    last: datetime
    asked: datetime
    waiting: dict[datetime, Candle] = field(default_factory=dict)
    busy: bool = False
    not_before: float = 0.0

    @property
    def following(self) -> datetime:
        """The open time of the candle after the newest one handed on."""
        return close_moment(self.interval, self.last)


class CandleGates:
    """`hand` gets each closed candle, in order. `failing` names what could not be asked for."""

    def __init__(self, exchange: Exchange, hand: Callable[[Candle], None], timing: Timing) -> None:
        self.failing = ""
        self._exchange, self._hand, self._timing = exchange, hand, timing
        self._gates: dict[Key, CandleGate] = {}
        self._limit = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def want(self, keys: Iterable[Key], closed: dict[Key, datetime], now: datetime) -> None:
        """New keys begin where `closed` says, or else with the candle that grows now."""
        wanted = list(keys)
        for key in wanted:
            if key in self._gates:
                continue
            last = closed.get(key) or newest_closed(key[1], now)
            self._gates[key] = CandleGate(key[1], last, last)
        self._gates = {key: self._gates[key] for key in wanted}

    def take(self, candle: Candle) -> None:
        """Takes a closed candle of the stream. One that was handed on already is dropped. One that came too early waits for those
        before it."""
        gate = self._gates.get((candle.symbol, candle.interval))
        if gate is None or candle.time <= gate.last:
            return
        if candle.time == gate.following and not gate.busy:
            gate.last = candle.time
            self._hand(candle)
            return
        gate.waiting[candle.time] = candle
        self._ask((candle.symbol, candle.interval), gate, candle.time)

    def grows(self, candle: Candle) -> bool:
        """Whether this open candle is the one that grows now, and not an old one."""
        gate = self._gates.get((candle.symbol, candle.interval))
        return gate is not None and candle.time > gate.last

    def tend(self, now: datetime) -> None:
        """Asks for what should have closed by now. A candle without trades may not exist at all: it is asked for once, and once
        more together with the next one."""
        for key, gate in self._gates.items():
            due = newest_closed(gate.interval, now - timedelta(seconds=self._timing.late))
            if due > gate.last and (due > gate.asked or gate.waiting):
                self._ask(key, gate, max(due, *gate.waiting) if gate.waiting else due)

    def anew(self) -> None:
        """After a break, everything that is due may be asked for again."""
        for gate in self._gates.values():
            gate.asked, gate.not_before = gate.last, 0.0

    async def close(self) -> None:
        await end_tasks(list(self._tasks))

    def _ask(self, key: Key, gate: CandleGate, newest: datetime) -> None:
        if gate.busy or asyncio.get_running_loop().time() < gate.not_before:
            return
        gate.busy = True
        task = asyncio.create_task(self._fill(key, gate, newest), name=f"back-fill {key}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fill(self, key: Key, gate: CandleGate, newest: datetime) -> None:
        """Asks the venue for the candles up to `newest`, and hands on what it answers. If it does not answer, the gate waits a
        while."""
        symbol, interval = key
        try:
            async with self._limit:
                found = await self._exchange.candles(symbol, interval, gate.following, close_moment(interval, newest))
        except ExchangeError as problem:
            self.failing = f"{symbol} {interval}: {problem}"
            gate.not_before = asyncio.get_running_loop().time() + self._timing.again
            logger.info("back-fill of %s %s failed: %s", symbol, interval, problem)
            return
        except Exception as error:
            self.failing = f"{symbol} {interval}: it failed here ({type(error).__name__}); that has been logged."
            gate.not_before = asyncio.get_running_loop().time() + self._timing.again
            logger.exception("back-fill of %s %s failed", symbol, interval)
            return
        finally:
            gate.busy = False
        self.failing = ""
        gate.asked = max(gate.asked, newest)
        self._release(gate, found, newest)

    def _release(self, gate: CandleGate, found: Iterable[Candle], newest: datetime) -> None:
        """Hands on what was asked for and what has waited, in order of time. What came meanwhile may again be missing candles
        before it."""
        known = {candle.time: candle for candle in found} | gate.waiting
        gate.waiting = {}
        for time in sorted(time for time in known if time > gate.last):
            if time <= newest or time == gate.following:
                gate.last = time
                self._hand(known[time])
            else:
                gate.waiting[time] = known[time]


def newest_closed(interval: str, moment: datetime) -> datetime:
    """The open time of the newest candle that had closed at the moment."""
    return open_moment(interval, open_moment(interval, moment) - MILLISECOND)
