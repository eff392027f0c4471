"""The bots of one venue in a stream worker: which run here, and how the bot of an order is found, running or not.

Everything is called on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from core.errors import DomainError
from trading.live.bot_runner import BotRunner
from trading.live.desired_state import Assignment
from trading.live.market_state import Market, MarketState
from trading.live.pools import InThread
from trading.live.threads import LOOP, called_from
from trading.models import Order
from trading.services.bot_loading import bots_load
from trading.services.loaded_bot import LoadedBot

MakeRunner = Callable[[LoadedBot], BotRunner]


@called_from(LOOP)
class RunningBots:
    def __init__(self, market: MarketState, make_runner: MakeRunner, in_thread: InThread) -> None:
        """`make_runner` is called in a database thread."""
        self.market, self.make_runner, self.in_thread = market, make_runner, in_thread
        self.runners: dict[int, BotRunner] = {}
        """Those that run here, by the bot's primary key."""
        self.by_run: dict[str, BotRunner] = {}
        self.loads: dict[int, asyncio.Future[BotRunner]] = {}
        """All that are loaded or being loaded; also those that do not run any more but have orders to be settled."""

    def list_all(self) -> list[BotRunner]:
        return list(self.runners.values())

    def list_of_wallet(self, wallet_id: int) -> list[BotRunner]:
        return [runner for runner in self.runners.values() if runner.loaded_bot.bot.wallet_id == wallet_id]

    def list_symbols(self) -> set[str]:
        return {symbol for runner in self.runners.values() for symbol in runner.symbols}

    def list_intervals(self) -> set[str]:
        return {runner.interval for runner in self.runners.values()}

    def find_runner(self, bot_id: int) -> BotRunner | None:
        return self.runners.get(bot_id)

    async def find_owner(self, client_order_id: str) -> BotRunner | None:
        """The runner of the bot whose order this is; loaded for the occasion where it does not run. None: no bot of ours has it."""
        if runner := self.by_run.get(client_order_id.removeprefix("qd-").partition("-")[0]):
            return runner
        bot_id = await self.in_thread(find_bot, client_order_id)
        if bot_id is None:
            return None
        return self.runners.get(bot_id) or await self.fetch(bot_id)

    def add(self, runner: BotRunner) -> None:
        """From now on it hears the market."""
        loaded = runner.loaded_bot
        self.runners[runner.bot_id] = self.by_run[loaded.run.run_id] = runner
        self.market.add_listener(runner, list_markets(runner))
        if loaded.external:
            runner.levels = loaded.trader.levels()
            self.market.put_levels(runner, runner.levels)

    def remove(self, runner: BotRunner) -> None:
        if self.runners.pop(runner.bot_id, None) is None:
            return
        runner.queue.close()
        self.by_run.pop(runner.loaded_bot.run.run_id, None)
        self.loads.pop(runner.bot_id, None)
        self.market.remove_listener(runner, list_markets(runner))

    # One runner a bot, however many ask for it.

    async def fetch_all(self, assignments: Sequence[Assignment]) -> list[BotRunner | DomainError]:
        """The runners of these bots' present runs, loaded together where there are none; or why there can be none."""
        self.load([one.bot_id for one in assignments if one.bot_id not in self.loads])
        found: list[BotRunner | DomainError] = []
        for one in assignments:
            try:
                found.append(await self.fetch(one.bot_id, one.run_id))
            except DomainError as error:
                found.append(error)
        return found

    async def fetch(self, bot_id: int, run_id: int | None = None) -> BotRunner:
        """The one runner of a bot in this worker, loaded where there is none (of this run): two would write over each other."""
        loading = self.loads.get(bot_id)
        if loading is not None:
            runner = await asyncio.shield(loading)
            if not runner.queue.closed and run_id in (None, runner.loaded_bot.run.pk):
                return runner
        if self.loads.get(bot_id) is loading:
            self.load([bot_id])
        return await asyncio.shield(self.loads[bot_id])

    def load(self, bot_ids: Sequence[int]) -> None:
        if not bot_ids:
            return
        loading = asyncio.ensure_future(self.in_thread(load_runners, bot_ids, self.make_runner))
        for bot_id in bot_ids:
            self.loads[bot_id] = mine = asyncio.ensure_future(pick_runner(loading, bot_id))
            mine.add_done_callback(partial(self.on_load_done, bot_id))

    def on_load_done(self, bot_id: int, task: asyncio.Future[BotRunner]) -> None:
        """A load that failed is tried again when the bot is next asked for."""
        if (task.cancelled() or task.exception()) and self.loads.get(bot_id) is task:
            del self.loads[bot_id]


async def pick_runner(loading: asyncio.Future[dict[int, BotRunner | DomainError]], bot_id: int) -> BotRunner:
    found = (await asyncio.shield(loading))[bot_id]
    if isinstance(found, DomainError):
        raise found
    return found


def load_runners(bot_ids: Iterable[int], make_runner: MakeRunner) -> dict[int, BotRunner | DomainError]:
    loaded = bots_load(bot_ids)
    return {bot_id: one if isinstance(one, DomainError) else make_runner(one) for bot_id, one in loaded.items()}


def list_markets(runner: BotRunner) -> list[Market]:
    return [(symbol, runner.interval) for symbol in runner.symbols]


def find_bot(client_order_id: str) -> int | None:
    return Order.objects.filter(client_order_id=client_order_id).values_list("bot_id", flat=True).first()
