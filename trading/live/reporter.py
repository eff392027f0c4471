"""What a station tells: prices and candles to the pages a few times a second, its own state and incidents to the rows, the bots'
equity once a minute, and the candles to the store."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import Error as DatabaseError
from redis.exceptions import RedisError

from core.push import push_all, push_message
from core.text import utc_text
from market.depths import depth_json, depths_put
from market.exchanges.base import Depth, Endpoint
from market.exchanges.breaker import Breaker
from market.feed import FeedStatus, Incident
from market.models import VenueStream
from market.prices import prices_put
from market.selectors import stream_json
from market.services import incident_note, stream_note
from trading import metrics
from trading.services.equity import equity_record
from trading.services.loaded_bot import LoadedBot
from trading.services.runs import run_hold_note, runs_progress_write

if TYPE_CHECKING:
    from trading.live.bot_runner import BotRunner
    from trading.live.venue_worker import VenueWorker

logger = logging.getLogger(__name__)

FLUSH_EVERY = 0.25
NOTE_EVERY = 1.0
KEEP_EVERY = 15.0
EQUITY_EVERY = 60.0
METRICS_EVERY = 2.0
BOOKS_EVERY = 0.5
BREAKER = {"closed": 0, "half_open": 1, "open": 2}


class Reporter:
    def __init__(self, station: VenueWorker) -> None:
        self.station = station
        self.status: FeedStatus | None = None
        self.incidents: deque[Incident] = deque(maxlen=1_000)
        self.counted = (time.monotonic(), 0)
        self.due = dict.fromkeys(("note", "keep", "equity", "metrics", "books"), time.monotonic())
        where = Endpoint(station.venue, station.environment)  # type: ignore[arg-type]
        self.breaker = Breaker(station.worker.redis, where)

    def hear(self, told: FeedStatus | Incident) -> None:
        """From the feed, on the loop."""
        if isinstance(told, Incident):
            self.incidents.append(told)
            self.count(told)
            return
        before, known = self.station.state, self.status.reconnects if self.status else 0
        self.status, self.station.state = told, told.state
        metrics.connection_status.labels(self.station.key).set(told.state == "live")
        metrics.reconnections.labels(self.station.key, "restored").inc(max(0, told.reconnects - known))
        if told.state != before:
            self.due["note"] = 0.0
            for runtime in self.station.roster.all():
                runtime.submit(runtime.catch_up)

    def count(self, incident: Incident) -> None:
        if incident.kind == "downtime" and incident.end is None:
            metrics.reconnections.labels(self.station.key, "lost").inc()

    async def run(self) -> None:
        in_thread = self.station.worker.in_thread
        while True:
            await asyncio.sleep(FLUSH_EVERY)
            try:
                await in_thread(self.flush, *self.taken())
                if self.is_due("note", NOTE_EVERY):
                    await in_thread(self.note, self.rate())
                if self.is_due("keep", KEEP_EVERY):
                    await in_thread(self.station.recorder.flush)
                if self.station.books and self.is_due("books", BOOKS_EVERY):
                    await in_thread(self.flush_books, self.books_taken())
                if self.is_due("metrics", METRICS_EVERY):
                    await self.tell_breaker()
                    await in_thread(self.tell_metrics, self.station.roster.all())
                if self.is_due("equity", EQUITY_EVERY):
                    await in_thread(self.record_equity, self.station.roster.all())
            except DatabaseError as error:
                logger.warning("%s is not told: %s", self.station.key, type(error).__name__)
            except Exception:
                logger.exception("%s is not told", self.station.key)

    def is_due(self, what: str, every: float) -> bool:
        if time.monotonic() - self.due[what] < every:
            return False
        self.due[what] = time.monotonic()
        return True

    def taken(self) -> tuple[list[Any], list[Any]]:
        """On the loop: what has come since the last time."""
        station = self.station
        ticks, candles = list(station.fresh.values()), list(station.growing.values())
        station.fresh.clear()
        station.growing.clear()
        return ticks, candles

    def flush(self, ticks: list[Any], candles: list[Any]) -> None:
        if not ticks and not candles:
            return
        venue, environment = self.station.venue, self.station.environment
        prices_put(venue=venue, environment=environment, ticks=ticks)
        where = {"venue": venue, "environment": environment}
        push_message(
            "market",
            "batch",
            ticks=[where | tick_json(one) for one in ticks],
            candles=[where | candle_json(one) for one in candles],
        )

    def books_taken(self) -> list[Depth]:
        books = list(self.station.books.values())
        self.station.books.clear()
        return books

    def flush_books(self, books: list[Depth]) -> None:
        venue, environment = self.station.venue, self.station.environment
        told = [depth_json(one) for one in books]
        depths_put(venue=venue, environment=environment, books=told)
        where = {"venue": venue, "environment": environment}
        push_message("market", "batch", depths=[where | one for one in told])

    async def tell_breaker(self) -> None:
        with suppress(RedisError, OSError):
            metrics.breaker_state.labels(self.station.key).set(BREAKER[await self.breaker.state()])

    def rate(self) -> float:
        """Messages a second since the last note."""
        then, before = self.counted
        now, count = time.monotonic(), self.status.messages if self.status else 0
        self.counted = (now, count)
        return round((count - before) / max(now - then, 0.001), 1)

    def note(self, rate: float) -> None:
        station, status = self.station, self.status
        while self.incidents:
            one = self.incidents[0]
            incident_note(
                stream_id=station.stream_id,
                kind=one.kind,
                symbol=one.symbol,
                began_at=one.begin,
                ended_at=one.end,
                detail=one.detail,
            )
            self.incidents.popleft()
        if status is None:
            return
        stream_note(
            stream_id=station.stream_id,
            holder=station.worker.name,
            state=status.state,
            detail=(station.fault() or status.detail)[:300],
            symbols=list(status.symbols),
            connected_at=status.connected_at,
            last_message_at=status.last_message_at,
            messages_per_second=rate,
            reconnects=status.reconnects,
            gaps=status.gaps,
        )
        push_message("market", "batch", streams=[stream_json(VenueStream.objects.get(pk=station.stream_id))])

    def tell_metrics(self, runtimes: list[BotRunner]) -> None:
        """A bot's figures between two events of its own, where they have changed."""
        self.write_progress([runtime for runtime in runtimes if runtime.progressed])
        told = []
        for runtime in runtimes:
            holding = runtime.holding
            held = self.station.ready(runtime)[:200]
            if held != holding.run.held_reason:
                run_hold_note(holding.run, held)
            prices = {symbol: float(price[0]) for symbol in runtime.symbols if (price := self.station.price(symbol))}
            equity = holding.trader.equity(prices)
            figures = (equity, holding.trader.cash, holding.run.evaluation_ms, held)
            if figures != runtime.told:
                runtime.told = figures
                metrics.bot_pnl.labels(holding.bot.bot_id).set(equity - float(holding.config.cash))
                told.append(("bot_metrics", metrics_message(holding, equity, held)))
        if told:
            push_all("live", told)

    def write_progress(self, runtimes: list[BotRunner]) -> None:
        for runtime in runtimes:
            runtime.progressed = False
        try:
            runs_progress_write([runtime.holding.run for runtime in runtimes])
        except DatabaseError:
            for runtime in runtimes:
                runtime.progressed = True
            raise

    def record_equity(self, runtimes: list[BotRunner]) -> None:
        known = {symbol: price[0] for symbol, price in self.station.prices.items()}
        rows = []
        for runtime in runtimes:
            trader = runtime.holding.trader
            prices = {symbol: float(known[symbol]) for symbol in runtime.symbols if symbol in known}
            rows.append((runtime.holding.bot, runtime.holding.run, money(trader.equity(prices)), money(trader.cash)))
        equity_record(rows, known, at=datetime.now(UTC))


def metrics_message(holding: LoadedBot, equity: float, held: str) -> dict[str, Any]:
    payload = {
        "bot": holding.bot.bot_id,
        "equity": f"{equity:.2f}",
        "cash": f"{holding.trader.cash:.2f}",
        "profit": f"{equity - float(holding.config.cash):.2f}",
        "evaluation_ms": holding.run.evaluation_ms,
        "held": held,
    }
    return {"type": "bot_metrics", "seq": None, "ts": utc_text(datetime.now(UTC)), "correlation_id": None, "payload": payload}


def money(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(Decimal("1e-8"))


def tick_json(tick: Any) -> dict[str, Any]:
    return {
        "symbol": tick.symbol,
        "price": f"{tick.price:f}",
        "bid": None if tick.bid is None else f"{tick.bid:f}",
        "ask": None if tick.ask is None else f"{tick.ask:f}",
        "time": utc_text(tick.time),
    }


def candle_json(candle: Any) -> dict[str, Any]:
    values = {name: f"{getattr(candle, name):f}" for name in ("open", "high", "low", "close", "volume")}
    return {
        "symbol": candle.symbol,
        "interval": candle.interval,
        "time": utc_text(candle.time),
        **values,
        "closed": candle.closed,
    }
