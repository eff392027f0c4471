"""Keeps a venue's market stream alive."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from market.exchanges.base import Alive, Exchange, ExchangeError, MarketEvent, Refused, Retryable
from market.feed.backlog import Backlog
from market.feed.ending import end_tasks
from market.feed.gates import CandleGates
from market.feed.goodbyes import Goodbyes
from market.feed.intake import Intake
from market.feed.polling import ListedSymbols, Polling
from market.feed.report import FeedReport, OnStatus
from market.feed.silence import Silence
from market.feed.subscription import Subscription
from market.feed.timing import Timing

logger = logging.getLogger(__name__)
Handle = Callable[[MarketEvent], Awaitable[None]]


class Feed:
    """Keeps one market stream alive. `run` hands ticks, candles, depth and gaps to `handle`, one at a time. A handler that raises
    is logged and loses only that event. `clock` is the venue's, in seconds since 1970. Make it on a running loop."""

    def __init__(
        self,
        exchange: Exchange,
        wanted: Subscription,
        handle: Handle,
        *,
        on_status: OnStatus,
        clock: Callable[[], float] = time.time,
        random: Random | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._exchange, self._wanted, self._handle = exchange, wanted, handle
        self._random, self._timing = random or Random(), timing or Timing()  # noqa: S311 (jitter)
        self._backlog = Backlog()
        self._gates = CandleGates(exchange, self._backlog.put, self._timing)
        self._silence = Silence(self._timing)
        self._listing = ListedSymbols(exchange, wanted)
        self._report = FeedReport(
            exchange.venue, on_status, lambda: datetime.fromtimestamp(clock(), UTC), self._count_all, self._say_more
        )
        self._intake = Intake(self._backlog, self._gates, self._silence, clock, self._report.note_gap)
        self._polling = Polling(exchange, self._listing, self._intake, self._report, self._timing)
        self._lost: asyncio.Future[str] | None = None
        self._next: datetime | None = None
        self._attempt = self._failures = 0
        self._goodbyes = Goodbyes(self._timing.backoff[-1])
        self._faulty: set[str] = set()

    async def run(self) -> None:
        """Runs until it is cancelled."""
        parts = (self._deliver, self._connect, self._tend, self._listen, self._polling.run)
        tasks = [asyncio.create_task(_keep(part, self._exchange.venue, self._timing.again)) for part in parts]
        try:
            await asyncio.gather(*tasks)
        finally:
            await end_tasks(tasks)
            await self._gates.close()
            self._report.tell("stopped", "")

    # Connections

    async def _connect(self) -> None:
        """Opens one connection after the other, as long as somebody needs one."""
        while True:
            self._wanted.changed.clear()
            if not self._wanted.symbols:
                self._report.end_incidents("nobody needs it")
                self._report.tell("paused", "nobody needs it")
                await self._wanted.changed.wait()
                continue
            self._gates.want(self._wanted.keys, self._wanted.closed, self._report.now())
            reason, at_once = await self._live(self._listing.symbols())
            if at_once:
                self._report.begin_incident("reconnect", "", reason)
                await asyncio.sleep(self._timing.change)
                continue
            self._report.begin_incident("downtime", "", reason)
            self._failures += self._attempt > 0
            seconds = self._choose_wait()
            self._next = self._report.now() + timedelta(seconds=seconds)
            self._report.tell("polling", reason)
            await asyncio.sleep(seconds)
            self._next = None

    async def _live(self, symbols: tuple[str, ...]) -> tuple[str, bool]:
        """The life of one connection. Says why it ended, and whether the next one is opened at once."""
        loop = asyncio.get_running_loop()
        self._lost = loop.create_future()
        if not self._report.without_socket:
            self._report.tell("connecting", "")
        subscribed = set(self._wanted.keys), self._wanted.depth
        pump = asyncio.create_task(self._pump(symbols), name="pump")
        changed = asyncio.create_task(self._await_growth(*subscribed), name="growth")
        try:
            ends: tuple[asyncio.Future[Any], ...] = (pump, changed, self._lost)
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if pump.done():
                return _explain_end(pump.exception()), self._goodbyes.believe_end(pump.exception())
            return (self._lost.result(), False) if self._lost.done() else ("the symbols or intervals changed", True)
        finally:
            self._lost = None
            await end_tasks((pump, changed))

    async def _pump(self, symbols: tuple[str, ...]) -> None:
        self._silence.begin(symbols)
        try:
            async with aclosing(self._exchange.market_stream(symbols, self._wanted.intervals, depth=self._wanted.depth)) as stream:
                async for event in stream:
                    self._take_safely(event)
        except Refused:
            await self._listing.find_unlisted()
            raise
        except Retryable:
            if self._attempt:
                await self._listing.find_unlisted()
            raise

    async def _await_growth(self, keys: set[tuple[str, str]], depth: bool) -> None:
        """Returns when more is wanted than was subscribed, or nothing any more. What is no longer wanted does no harm."""
        while self._wanted.symbols and set(self._wanted.keys) <= keys and self._wanted.depth <= depth:
            self._wanted.changed.clear()
            await self._wanted.changed.wait()
            self._gates.want(self._wanted.keys, self._wanted.closed, self._report.now())

    def _choose_wait(self) -> float:
        """Seconds until the next attempt. A change of what is wanted does not make them fewer."""
        self._attempt += 1
        return self._timing.wait(self._attempt - 1, self._random.random())

    # Events

    def _take_safely(self, event: MarketEvent) -> None:
        """An event that cannot be taken in costs no other one. The first of each symbol is logged."""
        try:
            self._take(event)
        except Exception:
            symbol = getattr(event, "symbol", "")
            if symbol not in self._faulty:
                self._faulty.add(symbol)
                logger.exception("a %s of %s %s could not be taken in", event.kind, self._exchange.venue, symbol)

    def _take(self, event: MarketEvent) -> None:
        self._intake.note_frame()
        if not isinstance(event, Alive):
            self._intake.take(event, self._wanted.symbols)
        elif self._report.status.state != "live":
            self._open()

    def _open(self) -> None:
        """The venue has taken all subscriptions."""
        self._attempt = 0
        self._report.note_connection()
        self._gates.anew()
        self._gates.tend(self._report.now())
        missing = ", ".join(sorted(self._listing.unlisted))
        self._report.tell("live", f"not listed by the venue: {missing}" if missing else "")

    async def _deliver(self) -> None:
        while True:
            event = await self._backlog.get()
            try:
                await self._handle(event)
            except Exception:
                logger.exception("the handler failed on a %s of %s", event.kind, self._exchange.venue)

    # What is looked after

    async def _tend(self) -> None:
        reported = 0.0
        while True:
            await asyncio.sleep(self._timing.tend)
            status = self._report.status
            if status.state == "paused":
                continue
            self._gates.tend(self._report.now())
            if asyncio.get_running_loop().time() - reported >= self._timing.report:
                reported = asyncio.get_running_loop().time()
                self._report.tell_again()

    async def _listen(self) -> None:
        """Checks whether the open socket still says what happens at the venue."""
        while True:
            await asyncio.sleep(self._timing.tend)
            if self._report.status.state != "live":
                continue
            if mute := self._silence.mute():
                for symbol in mute:
                    self._report.begin_incident("silence", symbol, "it trades at the venue, but the stream said nothing")
                if self._lost is not None and not self._lost.done():
                    self._lost.set_result(f"the stream is mute for {', '.join(mute)}")
            elif silent := self._silence.silent():
                with suppress(ExchangeError):
                    self._intake.take_confirmed(await self._exchange.tickers(silent))

    # What is told

    def _say_more(self, detail: str) -> str:
        """With the next attempt to connect while one is waited for, or that candles are missing where nothing else is amiss."""
        if detail and self._next is not None:
            return f"{detail.rstrip('.')}; next attempt at {self._next:%H:%M:%S} UTC"
        return detail or (f"back-fill fails: {self._gates.failing}" if self._gates.failing else "")

    def _count_all(self) -> dict[str, Any]:
        heard = self._intake.message_at
        return {
            "symbols": self._wanted.symbols,
            "failures": self._failures,
            "coalesced": self._backlog.coalesced,
            "skipped": self._exchange.skipped_frames,
            "messages": self._intake.messages,
            "last_message_at": datetime.fromtimestamp(heard, UTC) if heard else None,
        }


async def _keep(part: Callable[[], Awaitable[None]], venue: str, again: float) -> None:
    """For ever. A part that fails in a way that nobody foresaw begins again, and costs the others nothing."""
    while True:
        try:
            await part()
        except Exception:
            logger.exception("a part of the feed of %s failed; it begins again", venue)
        await asyncio.sleep(again)


def _explain_end(error: BaseException | None) -> str:
    """Why a stream ended, for a person. An error that is not the venue's is ours, and is logged in full."""
    if error is not None and not isinstance(error, ExchangeError):
        logger.error("a market stream failed", exc_info=error)
    return str(error or "the stream ended")
