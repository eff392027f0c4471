"""Closed candles of each symbol and interval: in order, each once, and those that the stream did not bring asked of the venue."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.times import EPOCH
from engine.types import interval_ms
from market.exchanges.base import Candle, Exchange, ExchangeError
from market.feed.ending import end_tasks
from market.feed.subscription import Key
from market.feed.timing import Timing

logger = logging.getLogger(__name__)
AT_ONCE = 8
"""Questions to the venue at the same time."""


@dataclass(slots=True)
class CandleGate:
    """`last`: open time of the newest candle handed on. `asked`: of the newest that the venue was asked for. `waiting`: what came
    while there was a hole before it."""

    length: timedelta
    last: datetime
    asked: datetime
    waiting: dict[datetime, Candle] = field(default_factory=dict)
    busy: bool = False
    not_before: float = 0.0


class CandleGates:
    """`hand` takes each closed candle, in order. `failing` names what could not be asked for."""

    def __init__(self, exchange: Exchange, hand: Callable[[Candle], None], timing: Timing) -> None:
        self.failing = ""
        self._exchange, self._hand, self._timing = exchange, hand, timing
        self._gates: dict[Key, CandleGate] = {}
        self._limit = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def want(self, keys: Iterable[Key], closed: dict[Key, datetime], now: datetime) -> None:
        """Those that are new begin where `closed` says, else with the candle that grows now."""
        wanted = list(keys)
        for key in wanted:
            if key in self._gates:
                continue
            length = timedelta(milliseconds=interval_ms(key[1]))
            last = closed.get(key, _open_time(now, length) - length)
            self._gates[key] = CandleGate(length, last, last)
        self._gates = {key: self._gates[key] for key in wanted}

    def take(self, candle: Candle) -> None:
        """A closed candle of the stream. One that was handed on already is a double; one behind a hole waits for it."""
        gate = self._gates.get((candle.symbol, candle.interval))
        if gate is None or candle.time <= gate.last:
            return
        if candle.time == gate.last + gate.length and not gate.busy:
            gate.last = candle.time
            self._hand(candle)
            return
        gate.waiting[candle.time] = candle
        self._ask((candle.symbol, candle.interval), gate, candle.time)

    def grows(self, candle: Candle) -> bool:
        """Whether a candle that is not closed is the one that grows, and not an old one."""
        gate = self._gates.get((candle.symbol, candle.interval))
        return gate is not None and candle.time > gate.last

    def tend(self, now: datetime) -> None:
        """Asks for what should have closed by now. A candle without trades may exist nowhere: it is asked for once, and once more
        with the next."""
        for key, gate in self._gates.items():
            due = _open_time(now - timedelta(seconds=self._timing.late), gate.length) - gate.length
            if due > gate.last and (due > gate.asked or gate.waiting):
                self._ask(key, gate, max(due, *gate.waiting) if gate.waiting else due)

    def anew(self) -> None:
        """After a break: everything that is due may be asked for again."""
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
        symbol, interval = key
        try:
            async with self._limit:
                found = await self._exchange.candles(symbol, interval, gate.last + gate.length, newest + gate.length)
        except ExchangeError as problem:
            self.failing = f"{symbol} {interval}: {problem}"
            gate.not_before = asyncio.get_running_loop().time() + self._timing.again
            logger.info("back-fill of %s %s failed: %s", symbol, interval, problem)
            return
        finally:
            gate.busy = False
        self.failing = ""
        gate.asked = max(gate.asked, newest)
        self._release(gate, found, newest)

    def _release(self, gate: CandleGate, found: Iterable[Candle], newest: datetime) -> None:
        """What was asked for and what has waited, in order of time. What came meanwhile may stand behind another hole."""
        known = {candle.time: candle for candle in found} | gate.waiting
        gate.waiting = {}
        for time in sorted(time for time in known if time > gate.last):
            if time <= newest or time == gate.last + gate.length:
                gate.last = time
                self._hand(known[time])
            else:
                gate.waiting[time] = known[time]


def _open_time(moment: datetime, length: timedelta) -> datetime:
    """Open time of the candle in which the moment lies."""
    return moment - (moment - EPOCH) % length
