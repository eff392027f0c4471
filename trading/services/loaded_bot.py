"""A bot as one worker holds it: its rows and its engine memory, loaded together and written together."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Any

from django.db import DatabaseError
from django.db.models import F, Sum

from core.batch import Batch
from core.errors import Conflict, DomainError, Invalid, Unreadable
from engine.live import Trader
from engine.risk import Moment, RiskLimits
from engine.strategies import registry
from engine.transitions import advance_status
from engine.types import INTERVALS
from market.exchanges.base import Balance, Report
from market.models import Instrument
from trading.models import OPEN, Bot, BotRun, BotState, Fill, Mode, Order, Position, RiskAllocation
from trading.services.budgets import budgets_ensure, budgets_known
from trading.setup.config import RunConfig, parse, read
from trading.setup.limits import Schedule, parse_limits, parse_schedule

NONE = Decimal(0)
HEARD_KEPT = 64
ALMOST = Decimal("1e-9")
"""Of a tick: as the engine rounds."""
EXTERNAL = (Mode.TESTNET, Mode.LIVE)
"""Modes whose orders a venue executes. In the others the engine does, by the rules of the backtest."""


LEASED = """
SELECT 1 FROM market_venuestream
WHERE id = %s::bigint AND holder = %s::text AND token = %s::bigint AND held_until > %s::timestamptz
"""


class StaleBot(Conflict):
    """Somebody else has written this bot's state: what is in memory here counts for nothing."""


class Overtaken(DatabaseError):
    """A row is not what it was when this was concluded from it: nothing was written, and it is to be tried again from the rows."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What lets a stream worker send: its hold on a venue's stream. An older token's word counts for nothing."""

    stream_id: int
    holder: str
    token: int

    def values(self, now: datetime) -> list[Any]:
        """For `LEASED`."""
        return [self.stream_id, self.holder, self.token, now]


@dataclass(frozen=True, slots=True)
class MarketNow:
    """What is known of the market when something is decided. `prices`: last price and its age in seconds, by symbol."""

    time: datetime
    prices: Mapping[str, tuple[Decimal, float]]
    trigger_id: str
    entries_allowed: bool = True
    tradable: frozenset[str] | None = None
    received: float = 0.0
    """`time.perf_counter()` of the frame that it came in with."""
    balances: Mapping[str, Balance] | None = None
    """What the account at the venue has, by asset; None: not known, or there is none."""
    lease: Lease | None = None
    """Of who will send the orders at once."""


@dataclass(frozen=True, slots=True)
class HeardReports:
    """An order as the venue's reports have left it."""

    status: str
    quantity: Decimal
    filled: Decimal
    venue_order_id: str

    def is_news(self, report: Report) -> bool:
        if report.filled > self.filled or (report.venue_order_id and not self.venue_order_id):
            return True
        return advance_status(self.status, report.status, complete=self.filled >= self.quantity) != self.status


@dataclass(slots=True)
class LoadedBot:
    bot: Bot
    run: BotRun
    config: RunConfig
    limits: RiskLimits
    schedule: Schedule
    budgets: Sequence[int]
    positions: dict[str, Position]
    instruments: Mapping[str, Instrument]
    trader: Trader
    version: int = 0
    time: int | None = None
    opened: int | None = None
    orders: dict[int, int] = field(default_factory=dict)
    """Open orders: the engine's number -> primary key."""
    recent: deque[datetime] = field(default_factory=deque)
    """When the last orders were decided, for the order rate."""
    unreadable: str = ""
    """Why its memory, or its configuration, cannot be read. Such a bot decides nothing; what a venue still says of its orders goes
    into the books."""
    heard: dict[str, HeardReports] = field(default_factory=dict)
    """The newest orders by our id: a report comes as an answer and by the user stream, and again after each gap."""

    @property
    def external(self) -> bool:
        return self.bot.mode in EXTERNAL

    @property
    def account(self) -> str:
        """Where trade ids count."""
        return f"account:{self.bot.wallet.account_id}" if self.external else f"run:{self.run.run_id}"

    def learn(self, instruments: Mapping[str, Instrument]) -> None:
        """The venue's rules as they are now."""
        self.instruments = instruments
        self.trader.rest_stops(stops_taken(instruments))

    def config_step(self) -> int:
        """The interval in milliseconds."""
        return INTERVALS[self.config.interval]

    def exact(self, symbol: str, quantity: float) -> Decimal:
        """A quantity of the engine's as the venue wants it: the multiple of the lot size that it stands for."""
        value = Decimal(repr(float(quantity)))
        lot: Decimal | None = self.instruments[symbol].lot_size
        # The engine has rounded down already; what is left of a float's noise is rounded to the nearest.
        return (value / lot).to_integral_value(ROUND_HALF_EVEN) * lot if lot else Decimal(value.quantize(Decimal(1).scaleb(-18)))

    def price(self, symbol: str, side: str, value: float | None, *, stop: bool = False) -> Decimal | None:
        """A price of the engine's as the venue wants it: on its tick, limits rounded for us (buys down, sells up), stops against
        us. The engine's own executions need no tick."""
        if value is None:
            return None
        exact, tick = Decimal(repr(float(value))), self.instruments[symbol].tick_size
        if not self.external or not tick:
            return exact
        up = (side == "sell") != stop
        steps = exact / tick
        nearest = steps.to_integral_value(ROUND_HALF_EVEN)
        if abs(steps - nearest) > ALMOST:
            nearest = steps.to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
        return Decimal(nearest * tick)

    def moment(self, symbol: str, market: MarketNow, killed: bool) -> Moment:
        price, age = market.prices.get(symbol, (None, None))
        while self.recent and self.recent[0] < market.time - timedelta(minutes=1):
            self.recent.popleft()
        return Moment(
            last_price=price,
            price_age=age,
            killed=killed,
            entries_allowed=market.entries_allowed and self.schedule.allows(market.time),
            tradable=market.tradable is None or symbol in market.tradable,
            open_orders=len(self.orders),
            orders_last_minute=len(self.recent),
            loss_today=self.loss_today(market.time) if self.limits.daily_loss is not None else Decimal(0),
            exposure=self.exposure(symbol) if self.limits.symbol_exposure is not None else Decimal(0),
            min_notional=self.instruments[symbol].min_notional,
            **self.at_venue(symbol, market),
        )

    def at_venue(self, symbol: str, market: MarketNow) -> dict[str, Any]:
        """What the account has for an order; nothing of it where the engine executes orders itself."""
        if not self.external:
            return {}
        if market.balances is None:
            return {"at_venue": True}
        base, quote = (market.balances.get(asset, Balance(asset, NONE, NONE)) for asset in symbol.split("-"))
        return {"at_venue": True, "free_quote": quote.free, "base_owned": base.free + base.held}

    def loss_today(self, now: datetime) -> Decimal:
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        profit = Fill.objects.filter(bot=self.bot, ts__gte=midnight).aggregate(total=Sum("profit"))["total"]
        return -(profit or Decimal(0))

    def exposure(self, symbol: str) -> Decimal:
        claims = RiskAllocation.objects.filter(bot=self.bot, order__symbol=symbol, closed_at=None)
        return Decimal(self.positions[symbol].cost + (claims.aggregate(total=Sum("open"))["total"] or 0))

    def note_heard(self, order: Order) -> None:
        self.heard[order.client_order_id] = HeardReports(
            str(order.status), order.quantity, order.filled_quantity, order.venue_order_id
        )
        while len(self.heard) > HEARD_KEPT:
            del self.heard[next(iter(self.heard))]

    def is_news(self, report: Report) -> bool:
        """Whether a report may say what the rows do not. From any thread."""
        heard = self.heard.get(report.client_order_id)
        return heard is None or heard.is_news(report)

    def filled(self, client_order_id: str) -> Decimal:
        """As far as is known without asking."""
        heard = self.heard.get(client_order_id)
        return heard.filled if heard else NONE

    def add_state(self, batch: Batch) -> None:
        """Compare and set. Part of the statement that writes what the new state follows from; the caller counts the version. What
        could not be read is left as it is."""
        if self.unreadable:
            return
        state = BotState(pk=self.bot.pk, version=self.version + 1, time=self.time, opened=self.opened, book=self.trader.dump())
        batch.update(state, "version", "time", "opened", "book", version=self.version)

    def save_state(self) -> None:
        batch = Batch()
        self.add_state(batch)
        if batch.run() is not None:
            raise StaleBot(f"Another worker trades for {self.bot.name}.")
        self.version += 1


def bot_load(bot_id: int, *, unreadable: bool = False) -> LoadedBot:
    """The bot with its present run, as it was last written. Raises what it cannot be loaded for. `unreadable`: one that is had for
    its books alone will do."""
    found = bots_load([bot_id])[bot_id]
    if isinstance(found, DomainError):
        raise found
    if found.unreadable and not unreadable:
        raise Unreadable(found.unreadable)
    return found


def bots_load(bot_ids: Iterable[int]) -> dict[int, LoadedBot | DomainError]:
    """Many bots by their primary keys, in as many statements as one; or why one cannot be loaded. One that cannot go on, since its
    memory or its configuration cannot be read, is loaded and says so: its orders are still to be settled."""
    bots = Bot.objects.select_related("wallet__account", "run").in_bulk(list(bot_ids))
    rows = BotRows(bots)
    return {bot_id: loaded(bot, rows) for bot_id, bot in bots.items()}


class BotRows:
    """What belongs to some bots, by the bot's primary key."""

    def __init__(self, bots: Mapping[int, Bot]) -> None:
        ids = list(bots)
        self.states = BotState.objects.in_bulk(ids)
        self.budgets = budgets_known(bots.values())
        self.positions: dict[int, dict[str, Position]] = defaultdict(dict)
        for position in Position.objects.filter(bot__in=ids):
            self.positions[position.bot_id][position.symbol] = position
        self.orders: dict[int, dict[int, int]] = defaultdict(dict)
        open_now = Order.objects.filter(bot__in=ids, run=F("bot__run"), status__in=OPEN)
        for bot_id, number, order_id in open_now.values_list("bot_id", "number", "pk"):
            self.orders[bot_id][number] = order_id
        symbols = {(bot.venue, symbol) for bot in bots.values() for symbol in bot.symbol_list}
        named = {"venue__in": {venue for venue, _ in symbols}, "symbol__in": {symbol for _, symbol in symbols}}
        self.instruments = {(one.venue, one.symbol): one for one in Instrument.objects.filter(**named)}


def loaded(bot: Bot, rows: BotRows) -> LoadedBot | DomainError:
    if bot.run is None:
        return Conflict(f"{bot.name} has no run.")
    try:
        (config, unreadable), limits = configured(bot.run), parse_limits(bot.run.limits)
        state = rows.states[bot.pk]
        known = {symbol: one for symbol in config.symbols if (one := rows.instruments.get((bot.venue, symbol)))}
        trader = trader_of(
            config, external=bot.mode in EXTERNAL, venue_stops=stops_taken(known), position="single" if unreadable else ""
        )
        unreadable = unreadable or load(trader, bytes(state.book))
        quote = config.symbols[0].split("-")[1]
        budgets = rows.budgets.get(bot.pk, quote, limits) or budgets_ensure(bot, limits, quote)
        schedule = parse_schedule(bot.schedule)
    except DomainError as error:
        return error
    return LoadedBot(
        bot=bot,
        run=bot.run,
        config=config,
        limits=limits.checks,
        schedule=schedule,
        budgets=budgets,
        positions=positions_of(bot, config.symbols, rows.positions[bot.pk]),
        instruments=known,
        trader=trader,
        version=state.version,
        time=state.time,
        opened=state.opened,
        orders=rows.orders[bot.pk],
        unreadable=unreadable,
    )


def configured(run: BotRun) -> tuple[RunConfig, str]:
    """Its configuration; where that cannot be used any more (its strategy has been taken away), what can be read of it, and why."""
    try:
        return parse(run.config), ""
    except Invalid as error:
        config, form = read(run.config)
        if {"symbols", "interval"} & form.faults.keys():
            raise
        return config, error.in_full()


def load(trader: Trader, book: bytes) -> str:
    """Why the memory cannot be read; empty: it could."""
    try:
        trader.load(book)
    except Unreadable as error:
        return str(error)
    return ""


def instruments_of(venue: str, symbols: Sequence[str]) -> dict[str, Instrument]:
    return {one.symbol: one for one in Instrument.objects.filter(venue=venue, symbol__in=symbols)}


def stops_taken(instruments: Mapping[str, Instrument]) -> list[str]:
    """The symbols whose protective stops can rest at the venue."""
    return [symbol for symbol, one in instruments.items() if one.takes_stops]


def trader_of(config: RunConfig, *, external: bool, venue_stops: Collection[str] = (), position: str = "") -> Trader:
    """`position`: where the strategy, whose it is, cannot be asked."""
    how, step = position or registry.get_strategy(config.strategy).position, INTERVALS[config.interval]
    return Trader(config.account(), config.symbols, step, how, external=external, venue_stops=venue_stops)


def positions_of(bot: Bot, symbols: Sequence[str], rows: dict[str, Position]) -> dict[str, Position]:
    """`rows`, and new ones for symbols without."""
    for symbol in symbols:
        if symbol not in rows:
            rows[symbol] = Position.objects.create(bot=bot, wallet=bot.wallet, venue=bot.venue, symbol=symbol)
    return rows
