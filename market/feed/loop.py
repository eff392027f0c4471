"""Keeps a venue's market stream alive."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from market.exchanges.base import Alive, Candle, Exchange, ExchangeError, MarketEvent, Refused, Retryable, StreamGap, Tick
from market.feed.backlog import Backlog
from market.feed.ending import end_tasks
from market.feed.gates import CandleGates
from market.feed.silence import Silence
from market.feed.status import FeedStatus, Incident, Kind, State
from market.feed.subscription import Subscription
from market.feed.timing import Timing

logger = logging.getLogger(__name__)
Handle = Callable[[MarketEvent], Awaitable[None]]
OnStatus = Callable[[FeedStatus | Incident], None]


async def run_feed(
    exchange: Exchange,
    wanted: Subscription,
    handle: Handle,
    *,
    on_status: OnStatus,
    clock: Callable[[], float] = time.time,
    random: Random | None = None,
    timing: Timing | None = None,
) -> None:
    """Runs until it is cancelled. `handle` gets ticks, candles, depth and gaps, one at a time; `clock` is the venue's, in seconds
    since 1970. A handler that raises is logged and loses that event only."""
    await Feed(exchange, wanted, handle, on_status=on_status, clock=clock, random=random, timing=timing).run()


class Feed:
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
        self._exchange, self._wanted, self._handle, self._on_status = exchange, wanted, handle, on_status
        self._clock, self._random, self._timing = clock, random or Random(), timing or Timing()  # noqa: S311 (jitter)
        self._backlog = Backlog()
        self._gates = CandleGates(exchange, self._backlog.put, self._timing)
        self._silence = Silence(self._timing)
        self._incidents: dict[tuple[Kind, str], Incident] = {}
        self._lost: asyncio.Future[str] | None = None
        self._attempt = self._messages = 0
        self._message_at = 0.0
        self._unlisted: frozenset[str] = frozenset()
        self._priced = asyncio.get_running_loop().time()
        self.status = FeedStatus(exchange.venue, "connecting", self._now(), ())

    async def run(self) -> None:
        parts = (self._deliver, self._connect, self._tend, self._listen, self._poll)
        tasks = [asyncio.create_task(part()) for part in parts]
        try:
            # None of them ends but by failing.
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await end_tasks(tasks)
            await self._gates.close()
            self._say("stopped", "")

    # Connections

    async def _connect(self) -> None:
        """One connection after the other, as long as somebody needs one."""
        while True:
            self._wanted.changed.clear()
            if not self._wanted.symbols:
                self._end_all("nobody needs it")
                self._say("paused", "nobody needs it")
                await self._wanted.changed.wait()
                continue
            self._gates.want(self._wanted.keys, self._wanted.closed, self._now())
            reason = await self._live(self._symbols())
            if reason is None:
                self._begin("reconnect", "", "the symbols or intervals changed")
                await asyncio.sleep(self._timing.change)
                continue
            self._begin("downtime", "", reason)
            self._say("polling", reason)
            await self._wait()

    async def _live(self, symbols: tuple[str, ...]) -> str | None:
        """One connection's life: why it ended, None where another one is wanted."""
        loop = asyncio.get_running_loop()
        self._lost = loop.create_future()
        if self.status.state not in ("polling", "stale"):
            self._say("connecting", "")
        subscribed = set(self._wanted.keys), self._wanted.depth
        pump = asyncio.create_task(self._pump(symbols), name="pump")
        changed = asyncio.create_task(self._outgrown(*subscribed), name="outgrown")
        try:
            ends: tuple[asyncio.Future[Any], ...] = (pump, changed, self._lost)
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if pump.done():
                return _explain_end(pump.exception())
            return self._lost.result() if self._lost.done() else None
        finally:
            self._lost = None
            await end_tasks((pump, changed))

    async def _pump(self, symbols: tuple[str, ...]) -> None:
        self._silence.begin(symbols)
        try:
            async with aclosing(self._exchange.market_stream(symbols, self._wanted.intervals, depth=self._wanted.depth)) as stream:
                async for event in stream:
                    self._take(event)
        except Refused:
            await self._find_unlisted()
            raise
        except Retryable:
            if self._attempt:
                await self._find_unlisted()
            raise

    async def _outgrown(self, keys: set[tuple[str, str]], depth: bool) -> None:
        """Until more is wanted than was subscribed, or nothing any more. Less costs nothing."""
        while self._wanted.symbols and set(self._wanted.keys) <= keys and self._wanted.depth <= depth:
            self._wanted.changed.clear()
            await self._wanted.changed.wait()
            self._gates.want(self._wanted.keys, self._wanted.closed, self._now())

    async def _find_unlisted(self) -> None:
        """A symbol that the venue has taken off its list shall not cost the others their stream."""
        with suppress(ExchangeError):
            listed = {rules.symbol for rules in await self._exchange.instruments(self._wanted.symbols)}
            self._unlisted = frozenset(self._wanted.symbols) - listed

    async def _wait(self) -> None:
        """Before the next attempt; a change of what is wanted does not make it shorter."""
        seconds = self._timing.wait(self._attempt, self._random.random())
        self._attempt += 1
        await asyncio.sleep(seconds)

    def _symbols(self) -> tuple[str, ...]:
        return tuple(symbol for symbol in self._wanted.symbols if symbol not in self._unlisted) or self._wanted.symbols

    # Events

    def _take(self, event: MarketEvent) -> None:
        self._messages += 1
        self._message_at = self._clock()
        self._silence.note_frame()
        if isinstance(event, Alive):
            if self.status.state != "live":
                self._open()
            return
        if isinstance(event, StreamGap):
            self._gap(event)
        elif event.symbol not in self._wanted.symbols:
            return
        elif isinstance(event, Candle):
            self._silence.note_news(event.symbol)
            self._candle(event)
            return
        elif isinstance(event, Tick):
            self._price(event)
        self._backlog.put(event)

    def _open(self) -> None:
        reconnects = self.status.reconnects + (self.status.connected_at is not None)
        self.status = replace(self.status, connected_at=self._now(), reconnects=reconnects)
        self._attempt = 0
        self._end_all("")
        self._gates.anew()
        self._gates.tend(self._now())
        missing = ", ".join(sorted(self._unlisted))
        self._say("live", f"not listed by the venue: {missing}" if missing else "")

    def _candle(self, candle: Candle) -> None:
        if candle.closed:
            self._gates.take(candle)
        elif self._gates.grows(candle):
            self._backlog.put(candle)

    def _price(self, tick: Tick) -> None:
        self._priced = asyncio.get_running_loop().time()
        self._silence.note_news(tick.symbol, tick.price)

    def _gap(self, gap: StreamGap) -> None:
        self.status = replace(self.status, gaps=self.status.gaps + 1)
        incident = Incident(self._exchange.venue, "gap", gap.since, self._now(), gap.symbol, gap.reason)
        self._on_status(incident)
        self._gates.anew()

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
            if self.status.state == "paused":
                continue
            self._gates.tend(self._now())
            if asyncio.get_running_loop().time() - reported >= self._timing.report:
                reported = asyncio.get_running_loop().time()
                self._say(self.status.state, self.status.detail)

    async def _listen(self) -> None:
        """Whether the socket that is open still says what happens at the venue."""
        while True:
            await asyncio.sleep(self._timing.tend)
            if self.status.state != "live":
                continue
            if mute := self._silence.mute():
                for symbol in mute:
                    self._begin("silence", symbol, "it trades at the venue, but the stream said nothing")
                self._lose(f"the stream is mute for {', '.join(mute)}")
            elif silent := self._silence.silent():
                with suppress(ExchangeError):
                    self._compare(await self._exchange.tickers(silent))

    def _compare(self, ticks: list[Tick]) -> None:
        """A price that the stream's last one agrees with is as good as news."""
        for tick in ticks:
            if self._silence.confirm_price(tick):
                self._priced = asyncio.get_running_loop().time()
                self._message_at = self._clock()
                self._backlog.put(tick)

    def _lose(self, reason: str) -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(reason)

    async def _poll(self) -> None:
        """Prices by REST while there is no socket. Closed candles come by the gates, socket or not."""
        while True:
            await asyncio.sleep(self._timing.poll)
            if self.status.state not in ("polling", "stale") or not self._wanted.symbols:
                continue
            try:
                ticks = await self._exchange.tickers(self._symbols())
            except ExchangeError as problem:
                self._unpriced(str(problem))
                if isinstance(problem, Refused):
                    await self._find_unlisted()
                continue
            self._polled(ticks)

    def _polled(self, ticks: list[Tick]) -> None:
        if self.status.state not in ("polling", "stale"):
            return  # the socket was quicker: these are old
        for tick in ticks:
            self._price(tick)
            self._message_at = self._clock()
            self._backlog.put(tick)
        if self.status.state == "stale":
            self._say("polling", "no socket; prices by REST")

    def _unpriced(self, problem: str) -> None:
        age = asyncio.get_running_loop().time() - self._priced
        if self.status.state == "polling" and age > self._timing.stale:
            self._say("stale", f"no prices for {age:.0f} s: {problem}")

    # What is told

    def _say(self, state: State, detail: str) -> None:
        since = self.status.since if state == self.status.state else self._now()
        detail = detail or (f"back-fill fails: {self._gates.failing}" if self._gates.failing else "")
        self.status = replace(
            self.status,
            state=state,
            since=since,
            detail=detail,
            symbols=self._wanted.symbols,
            coalesced=self._backlog.coalesced,
            skipped=self._exchange.skipped_frames,
            messages=self._messages,
            last_message_at=datetime.fromtimestamp(self._message_at, UTC) if self._message_at else None,
        )
        self._on_status(self.status)

    def _begin(self, kind: Kind, symbol: str, detail: str) -> None:
        if (kind, symbol) not in self._incidents and not (kind == "reconnect" and self._incidents):
            incident = Incident(self._exchange.venue, kind, self._now(), None, symbol, detail[:300])
            self._incidents[kind, symbol] = incident
            self._on_status(incident)

    def _end_all(self, detail: str) -> None:
        for incident in self._incidents.values():
            self._on_status(replace(incident, end=self._now(), detail=detail or incident.detail))
        self._incidents = {}

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _explain_end(error: BaseException | None) -> str:
    """A stream's end for a person. What is not the venue's doing is ours, and goes to the log whole."""
    if error is not None and not isinstance(error, ExchangeError):
        logger.error("a market stream failed", exc_info=error)
    return str(error or "the stream ended")
