"""Bots that should run here and do not yet: loaded together, given their candles, and begun, each without harm to the others.

The methods are called on the loop. The functions below write rows, in a database thread.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import NamedTuple

from django.db import Error as DatabaseError

from core.errors import DomainError
from core.times import from_ms
from engine.grid import shift_open
from market.exchanges.base import Exchange, ExchangeError
from trading.live.bot_commands import follow_wanted
from trading.live.bot_runner import BotRunner
from trading.live.desired_state import Assignment
from trading.live.listing import VenueListing
from trading.live.recorder import Recorder, load_history
from trading.live.running_bots import RunningBots
from trading.live.threads import LOOP, called_from
from trading.models import OPEN, BotRun, Order, OrderStatus
from trading.services.orders import order_end, orders_cancel_note
from trading.services.runs import run_end, run_hold_note, runs_rules_take

logger = logging.getLogger(__name__)

AT_ONCE = 200
"""Bots that are loaded together: few enough that those who are there need not wait long for a thread."""
AGAIN_SECONDS = 5.0
"""Until a bot that could not begin is tried again."""


class Waiting(NamedTuple):
    """A bot that cannot begin yet, and when it is tried again (monotonic)."""

    runner: BotRunner
    until: float


@called_from(LOOP)
class BotIntake:
    def __init__(self, exchange: Exchange, bots: RunningBots, listing: VenueListing, recorder: Recorder) -> None:
        self.exchange, self.bots, self.listing, self.recorder = exchange, bots, listing, recorder
        self.in_thread = bots.in_thread
        self.waiting: dict[int, Waiting] = {}
        """By the bot's primary key."""

    def follow_person(self, assignment: Assignment) -> None:
        """Passes on what a person wants, also to a bot that waits to begin."""
        waits = self.waiting.get(assignment.bot_id)
        if runner := self.bots.find_runner(assignment.bot_id) or (waits and waits.runner):
            follow_wanted(runner, assignment.wanted)

    async def take_in(self, assignments: Sequence[Assignment]) -> int:
        """Begins those of these bots that do not run here: their memory is loaded, their candles are fetched, and what they wait
        for is watched. One that cannot be loaded ends, and one whose candles cannot be had waits, alone. Counts those that have
        begun."""
        self.waiting = {one.bot_id: waits for one in assignments if (waits := self.waiting.get(one.bot_id))}
        due = [one for one in assignments if self.bots.find_runner(one.bot_id) is None and self.is_due(one)]
        if due:
            await self.listing.refresh({symbol for one in due for symbol in one.symbol_list})
        begun = 0
        for i in range(0, len(due), AT_ONCE):
            part = due[i : i + AT_ONCE]
            await self.in_thread(runs_rules_take, [one.run_id for one in part])
            for one, runner in zip(part, await self.bots.fetch_all(part), strict=True):
                begun += await self.begin_or_end(one, runner)
        return begun

    def is_due(self, assignment: Assignment) -> bool:
        waits = self.waiting.get(assignment.bot_id)
        return waits is None or time.monotonic() >= waits.until

    async def begin_or_end(self, assignment: Assignment, runner: BotRunner | DomainError) -> bool:
        """Whether the bot has begun."""
        if isinstance(runner, DomainError):
            logger.error("bot %d cannot be loaded: %s", assignment.bot_id, runner)
            await self.in_thread(fail_run, assignment.run_id, runner.in_full())
            return False
        if runner.loaded_bot.unreadable:
            await self.in_thread(abandon_run, runner)
            return False
        return await self.attempt(assignment, runner)

    async def attempt(self, assignment: Assignment, runner: BotRunner) -> bool:
        """Whether the bot has begun. What is wrong with its strategy ends it; whatever else keeps it may pass."""
        try:
            await self.begin(runner)
        except DatabaseError:
            raise
        except DomainError as error:
            await self.in_thread(fail_run, assignment.run_id, error.in_full())
            return False
        except Exception as error:
            if not isinstance(error, ExchangeError | OSError):
                logger.exception("bot %d cannot begin", assignment.bot_id)
            self.waiting[assignment.bot_id] = Waiting(runner, time.monotonic() + AGAIN_SECONDS)
            await self.in_thread(run_hold_note, runner.loaded_bot.run, f"It cannot begin yet: {error}")
            return False
        self.waiting.pop(assignment.bot_id, None)
        follow_wanted(runner, assignment.wanted)
        runner.submit(runner.candles.catch_up)
        return True

    async def begin(self, runner: BotRunner) -> None:
        histories = self.bots.market.histories
        for symbol in runner.symbols:
            await self.ensure_history(symbol, runner)
        loaded = runner.loaded_bot
        if loaded.time is None:
            # On paper it decides from the first candle on that closes after its start; at a venue, the last close is still worth
            # acting on.
            last = max(histories[(symbol, runner.interval)].last or 0 for symbol in runner.symbols)
            loaded.time = shift_open(runner.interval, last, -1) if loaded.external else last
        self.bots.add(runner)

    async def ensure_history(self, symbol: str, runner: BotRunner) -> None:
        """Candles from the first one on that the bot's strategy is to see, shared with the other bots of that market."""
        histories, market = self.bots.market.histories, (symbol, runner.interval)
        now_ms = runner.steps.inputs.now_ms
        since = runner.strategy_host.find_history_start(runner.loaded_bot.run, now_ms())
        history = histories.get(market)
        if history is not None and len(history) and history.time[0] <= since:
            return
        await self.in_thread(self.recorder.flush)
        until = from_ms(now_ms())
        histories[market] = await load_history(
            self.exchange, self.recorder.key, symbol, runner.interval, since, until, self.in_thread
        )


def abandon_run(runner: BotRunner) -> None:
    """Its memory cannot be read. What the venue has of it is cancelled there and goes into the books; the next run begins with
    these."""
    loaded = runner.loaded_bot
    fail_run(loaded.run.pk, loaded.unreadable)
    market = runner.steps.describe_market("unreadable")
    for order in () if loaded.external else Order.objects.filter(run=loaded.run, status__in=OPEN):
        order_end(loaded, order.pk, order.status, OrderStatus.CANCELLED, loaded.unreadable, market)


def fail_run(run_id: int, message: str) -> None:
    """Its orders are cancelled, what it holds stays."""
    run = BotRun.objects.select_related("bot").get(pk=run_id)
    orders_cancel_note(Order.objects.filter(run=run, status__in=OPEN))
    run_end(run, "failed", error=message)
