"""What a venue worker reports: prices, candles and books to the pages a few times a second, its own state and incidents to the
rows, the bots' figures every few seconds and their equity once a minute, and closed candles to the store.

The feed and the accounts report on the loop. What is written and pushed is taken on the loop and written in a database thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import Error as DatabaseError
from redis.exceptions import RedisError

from core.database_errors import describe_database_error
from core.push import push_message
from core.text import utc_text
from core.venues import venue_key
from market.depths import depth_json, depths_put
from market.exchanges.base import Candle, Depth, Tick
from market.exchanges.breaker import Breaker
from market.feed import FeedStatus, Incident
from market.models import VenueStream
from market.prices import prices_put
from market.selectors import stream_json
from market.services import incident_note, stream_note
from trading import metrics
from trading.live.bot_figures import record_equity, report_figures
from trading.live.market_state import MarketState
from trading.live.pools import InThread
from trading.live.recorder import Recorder
from trading.live.running_bots import RunningBots
from trading.live.threads import DESK, LOOP, called_from

logger = logging.getLogger(__name__)

FLUSH_EVERY = 0.25
NOTE_EVERY = 1.0
KEEP_EVERY = 15.0
EQUITY_EVERY = 60.0
METRICS_EVERY = 2.0
BOOKS_EVERY = 0.5
MOVING = {"last_message_at", "last_message_age_s", "messages_per_second"}
"""What is different at every look. Pages are told of the rest when it changes, and look themselves now and then."""
BREAKER = {"closed": 0, "half_open": 1, "open": 2}


@dataclass(frozen=True, slots=True)
class StreamName:
    """A venue's stream, by its primary key and its place, and the worker that holds it."""

    stream_id: int
    venue: str
    environment: str
    holder: str

    @property
    def key(self) -> str:
        return venue_key(self.venue, self.environment)

    @property
    def place(self) -> dict[str, str]:
        return {"venue": self.venue, "environment": self.environment}


@called_from(LOOP)
class Reporter:
    def __init__(
        self,
        stream: StreamName,
        market: MarketState,
        bots: RunningBots,
        recorder: Recorder,
        breaker: Breaker,
        describe_fault: Callable[[], str],
    ) -> None:
        """`describe_fault`: what does not work beside the prices, for a person; asked for in a database thread."""
        self.stream, self.market, self.bots, self.recorder = stream, market, bots, recorder
        self.breaker, self.describe_fault = breaker, describe_fault
        self.status: FeedStatus | None = None
        self.told: dict[str, Any] = {}
        self.succeeded, self.failed = (metrics.reconnections.labels(stream.key, word) for word in ("success", "failure"))
        self.incidents: deque[Incident] = deque(maxlen=1_000)
        self.counted = (time.monotonic(), 0)
        self.due = dict.fromkeys(("note", "keep", "equity", "metrics", "books"), time.monotonic())

    def on_status(self, news: FeedStatus | Incident) -> None:
        """From the feed."""
        if isinstance(news, Incident):
            self.on_incident(news)
            return
        before, known = self.market.state, self.status
        self.status, self.market.state = news, news.state
        metrics.connection_status.labels(self.stream.key).set(news.state == "live")
        self.succeeded.inc(max(0, news.reconnects - (known.reconnects if known else 0)))
        self.failed.inc(max(0, news.failures - (known.failures if known else 0)))
        if news.state != before:
            self.due["note"] = 0.0
            for runner in self.bots.list_all():
                runner.submit(runner.candles.catch_up)

    def on_incident(self, incident: Incident) -> None:
        """From the feed, or from an account."""
        self.incidents.append(incident)

    async def run(self, in_thread: InThread) -> None:
        """For ever. What cannot be written now is written later, or overtaken by what is newer."""
        while True:
            await asyncio.sleep(FLUSH_EVERY)
            try:
                await self.report_due(in_thread)
            except DatabaseError as error:
                logger.warning("nothing is reported of %s: %s", self.stream.key, describe_database_error(error))
            except Exception:
                logger.exception("nothing is reported of %s", self.stream.key)

    async def report_due(self, in_thread: InThread) -> None:
        await in_thread(self.flush, *self.market.take_fresh())
        if self.is_due("note", NOTE_EVERY):
            await in_thread(self.write_state, self.measure_rate())
        if self.is_due("keep", KEEP_EVERY):
            await in_thread(self.recorder.flush)
        if self.market.depths and self.is_due("books", BOOKS_EVERY):
            await in_thread(self.flush_depths, self.market.take_depths())
        if self.is_due("metrics", METRICS_EVERY):
            await self.measure_breaker()
            await in_thread(report_figures, self.bots.list_all())
        if self.is_due("equity", EQUITY_EVERY):
            known = {symbol: price[0] for symbol, price in self.market.prices.items()}
            await in_thread(record_equity, self.bots.list_all(), known)

    def is_due(self, what: str, every: float) -> bool:
        if time.monotonic() - self.due[what] < every:
            return False
        self.due[what] = time.monotonic()
        return True

    async def measure_breaker(self) -> None:
        with suppress(RedisError, OSError):
            metrics.breaker_state.labels(self.stream.key).set(BREAKER[await self.breaker.state()])

    def measure_rate(self) -> float:
        """Messages a second since the last time."""
        then, before = self.counted
        now, count = time.monotonic(), self.status.messages if self.status else 0
        self.counted = (now, count)
        return round((count - before) / max(now - then, 0.001), 1)

    @called_from(DESK)
    def flush(self, ticks: list[Tick], candles: list[Candle]) -> None:
        if not ticks and not candles:
            return
        place = self.stream.place
        prices_put(venue=self.stream.venue, environment=self.stream.environment, ticks=ticks)
        push_message(
            "market",
            "batch",
            ticks=[place | tick_json(one) for one in ticks],
            candles=[place | candle_json(one) for one in candles],
        )

    @called_from(DESK)
    def flush_depths(self, depths: list[Depth]) -> None:
        books = [depth_json(one) for one in depths]
        depths_put(venue=self.stream.venue, environment=self.stream.environment, books=books)
        push_message("market", "batch", depths=[self.stream.place | one for one in books])

    @called_from(DESK)
    def write_state(self, rate: float) -> None:
        """The stream's row and its incidents. `rate`: messages a second."""
        stream, status = self.stream, self.status
        while self.incidents:
            self.write_incident(self.incidents[0])
            self.incidents.popleft()
        if status is None:
            return
        stream_note(
            stream_id=stream.stream_id,
            holder=stream.holder,
            state=status.state,
            detail=(self.describe_fault() or status.detail)[:300],
            symbols=list(status.symbols),
            connected_at=status.connected_at,
            last_message_at=status.last_message_at,
            messages_per_second=rate,
            reconnects=status.reconnects,
            gaps=status.gaps,
        )
        self.push_state(stream_json(VenueStream.objects.get(pk=stream.stream_id)))

    @called_from(DESK)
    def push_state(self, found: dict[str, Any]) -> None:
        """To the pages, where something has changed."""
        lasting = {name: value for name, value in found.items() if name not in MOVING}
        if lasting != self.told:
            self.told = lasting
            push_message("market", "batch", streams=[found])

    @called_from(DESK)
    def write_incident(self, one: Incident) -> None:
        incident_note(
            stream_id=self.stream.stream_id,
            kind=one.kind,
            symbol=one.symbol,
            began_at=one.begin,
            ended_at=one.end,
            detail=one.detail,
        )


def tick_json(tick: Tick) -> dict[str, Any]:
    return {
        "symbol": tick.symbol,
        "price": f"{tick.price:f}",
        "bid": None if tick.bid is None else f"{tick.bid:f}",
        "ask": None if tick.ask is None else f"{tick.ask:f}",
        "time": utc_text(tick.time),
    }


def candle_json(candle: Candle) -> dict[str, Any]:
    values = {name: f"{getattr(candle, name):f}" for name in ("open", "high", "low", "close", "volume")}
    return {
        "symbol": candle.symbol,
        "interval": candle.interval,
        "time": utc_text(candle.time),
        **values,
        "closed": candle.closed,
    }
