"""The bots of one venue in a stream worker: loaded together, watched, told what a person wants of them, and let go."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from django.db import Error as DatabaseError

from core.errors import DomainError
from core.times import from_ms
from market.exchanges.base import ExchangeError
from trading.live.bot_runner import BotRunner
from trading.live.desired_state import Assignment
from trading.live.history import History
from trading.live.levels import Levels
from trading.live.recorder import history_load
from trading.models import OPEN, BotRun, Order, OrderStatus
from trading.models import DesiredStatus as Want
from trading.services.bot_loading import bots_load
from trading.services.orders import order_end, orders_cancel_note
from trading.services.runs import run_end, run_hold_note, runs_rules_take
from trading.services.step_writer import StepEffects

if TYPE_CHECKING:
    from trading.live.venue_worker import VenueWorker

logger = logging.getLogger(__name__)

AT_ONCE = 200
"""Bots that are loaded together: few enough that those who are there need not wait long for a thread."""
AGAIN_SECONDS = 5.0
"""Until a bot that could not begin is tried again."""
Market = tuple[str, str]
"""Symbol and interval."""


class Waiting(NamedTuple):
    """A bot that cannot begin yet, and when it is tried again (monotonic)."""

    runtime: BotRunner
    until: float


@dataclass(slots=True)
class RunningBots:
    station: VenueWorker
    runtimes: dict[int, BotRunner] = field(default_factory=dict)
    """Those that run here, by the bot's primary key."""
    by_run: dict[str, BotRunner] = field(default_factory=dict)
    by_market: dict[Market, list[BotRunner]] = field(default_factory=lambda: defaultdict(list))
    held: dict[int, asyncio.Future[BotRunner]] = field(default_factory=dict)
    """All that are loaded or being loaded; also those that do not run any more but have orders to be settled."""
    histories: dict[Market, History] = field(default_factory=dict)
    levels: Levels[BotRunner] = field(default_factory=Levels)
    waiting: dict[int, Waiting] = field(default_factory=dict)

    def all(self) -> list[BotRunner]:
        return list(self.runtimes.values())

    def symbols(self) -> set[str]:
        return {symbol for runtime in self.runtimes.values() for symbol in runtime.symbols}

    def intervals(self) -> set[str]:
        return {runtime.interval for runtime in self.runtimes.values()}

    # They come.

    async def take_in(self, posts: Sequence[Assignment]) -> int:
        """Those of these that are not here: their memory is loaded, their candles are fetched, and what they wait for is watched.
        One that cannot be loaded ends, and one whose candles cannot be had waits, alone. Counts those that have begun."""
        self.waiting = {post.bot_id: waits for post in posts if (waits := self.waiting.get(post.bot_id))}
        due = [post for post in posts if post.bot_id not in self.runtimes and self.is_due(post)]
        if due:
            await self.station.learn_rules({symbol for post in due for symbol in post.symbol_list})
        begun = 0
        for i in range(0, len(due), AT_ONCE):
            part = due[i : i + AT_ONCE]
            await self.station.worker.in_thread(runs_rules_take, [post.run_id for post in part])
            for post, runtime in zip(part, await self.hold_all(part), strict=True):
                if isinstance(runtime, DomainError):
                    logger.error("bot %d cannot be loaded: %s", post.bot_id, runtime)
                    await self.station.worker.in_thread(run_fail, post.run_id, runtime.in_full())
                elif runtime.holding.unreadable:
                    await self.station.worker.in_thread(run_abandon, runtime)
                else:
                    begun += await self.attempt(post, runtime)
        return begun

    def is_due(self, post: Assignment) -> bool:
        return post.bot_id not in self.waiting or time.monotonic() >= self.waiting[post.bot_id].until

    async def attempt(self, post: Assignment, runtime: BotRunner) -> bool:
        """Whether it has begun. What is wrong with its strategy ends it; whatever else keeps it may pass."""
        try:
            await self.begin(runtime)
        except DatabaseError:
            raise
        except DomainError as error:
            await self.station.worker.in_thread(run_fail, post.run_id, error.in_full())
            return False
        except Exception as error:
            if not isinstance(error, ExchangeError | OSError):
                logger.exception("bot %d cannot begin", post.bot_id)
            self.waiting[post.bot_id] = Waiting(runtime, time.monotonic() + AGAIN_SECONDS)
            await self.station.worker.in_thread(run_hold_note, runtime.holding.run, f"It cannot begin yet: {error}")
            return False
        self.waiting.pop(post.bot_id, None)
        self.follow(post)
        runtime.submit(runtime.catch_up)
        return True

    async def begin(self, runtime: BotRunner) -> None:
        for symbol in runtime.symbols:
            await self.ensure_history(symbol, runtime)
        holding = runtime.holding
        if holding.time is None:
            # On paper it decides from the first candle on that closes after its start; at a venue, the last close is still worth
            # acting on.
            last = max(self.histories[(symbol, runtime.interval)].last or 0 for symbol in runtime.symbols)
            holding.time = last - holding.interval_ms() if holding.external else last
        self.runtimes[runtime.bot_id] = self.by_run[holding.run.run_id] = runtime
        for symbol in runtime.symbols:
            self.by_market[(symbol, runtime.interval)].append(runtime)
        if holding.external:
            runtime.levels = holding.trader.levels()
            self.levels.put(runtime, runtime.levels)

    async def ensure_history(self, symbol: str, runtime: BotRunner) -> None:
        station, market = self.station, (symbol, runtime.interval)
        since = runtime.history_since(station.now_ms())
        history = self.histories.get(market)
        if history is not None and len(history) and history.time[0] <= since:
            return
        await station.worker.in_thread(station.recorder.flush)
        until = from_ms(station.now_ms())
        load = history_load(station.exchange, station.key, symbol, runtime.interval, since, until, station.worker.in_thread)
        self.histories[market] = await load

    async def hold_all(self, posts: Sequence[Assignment]) -> list[BotRunner | DomainError]:
        """The runtimes of these bots' present runs, loaded together where there are none; or why there can be none."""
        self.load([post.bot_id for post in posts if post.bot_id not in self.held])
        found: list[BotRunner | DomainError] = []
        for post in posts:
            try:
                found.append(await self.hold(post.bot_id, post.run_id))
            except DomainError as error:
                found.append(error)
        return found

    async def hold(self, bot_id: int, run_id: int | None = None) -> BotRunner:
        """The one runtime of a bot in this worker, loaded where there is none (of this run): two would write over each other."""
        loading = self.held.get(bot_id)
        if loading is not None:
            runtime = await asyncio.shield(loading)
            if not runtime.ended and run_id in (None, runtime.holding.run.pk):
                return runtime
        if self.held.get(bot_id) is loading:
            self.load([bot_id])
        return await asyncio.shield(self.held[bot_id])

    def load(self, bot_ids: Sequence[int]) -> None:
        if not bot_ids:
            return
        loading = asyncio.ensure_future(self.station.worker.in_thread(runtimes_load, bot_ids, self.station))
        for bot_id in bot_ids:
            self.held[bot_id] = mine = asyncio.ensure_future(picked(loading, bot_id))
            mine.add_done_callback(partial(self.forget, bot_id))

    def forget(self, bot_id: int, task: asyncio.Future[BotRunner]) -> None:
        """A load that failed is tried anew by the next who asks."""
        if (task.cancelled() or task.exception()) and self.held.get(bot_id) is task:
            del self.held[bot_id]

    async def owner(self, client_order_id: str) -> BotRunner | None:
        """The runtime of the bot whose order this is; loaded for the occasion where it does not run."""
        if runtime := self.by_run.get(client_order_id.removeprefix("qd-").partition("-")[0]):
            return runtime
        bot_id = await self.station.worker.in_thread(bot_of, client_order_id)
        if bot_id is None:
            return None
        return self.runtimes.get(bot_id) or await self.hold(bot_id)

    # They do what a person wants.

    def follow(self, post: Assignment) -> None:
        waits = self.waiting.get(post.bot_id)
        runtime = self.runtimes.get(post.bot_id) or (waits and waits.runtime)
        if runtime is None:
            return
        trader = runtime.holding.trader
        if post.wanted == Want.PAUSED and trader.entries_allowed:
            runtime.submit(runtime.pause, urgent=True)
        elif post.wanted == Want.RUNNING and not trader.entries_allowed:
            runtime.submit(runtime.resume, urgent=True)
        elif post.wanted == Want.CLOSING:
            runtime.submit(lambda: self.wind_up(runtime, sell=True), urgent=True)
        elif post.wanted == Want.STOPPED:
            runtime.submit(lambda: self.wind_up(runtime, sell=False), urgent=True)

    def wind_up(self, runtime: BotRunner, *, sell: bool) -> StepEffects | None:
        """Called again and again until nothing is open: then the run ends."""
        holding = runtime.holding
        prices = {symbol: float(price[0]) for symbol in runtime.symbols if (price := self.station.price(symbol))}
        if holding.trader.entries_allowed:
            return runtime.pause()  # a bot that winds up buys nothing more
        selling = sells_on_their_way(runtime)
        if sell and has_to_sell(runtime, prices) and not selling:
            return runtime.by_hand("close", lambda: holding.trader.sell_all("by_hand", prices))
        if holding.orders and not (sell and selling):
            # All of them: the engine knows no adopted ones.
            orders_cancel_note(Order.objects.filter(run=holding.run, status__in=OPEN, cancel_requested=False))
            return runtime.by_hand("stop", holding.trader.cancel_all)
        if not holding.orders:
            runtime.checkpoint()
            run_end(holding.run, "closed" if sell else "stopped")
            runtime.leave()
        return None

    # They go.

    def remove(self, runtime: BotRunner) -> None:
        if self.runtimes.pop(runtime.bot_id, None) is None:
            return
        runtime.ended = True
        self.by_run.pop(runtime.holding.run.run_id, None)
        self.held.pop(runtime.bot_id, None)
        self.levels.put(runtime, [])
        for symbol in runtime.symbols:
            self.by_market[(symbol, runtime.interval)].remove(runtime)


async def picked(loading: asyncio.Future[dict[int, BotRunner | DomainError]], bot_id: int) -> BotRunner:
    found = (await asyncio.shield(loading))[bot_id]
    if isinstance(found, DomainError):
        raise found
    return found


def runtimes_load(bot_ids: Iterable[int], floor: VenueWorker) -> dict[int, BotRunner | DomainError]:
    loaded = bots_load(bot_ids)
    return {bot_id: one if isinstance(one, DomainError) else BotRunner(one, floor) for bot_id, one in loaded.items()}


def run_abandon(runtime: BotRunner) -> None:
    """Its memory cannot be read. What the venue has of it is cancelled there and goes into the books; the next run begins with
    these."""
    holding = runtime.holding
    run_fail(holding.run.pk, holding.unreadable)
    for order in () if holding.external else Order.objects.filter(run=holding.run, status__in=OPEN):
        order_end(holding, order.pk, order.status, OrderStatus.CANCELLED, holding.unreadable, runtime.market("unreadable"))


def run_fail(run_id: int, message: str) -> None:
    """Its orders are cancelled, what it holds stays."""
    run = BotRun.objects.select_related("bot").get(pk=run_id)
    orders_cancel_note(Order.objects.filter(run=run, status__in=OPEN))
    run_end(run, "failed", error=message)


def has_to_sell(runtime: BotRunner, prices: Mapping[str, float]) -> bool:
    """Whether it holds more than crumbs, which no venue takes: fees in base leave parts of a lot behind."""
    for symbol, quantity in runtime.holding.trader.positions().items():
        rules = runtime.holding.instruments[symbol]
        worth = quantity * prices.get(symbol, float("inf"))
        if quantity > 0 and quantity >= float(rules.lot_size or 0) and worth >= float(rules.min_notional or 0):
            return True
    return False


def sells_on_their_way(runtime: BotRunner) -> bool:
    """Market orders: a take-profit that rests is none."""
    return any(order.side == "sell" and order.type == "market" for order in runtime.holding.trader.working())


def bot_of(client_order_id: str) -> int | None:
    return Order.objects.filter(client_order_id=client_order_id).values_list("bot_id", flat=True).first()
