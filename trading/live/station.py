"""One venue in a stream worker: its feed, its accounts, and the bots that trade there, held under a lease.

Ticks are compared with all levels at once on the loop; whatever follows is a job of one bot, done in the worker's pool.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from prometheus_client import Counter

from market.exchanges.base import Balance, Candle, Depth, Exchange, InstrumentRules, MarketEvent, OrderRequest, Report, Tick
from market.feed import Wanted, run_feed
from market.services import instruments_note
from market.times import from_ms, to_ms
from market.venues import venue_key
from trading import metrics
from trading.engine.live import OHLCV, Level
from trading.live.account import AccountDesk
from trading.live.balances import AccountBalances
from trading.live.clock import VenueClock
from trading.live.executor import Executor
from trading.live.history import Decisions, History
from trading.live.levels import Levels
from trading.live.plan import Plan, endpoint_of, public_endpoint
from trading.live.recorder import Recorder, history_load
from trading.live.reporter import Reporter
from trading.live.runtime import Runtime
from trading.models import OPEN, Bot, Order
from trading.models import Wanted as Want
from trading.services.orders import orders_cancel_note
from trading.services.runs import run_end, run_rules_take
from trading.services.steps import Written

if TYPE_CHECKING:
    from trading.live.worker import StreamWorker

logger = logging.getLogger(__name__)

LEARN_EVERY = 300.0


@dataclass(slots=True)
class Station:
    worker: StreamWorker
    stream_id: int
    venue: str
    environment: str
    exchange: Exchange
    """Without a key of its own: prices only."""
    decisions: Decisions = field(default_factory=Decisions)
    levels: Levels[Runtime] = field(default_factory=Levels)
    runtimes: dict[int, Runtime] = field(default_factory=dict)
    by_run: dict[str, Runtime] = field(default_factory=dict)
    held: dict[int, asyncio.Future[Runtime]] = field(default_factory=dict)
    by_market: dict[tuple[str, str], list[Runtime]] = field(default_factory=lambda: defaultdict(list))
    histories: dict[tuple[str, str], History] = field(default_factory=dict)
    accounts: dict[int, AccountDesk] = field(default_factory=dict)
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
    wanted: Wanted = field(default_factory=Wanted)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    ticks: Counter = field(init=False)
    recorder: Recorder = field(init=False)
    reporter: Reporter = field(init=False)

    def __post_init__(self) -> None:
        self.ticks = metrics.ticks.labels(self.key)
        self.recorder = Recorder(self.key)
        self.reporter = Reporter(self)

    @property
    def key(self) -> str:
        return venue_key(self.venue, self.environment)

    # Its life.

    @classmethod
    async def open(cls, worker: StreamWorker, stream_id: int, plan: Plan) -> Station:
        """Connects to the venue for prices; the addresses are those of an account there, or the venue's own."""
        exchange = worker.connect(await worker.in_thread(public_endpoint, plan))
        await exchange.connect()
        station = cls(worker, stream_id, plan.stream.venue, plan.stream.environment, exchange)
        station.tasks = [asyncio.create_task(station.feed()), asyncio.create_task(station.tend())]
        return station

    async def close(self) -> None:
        self.stopped = True
        for runtime in list(self.runtimes.values()):
            self.remove(runtime)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for desk in self.accounts.values():
            await desk.stop()
        await self.worker.in_thread(self.recorder.flush)
        await self.exchange.close()

    async def feed(self) -> None:
        clock, timing = self.worker.clock, self.worker.timing
        await run_feed(self.exchange, self.wanted, self.handle, on_status=self.reporter.hear, clock=clock, timing=timing)

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
            for runtime in list(self.runtimes.values()):
                runtime.interrupt(settings.STRATEGY_SECONDS)
                if runtime.holding.external and runtime.holding.opened != self.begun(runtime.symbols[0], runtime.interval):
                    runtime.submit(runtime.act_now)

    async def follow_plan(self, plan: Plan) -> None:
        """Accounts and bots come and go as the plan says."""
        if not plan.stream.wanted:
            self.wanted.set((), ("1m",))
            return
        if self.worker.warm:
            new = [bot for bot in plan.bots if bot.pk not in self.runtimes]
            for bot in new:
                await self.add(bot)
            if new:
                gc.freeze()  # bots live long: the collector need not walk through all of them, which holds up every tick
            await self.follow_accounts(plan)
        await self.learn_rules(())
        for bot in plan.bots:
            if bot.pk in self.runtimes:
                self.follow(bot)
        self.want(plan)

    async def follow_accounts(self, plan: Plan) -> None:
        for wallet in plan.wallets:
            account_id = wallet.account_id or 0
            if account_id not in self.accounts:
                endpoint = await self.worker.in_thread(endpoint_of, wallet)
                exchange = self.worker.connect(endpoint)
                await exchange.connect()
                balances = AccountBalances(self.worker.account_cache(endpoint, exchange))
                executor = Executor(exchange, lambda: self.worker.lease(self.stream_id), self.worker.in_thread, balances.hear_fills)
                clock = VenueClock(exchange, self.key, wallet.name, self.worker.in_thread)
                desk = AccountDesk(self, wallet, exchange, executor, balances, clock)
                if refusal := await desk.introduce():
                    logger.error("%s: %s", wallet.name, refusal)
                    await exchange.close()
                    continue
                self.accounts[account_id] = desk
                desk.start()

    def external_symbols(self, wallet_id: int) -> set[str]:
        """Of the bots of a wallet."""
        mine = (runtime for runtime in self.runtimes.values() if runtime.holding.bot.wallet_id == wallet_id)
        return {symbol for runtime in mine for symbol in runtime.symbols}

    def want(self, plan: Plan) -> None:
        """Tells the feed what is needed; it starts and stops streams by that."""
        symbols = {symbol for runtime in self.runtimes.values() for symbol in runtime.symbols} | set(plan.watch)
        intervals = sorted({"1m"} | {runtime.interval for runtime in self.runtimes.values()})
        if symbols != set(self.wanted.symbols) or intervals != sorted(self.wanted.intervals):
            closed = {market: from_ms(history.last) for market, history in self.histories.items() if history.last is not None}
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
        for runtime in self.levels.hit(tick.symbol, price):
            if tick.symbol not in runtime.touching:
                runtime.touching.add(tick.symbol)
                runtime.submit(Touch(runtime, tick.received, tick.symbol, price, to_ms(tick.time)))
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
            for runtime in self.by_market.get(market, ()):
                if runtime.holding.external or runtime.holding.trader.working():
                    runtime.submit(Open(runtime, candle.received, time_ms, opens))

    def close_candle(self, market: tuple[str, str], time_ms: int, candle: Candle) -> None:
        history = self.histories.get(market)
        values = OHLCV(float(candle.open), float(candle.high), float(candle.low), float(candle.close), float(candle.volume))
        if history is None or not history.append(time_ms, values):
            return
        self.recorder.add(candle)
        for runtime in self.by_market.get(market, ()):
            runtime.submit(Close(runtime, candle.received))

    # What runtimes ask and tell (from their threads).

    def price(self, symbol: str) -> tuple[Decimal, float] | None:
        known = self.prices.get(symbol)
        return (known[0], time.monotonic() - known[1]) if known else None

    def history(self, symbol: str, interval: str) -> History:
        return self.histories[(symbol, interval)]

    def begun(self, symbol: str, interval: str) -> int | None:
        """Open time of the candle that grows now."""
        return self.opened.get((symbol, interval))

    def now_ms(self) -> int:
        return int(self.worker.clock() * 1000)

    def ready(self, runtime: Runtime) -> str:
        """Why this bot may not decide at present; empty: it may."""
        if self.state not in ("live", "polling"):
            return f"no prices: the stream of {self.key} is {self.state}"
        if runtime.holding.external:
            desk = self.accounts.get(runtime.holding.bot.wallet.account_id or 0)
            if desk is None or not desk.ready:
                return "recovering: the account's orders are being compared with the venue's"
        return ""

    def balances(self, runtime: Runtime) -> Mapping[str, Balance] | None:
        """What its account has at the venue."""
        desk = self.accounts.get(runtime.holding.bot.wallet.account_id or 0)
        return desk.balances.known() if desk else None

    def run_job(self, drain: Callable[[], None]) -> None:
        self.worker.pool.submit(drain)

    def written(self, runtime: Runtime, written: Written) -> None:
        """In the runtime's thread: orders leave for the venue."""
        if written.send or written.cancel:
            requests = self.claim(runtime, written.send)
            self.worker.loop.call_soon_threadsafe(self.dispatch, runtime, written, requests, runtime.received)
        if runtime.holding.external and (levels := runtime.holding.trader.levels()) != runtime.levels:
            runtime.levels = levels
            self.levels_changed(runtime, levels)

    def claim(self, runtime: Runtime, orders: Sequence[Order]) -> list[OrderRequest | None]:
        """Here, and not by way of the loop to another thread: the orders are on their way already. What cannot be claimed now is
        left to the sweeper."""
        desk = self.accounts.get(runtime.holding.bot.wallet.account_id or 0)
        try:
            return [desk.executor.claim(order) if desk else None for order in orders]
        except DatabaseError as error:
            logger.warning("orders of %s are sent later: %s", runtime.holding.bot.name, type(error).__name__)
            connection.close()
            return []

    def dispatch(self, runtime: Runtime, written: Written, requests: Sequence[OrderRequest | None], received: float) -> None:
        desk = self.accounts.get(runtime.holding.bot.wallet.account_id or 0)
        if desk is None:
            return  # the sweeper sends them once the account is there
        for order, request in zip(written.send, requests, strict=False):
            if request is not None:
                self.worker.spawn(desk.executor.deliver(runtime, order, request, received))
        for order in written.send:
            desk.balances.set_aside(order)
        for order in written.cancel:
            self.worker.spawn(desk.executor.cancel(runtime, order))

    def levels_changed(self, runtime: Runtime, levels: list[Level]) -> None:
        self.worker.loop.call_soon_threadsafe(self.levels.put, runtime, levels)

    def gone(self, runtime: Runtime) -> None:
        self.worker.loop.call_soon_threadsafe(self.remove, runtime)

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
        for runtime in self.runtimes.values():
            runtime.submit(runtime.learn)

    async def add(self, bot: Bot) -> None:
        """Holds a bot: its candles are fetched, its memory loaded, and what it waits for watched."""
        await self.learn_rules(bot.symbol_list)
        assert bot.run
        await self.worker.in_thread(run_rules_take, bot.run, bot.venue)
        runtime = await self.hold(bot.pk, bot.run.pk)
        for symbol in runtime.symbols:
            await self.ensure_history(symbol, runtime)
        if runtime.holding.time is None:
            # On paper it decides from the first candle on that closes after its start; at a venue, the last close is still worth
            # acting on.
            last = max(history.last or 0 for history in self.mine(runtime))
            runtime.holding.time = last - runtime.holding.config_step() if runtime.holding.external else last
        self.runtimes[bot.pk] = self.by_run[runtime.holding.run.run_id] = runtime
        for symbol in runtime.symbols:
            self.by_market[(symbol, runtime.interval)].append(runtime)
        if runtime.holding.external:
            runtime.levels = runtime.holding.trader.levels()
            self.levels.put(runtime, runtime.levels)
        runtime.submit(runtime.catch_up)

    def mine(self, runtime: Runtime) -> Iterable[History]:
        return (self.histories[(symbol, runtime.interval)] for symbol in runtime.symbols)

    async def ensure_history(self, symbol: str, runtime: Runtime) -> None:
        market = (symbol, runtime.interval)
        since = runtime.history_since(self.now_ms())
        history = self.histories.get(market)
        if history is not None and len(history) and history.time[0] <= since:
            return
        await self.worker.in_thread(self.recorder.flush)
        until = from_ms(self.now_ms())
        load = history_load(self.exchange, self.key, symbol, runtime.interval, since, until, self.worker.in_thread)
        self.histories[market] = await load

    def remove(self, runtime: Runtime) -> None:
        if self.runtimes.pop(runtime.bot_id, None) is None:
            return
        runtime.ended = True
        self.by_run.pop(runtime.holding.run.run_id, None)
        self.held.pop(runtime.bot_id, None)
        self.levels.put(runtime, [])
        for symbol in runtime.symbols:
            self.by_market[(symbol, runtime.interval)].remove(runtime)

    def follow(self, bot: Bot) -> None:
        """Makes the runtime do what a person wants of the bot."""
        runtime = self.runtimes[bot.pk]
        trader = runtime.holding.trader
        if bot.wanted == Want.PAUSED and trader.entries_allowed:
            runtime.submit(runtime.pause)
        elif bot.wanted == Want.RUNNING and not trader.entries_allowed:
            runtime.submit(runtime.resume)
        elif bot.wanted == Want.CLOSING:
            runtime.submit(lambda: self.wind_up(runtime, sell=True))
        elif bot.wanted == Want.STOPPED:
            runtime.submit(lambda: self.wind_up(runtime, sell=False))

    def wind_up(self, runtime: Runtime, *, sell: bool) -> Written | None:
        """Called again and again until nothing is open: then the run ends."""
        holding = runtime.holding
        prices = {symbol: float(price[0]) for symbol in runtime.symbols if (price := self.price(symbol))}
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

    async def hear_user(self, account_id: int, report: Report) -> None:
        runtime = await self.owner(report.client_order_id)
        if runtime is not None:
            await self.accounts[account_id].executor.hear(runtime, report)

    async def owner(self, client_order_id: str) -> Runtime | None:
        """The runtime of the bot whose order this is; loaded for the occasion where it does not run."""
        if runtime := self.by_run.get(client_order_id.removeprefix("qd-").partition("-")[0]):
            return runtime
        bot_id = await self.worker.in_thread(bot_of, client_order_id)
        if bot_id is None:
            return None
        return self.runtimes.get(bot_id) or await self.hold(bot_id)

    async def hold(self, bot_id: int, run_id: int | None = None) -> Runtime:
        """The one runtime of a bot in this worker, loaded where there is none (of this run): two would write over each other."""
        loading = self.held.get(bot_id)
        if loading is not None:
            runtime = await asyncio.shield(loading)
            if not runtime.ended and run_id in (None, runtime.holding.run.pk):
                return runtime
        if self.held.get(bot_id) is loading:
            self.held[bot_id] = asyncio.ensure_future(self.worker.in_thread(Runtime, bot_id, self))
            self.held[bot_id].add_done_callback(lambda task: self.forget(bot_id, task))
        return await asyncio.shield(self.held[bot_id])

    def forget(self, bot_id: int, task: asyncio.Future[Runtime]) -> None:
        """A load that failed is tried anew by the next who asks."""
        if (task.cancelled() or task.exception()) and self.held.get(bot_id) is task:
            del self.held[bot_id]


def has_to_sell(runtime: Runtime, prices: Mapping[str, float]) -> bool:
    """Whether it holds more than crumbs, which no venue takes: fees in base leave parts of a lot behind."""
    for symbol, quantity in runtime.holding.trader.positions().items():
        rules = runtime.holding.instruments[symbol]
        worth = quantity * prices.get(symbol, float("inf"))
        if quantity > 0 and quantity >= float(rules.lot_size or 0) and worth >= float(rules.min_notional or 0):
            return True
    return False


def sells_on_their_way(runtime: Runtime) -> bool:
    """Market orders: a take-profit that rests is none."""
    return any(order.side == "sell" and order.type == "market" for order in runtime.holding.trader.working())


def bot_of(client_order_id: str) -> int | None:
    return Order.objects.filter(client_order_id=client_order_id).values_list("bot_id", flat=True).first()


@dataclass(frozen=True, slots=True)
class Touch:
    runtime: Runtime
    received: float
    symbol: str
    price: float
    time_ms: int

    def __call__(self) -> Written | None:
        self.runtime.received = self.received
        return self.runtime.touch(self.symbol, self.price, self.time_ms)


@dataclass(frozen=True, slots=True)
class Open:
    runtime: Runtime
    received: float
    time_ms: int
    opens: dict[str, float]

    def __call__(self) -> Written | None:
        self.runtime.received = self.received
        return self.runtime.open(self.time_ms, self.opens)


@dataclass(frozen=True, slots=True)
class Close:
    runtime: Runtime
    received: float

    def __call__(self) -> Written | None:
        self.runtime.received = self.received
        return self.runtime.catch_up()


def note_instruments(key: str, listed: Iterable[InstrumentRules]) -> None:
    instruments_note(key=key, listed=listed)
