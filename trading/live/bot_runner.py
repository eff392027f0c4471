"""One running bot in a stream worker: its jobs, one after the other, in threads of the worker's pools.

A job reads what it needs when its turn comes, and may be done twice or late: it asks what is still to do. Whatever breaks, the bot
is loaded again from what was committed.

Jobs are submitted from any thread, market events come in on the loop, and everything else happens in the bot's thread.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from core.database_errors import describe_database_error
from core.errors import DomainError
from core.times import to_ms
from engine.live import PriceLevel
from market.exchanges.base import Candle, Tick
from trading.live.bot_candles import BotCandles
from trading.live.bot_steps import BotInputs, BotSteps
from trading.live.job_queue import JobQueue
from trading.live.strategy_host import Stalled, StrategyHost
from trading.live.threads import ANY, BOT, LOOP, called_from
from trading.models import OPEN, Order
from trading.services.bot_loading import bot_load
from trading.services.loaded_bot import LoadedBot, StaleBot
from trading.services.orders import orders_cancel_note
from trading.services.runs import run_end
from trading.services.step_writer import StepEffects

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
Call = Callable[[], StepEffects | None]


class BotJob(NamedTuple):
    call: Call
    received: float
    """When the frame came in (`time.perf_counter()`) that it is about; 0: it is about none."""


@dataclass(slots=True)
class BotHost:
    """What the venue worker does for its bots. `start` has a pool call something, urgently or not. `dispatch` takes on what a step
    has written. `remove` hears of a bot that is over."""

    start: Callable[[Callable[[], None], bool], None]
    dispatch: Callable[[BotRunner, StepEffects], None]
    remove: Callable[[BotRunner], None]
    stopped: bool = False
    """Whether the venue has been left."""


@called_from(BOT)
class BotRunner:
    def __init__(self, loaded: LoadedBot, inputs: BotInputs, host: BotHost) -> None:
        self.bot_id, self.host = loaded.bot.pk, host
        self.steps = BotSteps(loaded, inputs, lambda effects: host.dispatch(self, effects))
        self.strategy_host = StrategyHost(loaded.config)
        self.candles = BotCandles(self.steps, self.strategy_host)
        self.queue = JobQueue[BotJob](self.do, host.start, host)
        self.touching: set[str] = set()
        """Symbols whose price has reached a level, and the job about it has not begun."""
        self.levels: list[PriceLevel] = []
        """As the market state has them."""
        self.pushed: tuple[object, ...] = ()
        """The bot's figures, as they were last pushed to the pages."""

    def __hash__(self) -> int:
        return self.bot_id

    @property
    def loaded_bot(self) -> LoadedBot:
        return self.steps.loaded_bot

    @property
    def symbols(self) -> tuple[str, ...]:
        return self.loaded_bot.config.symbols

    @property
    def interval(self) -> str:
        return self.loaded_bot.config.interval

    @called_from(*ANY)
    def submit(self, call: Call, *, urgent: bool = False) -> None:
        """A job that no market frame has set off. `urgent`: see `JobQueue.submit`."""
        self.queue.submit(BotJob(call, 0.0), urgent=urgent)

    @called_from(LOOP)
    def on_price(self, tick: Tick, price: float) -> None:
        if tick.symbol not in self.touching:
            self.touching.add(tick.symbol)
            touch = partial(self.touch, tick.symbol, price, to_ms(tick.time))
            self.queue.submit(BotJob(touch, tick.received), urgent=True)

    @called_from(LOOP)
    def on_open(self, candle: Candle, time_ms: int) -> None:
        if self.loaded_bot.external or self.loaded_bot.trader.working():
            opens = {candle.symbol: float(candle.open)}
            self.queue.submit(BotJob(partial(self.candles.open, time_ms, opens), candle.received))

    @called_from(LOOP)
    def on_close(self, candle: Candle) -> None:
        self.queue.submit(BotJob(self.candles.catch_up, candle.received))

    def touch(self, symbol: str, price: float, time_ms: int) -> StepEffects | None:
        self.touching.discard(symbol)
        return self.steps.touch(symbol, price, time_ms)

    def do(self, job: BotJob) -> None:
        """One job, to its end: while the database is away it waits, since what it would write down must not be lost."""
        failure, stale = "", False
        while not self.queue.is_over():
            try:
                again, stale = stale, False  # a bot that cannot be loaded again fails; that is not tried for ever
                self.attempt(job, failure, reload=again)
                return
            except StaleBot:
                logger.warning("%s is traded for by another worker", self.loaded_bot.bot.name)
                self.leave()
            except DatabaseError as error:
                logger.warning("%s waits for the database: %s", self.loaded_bot.bot.name, describe_database_error(error))
                connection.close()
                stale = True
            except DomainError as error:
                failure = str(error)
            except Stalled:
                name = self.strategy_host.strategy.name
                failure = f"The strategy {name} did not return within {settings.STRATEGY_SECONDS:g} s."
            except Exception as error:
                logger.exception("%s failed", self.loaded_bot.bot.name)
                failure = f"Something went wrong inside Quarterdeck ({type(error).__name__}); it has been logged."

    def attempt(self, job: BotJob, failure: str, *, reload: bool) -> None:
        """Does the job, or ends the bot where it has failed already."""
        self.steps.received = job.received
        if reload and not self.reload():
            return
        if failure:
            self.fail(failure)
        elif effects := job.call():
            self.host.dispatch(self, effects)

    def reload(self) -> bool:
        """Waits for the database: what is in memory is ahead of the rows, and nothing may be done with it any more. False where the
        venue was left meanwhile."""
        while not self.queue.is_over():
            try:
                self.steps.loaded_bot = bot_load(self.bot_id, unreadable=bool(self.loaded_bot.unreadable))
                return True
            except DatabaseError:
                connection.close()
                time.sleep(RETRY_SECONDS)
        return False

    def leave(self) -> None:
        self.queue.close()
        self.host.remove(self)

    def fail(self, message: str) -> None:
        """This bot stops, and no other: its open orders are cancelled, and what it holds stays."""
        try:
            if not self.reload():
                return  # the worker that has the venue next meets the same fault
            # The engine first: it would want an order again that was cancelled without its knowing.
            self.host.dispatch(self, self.steps.act_by_hand("failed", self.loaded_bot.trader.cancel_all))
        except DatabaseError:
            raise
        except Exception:
            logger.exception("%s: the engine does not take its orders back", self.loaded_bot.bot.name)
        orders_cancel_note(Order.objects.filter(bot_id=self.bot_id, status__in=OPEN))
        run_end(self.loaded_bot.run, "failed", error=message)
        self.leave()
