"""One venue in a stream worker: its feed, its accounts, and the bots that trade there, held under a lease.

Ticks are compared with all levels at once on the loop; whatever follows is a job of one bot, done in the worker's pool.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from prometheus_client import Counter

from core.errors import DomainError
from core.times import from_ms, to_ms
from core.venues import venue_key
from engine.live import OHLCV, PriceLevel
from market.exchanges.base import (
    Balance,
    Candle,
    Depth,
    Exchange,
    ExchangeError,
    InstrumentRules,
    MarketEvent,
    OrderRequest,
    Refused,
    Report,
    Tick,
)
from market.feed import Feed, Subscription
from market.feed.ending import end_tasks
from market.services import instruments_note
from trading import metrics
from trading.live.account import AccountDesk
from trading.live.balances import AccountBalances
from trading.live.bot_runner import BotRunner
from trading.live.clock import VenueClock
from trading.live.desired_state import DesiredState, endpoint_of, key_of, public_endpoint
from trading.live.executor import Executor
from trading.live.history import Decisions, History
from trading.live.recorder import Recorder
from trading.live.reporter import Reporter
from trading.live.running_bots import RunningBots
from trading.models import Order
from trading.services.accounts import account_alert
from trading.services.lease import Lease
from trading.services.step_writer import StepEffects
from wallets.models import Wallet

if TYPE_CHECKING:
    from trading.live.worker import StreamWorker

logger = logging.getLogger(__name__)

LEARN_EVERY = 300.0
AGAIN_SECONDS, SHUT_SECONDS = 2.0, 60.0
"""Until an account that could not be used is tried again: by itself, and where a person must act."""


@dataclass(slots=True)
class VenueWorker:
    worker: StreamWorker
    stream_id: int
    venue: str
    environment: str
    exchange: Exchange
    """Without a key of its own: prices only."""
    decisions: Decisions = field(default_factory=Decisions)
    accounts: dict[int, AccountDesk] = field(default_factory=dict)
    shut_until: dict[str, float] = field(default_factory=dict)
    """When a key that could not be used is tried again (monotonic): see `plan.key_of`."""
    refusals: dict[int, str] = field(default_factory=dict)
    """Why an account cannot be used, by its primary key."""
    prices: dict[str, tuple[Decimal, float]] = field(default_factory=dict)
    """Last price and when we heard it (monotonic)."""
    opened: dict[tuple[str, str], int] = field(default_factory=dict)
    fresh: dict[str, Tick] = field(default_factory=dict)
    """Since the last flush to the pages."""
    books: dict[str, Depth] = field(default_factory=dict)
    growing: dict[tuple[str, str], Candle] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()
    tradable: frozenset[str] | None = None
    learned_at: float = 0.0
    state: str = "connecting"
    stopped: bool = False
    wanted: Subscription = field(default_factory=Subscription)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    ticks: Counter = field(init=False)
    roster: RunningBots = field(init=False)
    recorder: Recorder = field(init=False)
    reporter: Reporter = field(init=False)

    def __post_init__(self) -> None:
        self.ticks = metrics.ticks.labels(self.key)
        self.roster = RunningBots(self)
        self.recorder = Recorder(self.key)
        self.reporter = Reporter(self)

    @property
    def key(self) -> str:
        return venue_key(self.venue, self.environment)

    # Its life.

    @classmethod
    async def open(cls, worker: StreamWorker, stream_id: int, plan: DesiredState) -> VenueWorker:
        """Connects to the venue for prices; the addresses are those of an account there, or the venue's own."""
        exchange = worker.connect(await worker.in_thread(public_endpoint, plan))
        await exchange.connect()
        station = cls(worker, stream_id, plan.stream.venue, plan.stream.environment, exchange)
        station.tasks = [asyncio.create_task(station.feed()), asyncio.create_task(station.tend())]
        return station

    def died(self) -> bool:
        """Whether what should go on for ever has ended."""
        return any(task.done() for task in self.tasks)

    async def close(self) -> None:
        self.stopped = True
        for runtime in self.roster.all():
            self.roster.remove(runtime)
        await end_tasks(self.tasks)
        for desk in self.accounts.values():
            await desk.stop()
        await self.worker.in_thread(self.recorder.flush)
        await self.exchange.close()

    async def feed(self) -> None:
        clock, timing = self.worker.clock, self.worker.timing
        await Feed(self.exchange, self.wanted, self.handle, on_status=self.reporter.hear, clock=clock, timing=timing).run()

    async def handle(self, event: MarketEvent) -> None:
        self.hear(event)

    async def tend(self) -> None:
        """What goes out a few times a second: prices for the pages; and candles into the store, now and then. Strategies that do
        not return are interrupted."""
        clock = VenueClock(self.exchange, self.key, "its prices", self.worker.in_thread)
        await asyncio.gather(self.reporter.run(), self.watch_runtimes(), clock.keep())

    async def watch_runtimes(self) -> None:
        """Strategies that do not return are interrupted; an opening that waited for an earlier candle is looked at again."""
        while True:
            await asyncio.sleep(min(1.0, settings.STRATEGY_SECONDS / 2))
            for runtime in self.roster.all():
                runtime.interrupt(settings.STRATEGY_SECONDS)
                if runtime.holding.external and runtime.holding.opened != self.begun(runtime.symbols[0], runtime.interval):
                    runtime.submit(runtime.act_now)

    async def follow_plan(self, plan: DesiredState) -> None:
        """Accounts and bots come and go as the plan says. A person's switch is of prices alone: without them no bot decides, but
        all do as they are told."""
        if not plan.stream.wanted:
            self.wanted.set((), ("1m",))
        for post in plan.posts:  # a person's word needs no venue that answers
            self.roster.follow(post)
        if self.worker.warm:
            if await self.roster.take_in(plan.posts):
                gc.freeze()  # bots live long: the collector need not walk through all of them, which holds up every tick
            await self.follow_accounts(plan)
        await self.learn_rules(())
        if plan.stream.wanted:
            self.want(plan)

    async def follow_accounts(self, plan: DesiredState) -> None:
        """A key that has been refused, taken away or replaced is let go at once: nothing more is sent or asked with it. What rests
        at the venue stays there."""
        for account_id, desk in list(self.accounts.items()):
            if plan.keys.get(account_id) != key_of(desk.wallet):
                self.refusals[account_id] = f"{desk.wallet.name} cannot be used: its key was refused or taken away."
                logger.warning("the key of %s is not used any more", desk.wallet.name)
                await self.accounts.pop(account_id).stop()
        for wallet in plan.wallets:
            account_id = wallet.account_id or 0
            if account_id not in self.accounts and time.monotonic() >= self.shut_until.get(plan.keys[account_id], 0.0):
                await self.open_account(wallet, plan.keys[account_id])

    async def open_account(self, wallet: Wallet, key: str) -> None:
        """One that cannot be used is tried again later, and is no trouble to the others at this venue."""
        account_id = wallet.account_id or 0
        try:
            self.accounts[account_id] = await self.introduced(wallet)
        except (ExchangeError, DomainError, OSError) as error:
            # Where a person must act, asking again soon is of no use, and venues ban who asks with a wrong key.
            wait = SHUT_SECONDS if isinstance(error, Refused | DomainError) else AGAIN_SECONDS
            self.shut_until[key] = time.monotonic() + wait
            if self.refusals.get(account_id) != (message := f"{wallet.name} cannot be used: {error}"):
                self.refusals[account_id] = message
                logger.warning("%s", message)
                if wait == SHUT_SECONDS:
                    await self.worker.in_thread(account_alert, wallet.account, message)
        else:
            self.refusals.pop(account_id, None)
            self.accounts[account_id].start()

    async def introduced(self, wallet: Wallet) -> AccountDesk:
        endpoint = await self.worker.in_thread(endpoint_of, wallet)
        exchange = self.worker.connect(endpoint)
        try:
            await exchange.connect()
            balances = AccountBalances(self.worker.account_cache(endpoint, exchange))
            executor = Executor(exchange, lambda: self.worker.lease(self.stream_id), self.worker.in_thread, balances.hear_fills)
            clock = VenueClock(exchange, self.key, wallet.name, self.worker.in_thread)
            desk = AccountDesk(self, wallet, exchange, executor, balances, clock)
            await desk.introduce()
        except BaseException:
            await exchange.close()
            raise
        return desk

    def external_symbols(self, wallet_id: int) -> set[str]:
        """Of the bots of a wallet."""
        mine = (runtime for runtime in self.roster.runtimes.values() if runtime.holding.bot.wallet_id == wallet_id)
        return {symbol for runtime in mine for symbol in runtime.symbols}

    def want(self, plan: DesiredState) -> None:
        """Tells the feed what is needed; it starts and stops streams by that."""
        symbols = self.roster.symbols() | set(plan.watch)
        intervals = sorted({"1m"} | self.roster.intervals())
        if symbols != set(self.wanted.symbols) or intervals != sorted(self.wanted.intervals):
            closed = {
                market: from_ms(history.last) for market, history in self.roster.histories.items() if history.last is not None
            }
            self.wanted.set(symbols, intervals, depth=True, closed=closed)

    # What the feed hears.

    def hear(self, event: MarketEvent) -> None:
        if isinstance(event, Tick):
            self.hear_tick(event)
        elif isinstance(event, Candle):
            self.hear_candle(event)
        elif isinstance(event, Depth):
            self.books[event.symbol] = event

    def hear_tick(self, tick: Tick) -> None:
        began = time.perf_counter()
        self.prices[tick.symbol] = (tick.price, time.monotonic())
        self.fresh[tick.symbol] = tick
        self.ticks.inc()
        price = float(tick.price)
        for runtime in self.roster.levels.hit(tick.symbol, price):
            if tick.symbol not in runtime.touching:
                runtime.touching.add(tick.symbol)
                runtime.submit(Touch(runtime, tick.received, tick.symbol, price, to_ms(tick.time)), urgent=True)
        metrics.tick_seconds.observe(time.perf_counter() - began)

    def hear_candle(self, candle: Candle) -> None:
        market = (candle.symbol, candle.interval)
        self.growing[market] = candle
        time_ms = to_ms(candle.time)
        if candle.closed:
            self.close_candle(market, time_ms, candle)
        elif self.opened.get(market, -1) < time_ms:
            self.opened[market] = time_ms
            opens = {candle.symbol: float(candle.open)}
            for runtime in self.roster.by_market.get(market, ()):
                if runtime.holding.external or runtime.holding.trader.working():
                    runtime.submit(Open(runtime, candle.received, time_ms, opens))

    def close_candle(self, market: tuple[str, str], time_ms: int, candle: Candle) -> None:
        history = self.roster.histories.get(market)
        values = OHLCV(float(candle.open), float(candle.high), float(candle.low), float(candle.close), float(candle.volume))
        if history is None or not history.append(time_ms, values):
            return
        self.recorder.add(candle)
        for runtime in self.roster.by_market.get(market, ()):
            runtime.submit(Close(runtime, candle.received))

    # What runtimes ask and tell (from their threads).

    def price(self, symbol: str) -> tuple[Decimal, float] | None:
        known = self.prices.get(symbol)
        return (known[0], time.monotonic() - known[1]) if known else None

    def history(self, symbol: str, interval: str) -> History:
        return self.roster.histories[(symbol, interval)]

    def begun(self, symbol: str, interval: str) -> int | None:
        """Open time of the candle that grows now."""
        return self.opened.get((symbol, interval))

    def now_ms(self) -> int:
        return int(self.worker.clock() * 1000)

    def ready(self, runtime: BotRunner) -> str:
        """Why this bot may not decide at present; empty: it may."""
        if self.state not in ("live", "polling"):
            return f"no prices: the stream of {self.key} is {self.state}"
        if runtime.holding.external:
            account_id = runtime.holding.bot.wallet.account_id or 0
            desk = self.accounts.get(account_id)
            if desk is None or not desk.ready:
                return self.refusals.get(account_id) or "recovering: the account's orders are being compared with the venue's"
        return ""

    def fault(self) -> str:
        """What does not work beside the prices, for a person; empty: nothing."""
        return self.recorder.fault or next((desk.fault for desk in self.accounts.values() if desk.fault), "")

    def balances(self, runtime: BotRunner) -> Mapping[str, Balance] | None:
        """What its account has at the venue."""
        desk = self.desk_of(runtime)
        return desk.balances.known() if desk else None

    def desk_of(self, runtime: BotRunner) -> AccountDesk | None:
        return self.accounts.get(runtime.holding.bot.wallet.account_id or 0)

    def lease(self, runtime: BotRunner) -> Lease | None:
        """Where its orders can be sent at once."""
        desk = self.desk_of(runtime)
        return desk.executor.lease() if desk else None

    def run_job(self, drain: Callable[[], None], *, urgent: bool) -> None:
        (self.worker.urgent if urgent else self.worker.routine).submit(drain)

    def written(self, runtime: BotRunner, written: StepEffects) -> None:
        """In the runtime's thread: orders leave for the venue."""
        if written.send or written.cancel:
            requests = self.claim(runtime, written.send)
            self.worker.loop.call_soon_threadsafe(self.dispatch, runtime, written, requests, runtime.received)
        if runtime.holding.external and (levels := runtime.holding.trader.levels()) != runtime.levels:
            runtime.levels = levels
            self.levels_changed(runtime, levels)

    def claim(self, runtime: BotRunner, orders: Sequence[Order]) -> list[OrderRequest | None]:
        """Most were claimed as they were written; the others here, and not by way of the loop to another thread. What cannot be
        claimed now is left to the sweeper."""
        desk = self.desk_of(runtime)
        try:
            return [desk.executor.claim(order) if desk else None for order in orders]
        except DatabaseError as error:
            logger.warning("orders of %s are sent later: %s", runtime.holding.bot.name, type(error).__name__)
            connection.close()
            return []

    def dispatch(self, runtime: BotRunner, written: StepEffects, requests: Sequence[OrderRequest | None], received: float) -> None:
        desk = self.desk_of(runtime)
        if desk is None:
            return  # the sweeper sends them once the account is there
        for order, request in zip(written.send, requests, strict=False):
            if request is not None:
                self.worker.spawn(desk.executor.deliver(runtime, order, request, received))
        for order in written.send:
            desk.balances.set_aside(order)
        for order in written.cancel:
            self.worker.spawn(desk.executor.cancel(runtime, order))

    def levels_changed(self, runtime: BotRunner, levels: list[PriceLevel]) -> None:
        self.worker.loop.call_soon_threadsafe(self.roster.levels.put, runtime, levels)

    def gone(self, runtime: BotRunner) -> None:
        self.worker.loop.call_soon_threadsafe(self.roster.remove, runtime)

    # Bots come and go.

    async def learn_rules(self, symbols: Iterable[str]) -> None:
        """What the venue lists, and by what rules; again every few minutes, since both change."""
        if set(symbols) <= self.listed and time.monotonic() - self.learned_at < LEARN_EVERY:
            return
        listed = await self.exchange.instruments()
        await self.worker.in_thread(note_instruments, self.key, listed)
        self.listed = frozenset(one.symbol for one in listed)
        self.tradable = frozenset(one.symbol for one in listed if one.trading)
        self.learned_at = time.monotonic()
        for runtime in self.roster.all():
            runtime.submit(runtime.learn)

    async def hear_user(self, account_id: int, report: Report) -> None:
        runtime = await self.roster.owner(report.client_order_id)
        if runtime is not None:
            await self.accounts[account_id].executor.overhear(runtime, report)


@dataclass(frozen=True, slots=True)
class Touch:
    runtime: BotRunner
    received: float
    symbol: str
    price: float
    time_ms: int

    def __call__(self) -> StepEffects | None:
        self.runtime.received = self.received
        return self.runtime.touch(self.symbol, self.price, self.time_ms)


@dataclass(frozen=True, slots=True)
class Open:
    runtime: BotRunner
    received: float
    time_ms: int
    opens: dict[str, float]

    def __call__(self) -> StepEffects | None:
        self.runtime.received = self.received
        return self.runtime.open(self.time_ms, self.opens)


@dataclass(frozen=True, slots=True)
class Close:
    runtime: BotRunner
    received: float

    def __call__(self) -> StepEffects | None:
        self.runtime.received = self.received
        return self.runtime.catch_up()


def note_instruments(key: str, listed: Iterable[InstrumentRules]) -> None:
    instruments_note(key=key, listed=listed)
