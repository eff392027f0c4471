"""One venue in a stream worker, held under a lease: puts its parts together, and opens, follows and closes them.

The parts:  market_state   what the feed brings; wakes the bots that it concerns
            running_bots   the bots that run here, each with a queue of jobs in the worker's pools (bot_runner)
            bot_intake     bots that should run here and do not yet
            account_pool   the accounts that they trade with, each with its user stream and its reconciliation
            dispatcher     what bots have written leaves for the venue
            reporter       what goes to the pages, the rows and the metrics

Everything here is called on the loop; `make_runner` alone is called where a bot is loaded, in a database thread.
"""

from __future__ import annotations

import asyncio
import gc
from functools import partial

from django.conf import settings

from market.exchanges.base import Exchange, MarketEvent
from market.exchanges.breaker import Breaker
from market.feed import Feed, Subscription
from market.feed.ending import end_tasks
from trading.live.account_pool import AccountPool
from trading.live.bot_intake import BotIntake
from trading.live.bot_runner import BotHost, BotRunner
from trading.live.bot_steps import BotInputs
from trading.live.clock import VenueClock
from trading.live.desired_state import DesiredState, make_place, make_public_endpoint
from trading.live.dispatcher import Dispatcher
from trading.live.facilities import Facilities
from trading.live.fee_watch import FeeWatch
from trading.live.history import Decisions
from trading.live.listing import VenueListing
from trading.live.market_state import MarketState
from trading.live.recorder import Recorder
from trading.live.reporter import Reporter, StreamName
from trading.live.running_bots import RunningBots
from trading.live.threads import ANY, DESK, LOOP, called_from
from trading.services.loaded_bot import LoadedBot


@called_from(LOOP)
class VenueWorker:
    def __init__(self, facilities: Facilities, stream: StreamName, exchange: Exchange) -> None:
        """`exchange`: without a key of its own, for prices only."""
        self.facilities, self.stream, self.exchange = facilities, stream, exchange
        in_thread = facilities.pools.in_thread
        self.recorder = Recorder(stream.key)
        self.market = MarketState(stream.key, self.recorder.add)
        self.bots = RunningBots(self.market, self.make_runner, in_thread)
        breaker = Breaker(facilities.redis, make_place(stream.venue, stream.environment))
        self.reporter = Reporter(stream, self.market, self.bots, self.recorder, breaker, self.describe_fault)
        find_lease = partial(facilities.leases.find, stream.stream_id)
        self.listing = VenueListing(exchange, self.market, self.bots, in_thread)
        self.accounts = AccountPool(stream.key, facilities, find_lease, self.bots, self.reporter.on_incident, self.listing.doubt)
        self.dispatcher = Dispatcher(self.accounts, self.market, facilities.background, facilities.loop)
        self.inputs = BotInputs(self.market, self.accounts, Decisions(), self.now_ms)
        self.host = BotHost(facilities.pools.start_job, self.dispatcher.dispatch, self.remove_soon)
        self.intake = BotIntake(exchange, self.bots, self.listing, self.recorder)
        self.subscription = Subscription()
        self.tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def open(cls, facilities: Facilities, stream_id: int, desired: DesiredState) -> VenueWorker:
        """Connects to the venue for prices; the addresses are those of an account there, or the venue's own."""
        exchange = facilities.connect(await facilities.pools.in_thread(make_public_endpoint, desired))
        await exchange.connect()
        stream = StreamName(stream_id, desired.stream.venue, desired.stream.environment, facilities.name)
        venue = cls(facilities, stream, exchange)
        venue.tasks = [asyncio.create_task(venue.run_feed()), asyncio.create_task(venue.maintain())]
        return venue

    @property
    def key(self) -> str:
        return self.stream.key

    def has_died(self) -> bool:
        """Whether a task of this venue, which should all go on for ever, has ended."""
        return any(task.done() for task in self.tasks)

    async def close(self) -> None:
        self.host.stopped = True
        for runner in self.bots.list_all():
            self.bots.remove(runner)
        await end_tasks(self.tasks)
        await self.accounts.stop()
        await self.facilities.pools.in_thread(self.recorder.flush)
        await self.exchange.close()

    async def run_feed(self) -> None:
        clock, timing, on_status = self.facilities.clock, self.facilities.timing, self.reporter.on_status
        await Feed(self.exchange, self.subscription, self.handle, on_status=on_status, clock=clock, timing=timing).run()

    async def handle(self, event: MarketEvent) -> None:
        self.market.on_event(event)

    async def maintain(self) -> None:
        """Beside the feed, for ever: reports go out, bots that hang are interrupted, accounts are kept at work, the venue's clock
        is measured, and fees that had no worth get it."""
        in_thread = self.facilities.pools.in_thread
        clock = VenueClock(self.exchange, self.key, "its prices", in_thread)
        fees = FeeWatch(self.key, self.bots, in_thread)
        await asyncio.gather(self.reporter.run(in_thread), self.watch_bots(), clock.run(), fees.run())

    async def watch_bots(self) -> None:
        """Strategies that do not return are interrupted; an opening that waited for an earlier candle, and exits that were refused,
        are tried again; what keeps their accounts is kept at work."""
        while True:
            await asyncio.sleep(min(1.0, settings.STRATEGY_SECONDS / 2))
            self.accounts.revive()
            for runner in self.bots.list_all():
                runner.strategy_host.interrupt(settings.STRATEGY_SECONDS)
                begun = self.market.find_open_time(runner.symbols[0], runner.interval)
                if runner.loaded_bot.external and runner.loaded_bot.opened != begun:
                    runner.submit(runner.candles.act_now)
                if runner.loaded_bot.trader.has_held_exits():
                    runner.submit(runner.steps.retry_exits)

    async def follow(self, desired: DesiredState, *, warm: bool) -> None:
        """Accounts and bots come and go as desired. Where a person has switched the stream off, it brings no prices, so no bot
        decides; all the same each does what a person wants of it. `warm`: the engine is loaded, and bots can be driven."""
        if not desired.stream.wanted:
            self.subscription.set((), ("1m",))
        for assignment in desired.assignments:  # what a person wants needs no venue that answers
            self.intake.follow_person(assignment)
        if warm:
            if await self.intake.take_in(desired.assignments):
                gc.freeze()  # bots live long: the collector need not walk through all of them, which holds up every tick
            await self.accounts.follow(desired)
        await self.listing.refresh()
        if desired.stream.wanted:
            self.subscribe(desired)

    def subscribe(self, desired: DesiredState) -> None:
        """Tells the feed what is needed; it starts and stops streams by that."""
        symbols = self.bots.list_symbols() | set(desired.watch) | self.market.fee_symbols
        intervals = sorted({"1m"} | self.bots.list_intervals())
        if symbols != set(self.subscription.symbols) or intervals != sorted(self.subscription.intervals):
            self.subscription.set(symbols, intervals, depth=True, closed=self.market.list_closed())

    @called_from(DESK)
    def make_runner(self, loaded: LoadedBot) -> BotRunner:
        return BotRunner(loaded, self.inputs, self.host)

    @called_from(*ANY)
    def remove_soon(self, runner: BotRunner) -> None:
        self.facilities.loop.call_soon_threadsafe(self.bots.remove, runner)

    @called_from(*ANY)
    def now_ms(self) -> int:
        return int(self.facilities.clock() * 1000)

    @called_from(*ANY)
    def describe_fault(self) -> str:
        """What does not work beside the prices, for a person; empty: nothing."""
        return self.recorder.fault or self.accounts.describe_fault() or self.listing.describe_halts()
