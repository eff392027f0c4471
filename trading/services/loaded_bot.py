"""A bot in the memory of one worker: its rows and its trader, loaded together and written together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import DatabaseError
from django.db.models import Sum

from core.batch import WriteBatch
from core.errors import Conflict
from engine.live import Trader
from engine.order_rules import NO_RULES
from engine.risk import Moment, RiskLimits
from engine.types import Rules
from market.exchanges.base import Balance, Report
from market.models import Instrument
from market.size_rules import instrument_rules
from trading.models import Bot, BotRun, BotState, Fill, Position, RiskAllocation
from trading.services.allocations import HeldClaims
from trading.services.fee_valuation import PriceMemory
from trading.services.fills import name_account
from trading.services.heard_reports import HeardReports
from trading.services.lease import Lease
from trading.setup.config import RunConfig
from trading.setup.limits import Schedule

NONE = Decimal(0)


class StaleBot(Conflict):
    """Another worker has written this bot's state, so what is in memory here is out of date."""


class Overtaken(DatabaseError):
    """A row has changed since something was concluded from it. Nothing was written; it is to be tried again from the rows."""


@dataclass(frozen=True, slots=True)
class MarketNow:
    """What is known of the market when something is decided. `prices`: last price in quote, and its age in seconds, by symbol."""

    time: datetime
    prices: Mapping[str, tuple[Decimal, float]]
    trigger_id: str
    entries_allowed: bool = True
    tradable: frozenset[str] | None = None
    """Symbols that the venue trades at present; None: all of them."""
    received: float = 0.0
    """`time.perf_counter()` of the frame that this came in with."""
    find_quote: Callable[[str], tuple[Decimal, float] | None] | None = None
    """The newest bid or close of a symbol, and its age in seconds: for sales where the last trade is old."""
    balances: Mapping[str, Balance] | None = None
    """What the account at the venue has, by asset; None where that is not known, or there is no account."""
    lease: Lease | None = None
    """Of the worker that sends the orders as soon as they are committed."""
    drift: str = ""
    """How the books of the bot's wallet and the venue differ, where that keeps its bots from buying."""
    memory: PriceMemory | None = None
    """Last prices of all that is heard of the venue, for what is not traded here: fees."""


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
    """Why its snapshot, or its configuration, cannot be read. Such a bot decides nothing, but reports on its orders are booked."""
    heard: HeardReports = field(default_factory=HeardReports)
    claims: HeldClaims = field(default_factory=HeldClaims)
    rules: dict[str, Rules] = field(init=False)
    """The venue's, by symbol, as they are now."""

    def __post_init__(self) -> None:
        self.update_instruments(self.instruments)

    @property
    def external(self) -> bool:
        return self.bot.external

    @property
    def account(self) -> str:
        """Where trade ids count."""
        return name_account(self.bot.wallet) if self.external else f"run:{self.run.run_id}"

    @property
    def books_id(self) -> int:
        """The wallet whose ledger its fills go into: a replay's own, else the bot's."""
        return self.run.books_id or self.bot.wallet_id

    def update_instruments(self, instruments: Mapping[str, Instrument]) -> None:
        """Takes the venue's rules as they are now."""
        self.instruments = instruments
        given = dict(zip(self.trader.symbols, self.trader.account.rules, strict=True))
        now = {symbol: instrument_rules(one) for symbol, one in instruments.items()}
        self.rules = given | {symbol: rules for symbol, rules in now.items() if rules != NO_RULES}
        self.trader.rest_stops(stop_symbols(instruments))
        self.trader.take_rules(self.rules)

    def moment(self, symbol: str, market: MarketNow, killed: bool, *, sells: bool = False) -> Moment:
        """What the risk checks look at for an order in `symbol`. Asks the database only for what a limit of this bot needs. Where
        nobody has traded for long, one that `sells` goes by the newest quote or candle."""
        price, age = market.prices.get(symbol, (None, None))
        if sells and market.find_quote and (age is None or age > self.limits.price_age):
            price, age = market.find_quote(symbol) or (price, age)
        while self.recent and self.recent[0] < market.time - timedelta(minutes=1):
            self.recent.popleft()
        return Moment(
            last_price=price,
            price_age=age,
            killed=killed,
            entries_allowed=market.entries_allowed and self.schedule.allows(market.time),
            drift=market.drift,
            tradable=market.tradable is None or symbol in market.tradable,
            open_orders=len(self.orders),
            orders_last_minute=len(self.recent),
            loss_today=self.loss_today(market.time) if self.limits.daily_loss is not None else NONE,
            exposure=self.exposure(symbol) if self.limits.symbol_exposure is not None else NONE,
            # Where the engine executes, it has looked at the run's own rules, as a backtest does.
            rules=self.rules[symbol] if self.external else NO_RULES,
            symbol_orders=self.trader.count_orders(symbol) - 1 if self.external else 0,  # it is one of them already
            **self.venue_funds(symbol, market),
        )

    def venue_funds(self, symbol: str, market: MarketNow) -> dict[str, Any]:
        """Fields of a `Moment`: what the account has for an order. None of them where the engine executes orders itself."""
        if not self.external:
            return {}
        if market.balances is None:
            return {"at_venue": True}
        base, quote = (market.balances.get(asset, Balance(asset, NONE, NONE)) for asset in symbol.split("-"))
        return {"at_venue": True, "free_quote": quote.free, "base_owned": base.free + base.held}

    def loss_today(self, now: datetime) -> Decimal:
        """In quote, since midnight UTC; negative where the bot has gained."""
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        profit = Fill.objects.filter(bot=self.bot, ts__gte=midnight).aggregate(total=Sum("profit"))["total"]
        return -(profit or NONE)

    def exposure(self, symbol: str) -> Decimal:
        """In quote: the position at cost, and what is claimed for entries on their way."""
        claims = RiskAllocation.objects.filter(bot=self.bot, symbol=symbol, closed_at=None)
        return Decimal(self.positions[symbol].cost + (claims.aggregate(total=Sum("open"))["total"] or 0))

    def is_news(self, report: Report) -> bool:
        """Whether a report may say what the rows do not. May be called from any thread."""
        return self.heard.is_news(report)

    def filled_quantity(self, client_order_id: str) -> Decimal:
        """Of one of the newest orders, in base, as far as it is known without a query."""
        return self.heard.filled_quantity(client_order_id)

    def add_state(self, batch: WriteBatch) -> None:
        """Adds the snapshot to the statement that writes what led to it, as a compare and set; the caller counts the version once
        that is written. A snapshot that could not be read is left as it is."""
        if self.unreadable:
            return
        state = BotState(pk=self.bot.pk, version=self.version + 1, time=self.time, opened=self.opened, book=self.trader.dump())
        batch.update(state, "version", "time", "opened", "book", version=self.version)

    def save_state(self) -> None:
        """Writes the snapshot alone. `StaleBot` where another worker has written one."""
        batch = WriteBatch()
        self.add_state(batch)
        if batch.run() is not None:
            raise StaleBot(f"Another worker trades for {self.bot.name}.")
        self.version += 1


def stop_symbols(instruments: Mapping[str, Instrument]) -> list[str]:
    """The symbols whose protective stops can rest at the venue."""
    return [symbol for symbol, one in instruments.items() if one.takes_stops]
