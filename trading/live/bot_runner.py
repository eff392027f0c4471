"""One running bot in a stream worker: its jobs, one after the other, in a thread of the worker's pool.

A job reads what it needs when its turn comes and may be done twice or late: it asks what is still to do. Whatever breaks,
the holding is loaded again from what was committed.
"""

from __future__ import annotations

import ctypes
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from decimal import Decimal
from functools import cached_property
from typing import Protocol

import numpy as np
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from core.errors import DomainError
from core.times import from_ms, to_ms
from engine.live import PriceLevel, Step
from engine.strategies import registry
from engine.strategy import Strategy, blamed
from market.exchanges.base import Balance, Report
from trading import metrics
from trading.live.history import Decisions, History
from trading.models import OPEN, Order, OrderStatus
from trading.services.bot_loading import bot_load, instruments_of
from trading.services.lease import Lease
from trading.services.loaded_bot import LoadedBot, MarketNow, StaleBot
from trading.services.orders import order_end, orders_cancel_note, report_apply
from trading.services.runs import run_end, run_progress
from trading.services.step_writer import StepEffects
from trading.services.steps import candle_close, candle_open, progress_save, step_apply

logger = logging.getLogger(__name__)

Job = Callable[[], StepEffects | None]
ROUTINE, URGENT = 1, 2
RETRY_SECONDS = 0.5
SAVE_EVERY = 300.0
HOLE_SECONDS = 20.0
"""Of the market's time, that the opening of a candle waits for the close of the one before it."""
LEAST_HISTORY = 200
"""Candles before the first decision that averages settle in, where a strategy needs any."""


class Stalled(BaseException):
    """Thrown into a strategy that does not return. No `except Exception` of the strategy's keeps it."""


class Floor(Protocol):
    """What a runtime stands on: the station of its venue."""

    decisions: Decisions
    stopped: bool
    tradable: frozenset[str] | None

    def price(self, symbol: str) -> tuple[Decimal, float] | None: ...
    def history(self, symbol: str, interval: str) -> History: ...
    def begun(self, symbol: str, interval: str) -> int | None: ...
    def now_ms(self) -> int: ...
    def ready(self, runtime: BotRunner) -> str: ...
    def balances(self, runtime: BotRunner) -> Mapping[str, Balance] | None: ...
    def lease(self, runtime: BotRunner) -> Lease | None: ...
    def run_job(self, drain: Callable[[], None], *, urgent: bool) -> None: ...
    def written(self, runtime: BotRunner, written: StepEffects) -> None: ...
    def levels_changed(self, runtime: BotRunner, levels: list[PriceLevel]) -> None: ...
    def gone(self, runtime: BotRunner) -> None: ...


class BotRunner:
    def __init__(self, holding: LoadedBot, floor: Floor) -> None:
        self.bot_id, self.floor = holding.bot.pk, floor
        self.holding = holding
        self.jobs: deque[Job] = deque()
        self.guard = threading.Lock()
        self.scheduled = 0
        """ROUTINE or URGENT: where it waits for a thread. 0: nowhere."""
        self.busy = False
        self.ended = False
        self.idlers: list[Future[None]] = []
        self.touching: set[str] = set()
        self.evaluating: tuple[float, int] | None = None
        """Since when (monotonic), and in which thread, its strategy computes."""
        self.received = 0.0
        """When the frame came in (`time.perf_counter()`) that the present job is about; 0: it is about none."""
        self.levels: list[PriceLevel] = []
        """As the station knows them."""
        self.saved_at = time.monotonic() - self.bot_id % 60 / 60 * SAVE_EVERY  # not all at the same candle
        self.progressed = False
        """Whether the run is further than its row says."""
        self.told: tuple[object, ...] = ()
        """Its figures, as the pages heard them last."""

    def __hash__(self) -> int:
        return self.bot_id

    @cached_property
    def strategy(self) -> Strategy:
        """None is made for a bot that is had for its books alone."""
        config = self.holding.config
        kind = registry.get(config.strategy)
        with blamed(kind):
            return kind(config.params)

    @property
    def interval(self) -> str:
        return self.holding.config.interval

    @property
    def symbols(self) -> tuple[str, ...]:
        return self.holding.config.symbols

    # The queue.

    def submit(self, job: Job, *, urgent: bool = False) -> None:
        """`urgent`: about an order, or a price that one waits for. The bot's turn then comes before those whose candle has closed;
        its own jobs stay in their order."""
        wanted = URGENT if urgent else ROUTINE
        with self.guard:
            if self.ended:
                return
            self.jobs.append(job)
            metrics.backlog.inc()
            if self.busy or self.scheduled >= wanted:
                return
            self.scheduled = wanted
        self.floor.run_job(self.drain, urgent=urgent)

    def idle(self) -> Future[None]:
        """Done when nothing is queued: all has been done, or nothing more will be."""
        done: Future[None] = Future()
        with self.guard:
            if self.busy or self.jobs:
                self.idlers.append(done)
                return done
        done.set_result(None)
        return done

    def drain(self) -> None:
        """One thread at a time: who comes second leaves it to the first."""
        with self.guard:
            if self.busy:
                return
            self.busy = True
        while job := self.next_job():
            self.do(job)

    def next_job(self) -> Job | None:
        with self.guard:
            if self.jobs and not self.ended and not self.floor.stopped:
                metrics.backlog.dec()
                return self.jobs.popleft()
            self.scheduled, self.busy = 0, False
            metrics.backlog.dec(len(self.jobs))
            self.jobs.clear()
            idlers, self.idlers = self.idlers, []
        for done in idlers:
            done.set_result(None)
        return None

    def do(self, job: Job) -> None:
        """One job, to its end: while the database is away it waits, since what it would write down must not be lost."""
        self.received = 0.0
        failure, stale = "", False
        while not self.ended and not self.floor.stopped:
            try:
                again, stale = stale, False  # what cannot be loaded again fails; it is not loaded for ever
                self.work(job, failure, reload=again)
                return
            except StaleBot:
                logger.warning("%s is traded for by another worker", self.holding.bot.name)
                self.leave()
            except DatabaseError as error:
                logger.warning("%s waits for the database: %s", self.holding.bot.name, type(error).__name__)
                connection.close()
                stale = True
            except DomainError as error:
                failure = str(error)
            except Stalled:
                failure = f"The strategy {self.strategy.name} did not return within {settings.STRATEGY_SECONDS:g} s."
            except Exception as error:
                logger.exception("%s failed", self.holding.bot.name)
                failure = f"Something went wrong inside Quarterdeck ({type(error).__name__}); it has been logged."

    def work(self, job: Job, failure: str, *, reload: bool) -> None:
        if reload and not self.reload():
            return
        if failure:
            self.fail(failure)
        elif written := job():
            self.floor.written(self, written)

    def reload(self) -> bool:
        """Waits for the database: what is in memory is ahead of the rows, and nothing may be done with it any more. False:
        the venue was left meanwhile."""
        while not self.ended and not self.floor.stopped:
            try:
                self.holding = bot_load(self.bot_id, unreadable=bool(self.holding.unreadable))
                return True
            except DatabaseError:
                connection.close()
                time.sleep(RETRY_SECONDS)
        return False

    def leave(self) -> None:
        self.ended = True
        self.floor.gone(self)

    def fail(self, message: str) -> None:
        """This bot stops, and no other: its open orders are cancelled, what it holds stays."""
        try:
            if not self.reload():
                return  # whoever has the venue next finds the same fault
            # The engine first: an order that is cancelled without its knowing it would want again.
            self.floor.written(self, self.by_hand("failed", self.holding.trader.cancel_all))
        except DatabaseError:
            raise
        except Exception:
            logger.exception("%s: the engine does not take its orders back", self.holding.bot.name)
        orders_cancel_note(Order.objects.filter(bot_id=self.bot_id, status__in=OPEN))
        run_end(self.holding.run, "failed", error=message)
        self.leave()

    # The jobs.

    def market(self, trigger_id: str, *, prices: Mapping[str, tuple[Decimal, float]] | None = None, time_ms: int = 0) -> MarketNow:
        known = {symbol: price for symbol in self.symbols if (price := self.floor.price(symbol))}
        return MarketNow(
            from_ms(time_ms or self.floor.now_ms()),
            {**known, **(prices or {})},
            trigger_id,
            self.holding.trader.entries_allowed,
            tradable=self.floor.tradable,
            received=self.received,
            balances=self.floor.balances(self) if self.holding.external else None,
            lease=self.floor.lease(self) if self.holding.external else None,
        )

    def catch_up(self) -> StepEffects | None:
        """Every candle that has closed since the last one taken in, oldest first."""
        for time_ms in self.closed_since():
            if self.floor.ready(self):
                return None  # later: candles stay in the history
            written = self.close(time_ms)
            self.floor.written(self, written)
        return self.act_now()

    def act_now(self) -> StepEffects | None:
        """At a venue, what was decided at the last close goes out at the present price, if its candle has begun by now."""
        holding = self.holding
        begun = self.floor.begun(self.symbols[0], self.interval)
        if not holding.external or begun is None or holding.opened == begun or not holding.trader.working():
            return None
        prices = {symbol: float(price[0]) for symbol in self.symbols if (price := self.floor.price(symbol))}
        return self.open(begun, prices) if len(prices) == len(self.symbols) else None

    def closed_since(self) -> list[int]:
        """Open times of candles that are complete for all symbols, or past which some symbol has gone on."""
        histories = [self.floor.history(symbol, self.interval) for symbol in self.symbols]
        start = self.holding.time if self.holding.time is not None else (histories[0].last or 0) - 1
        if self.holding.external and self.holding.opened is not None:
            start = max(start, self.holding.opened - 1)  # what comes after the next one has begun is too late
        times = sorted({moment for history in histories for moment in history.since(start)})
        newest = max((history.last or 0 for history in histories), default=0)
        return [moment for moment in times if moment < newest or all(history.last == newest for history in histories)]

    def close(self, time_ms: int) -> StepEffects:
        holding = self.holding
        histories = {symbol: self.floor.history(symbol, self.interval) for symbol in self.symbols}
        candles = {symbol: candle for symbol, history in histories.items() if (candle := history.at(time_ms))}
        began = time.perf_counter()
        rows = {}
        with self.watched():
            for symbol in candles:
                history = histories[symbol]
                row = self.floor.decisions.row(
                    holding.bot.venue, history, self.strategy, holding.config.sizing, self.first(history), time_ms
                )
                if row is not None:
                    rows[symbol] = row
        run = holding.run
        run.history_from = run.history_from or from_ms(min(self.first(history) for history in histories.values()))
        run_progress(run, time_ms, decided=bool(rows))
        late = self.floor.now_ms() - (time_ms + holding.interval_ms()) > holding.interval_ms()
        prices = {symbol: (Decimal(repr(one.close)), 0.0) for symbol, one in candles.items()} if not holding.external else None
        market = self.market(f"candle:{self.interval}:{time_ms}", prices=prices, time_ms=time_ms + holding.interval_ms())
        written = candle_close(holding, time_ms, candles, rows, market, tradable=not (late and holding.external))
        run.evaluation_ms = (time.perf_counter() - began) * 1000
        metrics.evaluation_seconds.observe(run.evaluation_ms / 1000)
        self.keep()
        return written

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Around a strategy's own code: see `interrupt`."""
        self.evaluating = (time.monotonic(), threading.get_ident())
        try:
            yield
        finally:
            with self.guard:
                self.evaluating = None

    def interrupt(self, after: float) -> None:
        """Throws `Stalled`, once, into a strategy that has computed for longer than `after` seconds. What a thread computes outside
        of Python cannot be interrupted: it is stopped when it comes back."""
        # The strategy's end waits for the guard, so that what is thrown hits nothing else.
        with self.guard:
            if self.evaluating is None or time.monotonic() - self.evaluating[0] < after:
                return
            thread, self.evaluating = self.evaluating[1], None
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Stalled))

    def history_since(self, now_ms: int) -> int:
        """Open time of the first candle that its strategy is to see: a run always begins its history at the same one."""
        run, step = self.holding.run, self.holding.interval_ms()
        if run.history_from:
            return to_ms(run.history_from)
        with blamed(type(self.strategy)):
            warmup = self.strategy.warmup_at(self.interval)
        return (now_ms // step - (1 if warmup <= 1 else max(LEAST_HISTORY, 4 * warmup))) * step

    def first(self, history: History) -> int:
        run = self.holding.run
        return max(int(history.time[0]), to_ms(run.history_from)) if run.history_from else self.first_wanted(history)

    def first_wanted(self, history: History) -> int:
        i = int(np.searchsorted(history.time[: len(history)], self.history_since(self.floor.now_ms())))
        return int(history.time[min(i, len(history) - 1)])

    def keep(self) -> None:
        """Idle closes are written down once in a while only; after a crash they are walked again, with the same outcome. How far
        the run is goes to its row sooner, with those of other bots: `runs_progress_write`."""
        self.progressed = True
        if time.monotonic() - self.saved_at > SAVE_EVERY:
            self.checkpoint()

    def checkpoint(self) -> None:
        progress_save(self.holding)
        self.saved_at = time.monotonic()

    def open(self, time_ms: int, opens: Mapping[str, float]) -> StepEffects | None:
        """The candle has begun: what was queued at the close before goes out."""
        holding = self.holding
        if self.floor.ready(self) or (holding.opened is not None and time_ms <= holding.opened and holding.external is False):
            return None
        if holding.time is not None and self.closed_since():
            self.catch_up()
        if holding.time is None or time_ms <= holding.time or (holding.external and self.has_hole(time_ms)):
            return None
        prices = {symbol: (Decimal(repr(price)), 0.0) for symbol, price in opens.items()}
        market = self.market(f"open:{self.interval}:{time_ms}", prices=prices, time_ms=time_ms)
        written = candle_open(holding, time_ms, opens, market)
        if holding.external:
            self.floor.written(self, written)
            return self.entries()
        return written

    def has_hole(self, time_ms: int) -> bool:
        """Whether the candle before that one is still to come: the venue is being asked for it, and the engine takes candles in
        order. One without trades never comes."""
        missing = (self.holding.time or 0) < time_ms - self.holding.interval_ms()
        return missing and self.floor.now_ms() - time_ms < HOLE_SECONDS * 1000

    def entries(self) -> StepEffects | None:
        holding = self.holding
        market = self.market(f"open:{self.interval}:{holding.opened or 0}")
        prices = {symbol: float(price) for symbol, (price, _) in market.prices.items()}
        return step_apply(holding, market, lambda: holding.trader.entries(prices)) if holding.external else None

    def touch(self, symbol: str, price: float, time_ms: int) -> StepEffects | None:
        self.touching.discard(symbol)
        if self.floor.ready(self):
            return None
        market = self.market(f"tick:{symbol}:{time_ms}")
        return step_apply(self.holding, market, lambda: self.holding.trader.touched(symbol, price, time_ms))

    def report(self, report: Report) -> StepEffects | None:
        if not self.holding.is_news(report):
            return None
        written = report_apply(self.holding, report, self.market(f"report:{report.venue_order_id}"))
        self.floor.written(self, written)
        return self.entries()

    def end_order(self, order_id: int, seen: str, status: OrderStatus, why: str) -> StepEffects | None:
        written = order_end(self.holding, order_id, seen, status, why, self.market(f"order:{order_id}"))
        self.floor.written(self, written)
        return self.entries()

    def learn(self) -> None:
        """The venue's rules may have changed."""
        self.holding.update_instruments(instruments_of(self.holding.bot.venue, self.symbols))

    def pause(self) -> StepEffects | None:
        trader = self.holding.trader
        return self.by_hand("pause", trader.pause) if trader.entries_allowed else None

    def resume(self) -> StepEffects:
        return self.by_hand("resume", self.holding.trader.resume)

    def by_hand(self, what: str, call: Callable[[], Step]) -> StepEffects:
        return step_apply(self.holding, self.market(f"person:{what}"), call)
