"""Bots read from their rows into memory: configuration, limits, budgets, positions, and the trader with its snapshot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db.models import F

from core.errors import Conflict, DomainError, Invalid, Unreadable
from engine.live import Trader
from engine.strategies import registry
from engine.types import INTERVALS
from market.models import Instrument
from trading.models import OPEN, Bot, BotRun, BotState, Order, Position, RiskAllocation
from trading.services.allocations import HeldClaims
from trading.services.budgets import budgets_ensure, budgets_find
from trading.services.loaded_bot import LoadedBot, stop_symbols
from trading.setup.config import RunConfig, parse_config, read_config
from trading.setup.limits import BotLimits, parse_limits, parse_schedule


def bot_load(bot_id: int, *, unreadable: bool = False) -> LoadedBot:
    """The bot with its present run, as it was last written. Raises the `DomainError` that keeps it from being loaded.
    `unreadable`: accept one whose snapshot or configuration cannot be read, so that reports on its orders can still be booked."""
    found = bots_load([bot_id])[bot_id]
    if isinstance(found, DomainError):
        raise found
    if found.unreadable and not unreadable:
        raise Unreadable(found.unreadable)
    return found


def bots_load(bot_ids: Iterable[int]) -> dict[int, LoadedBot | DomainError]:
    """Many bots by their primary keys, in as many statements as one; or the error that keeps one from being loaded. A bot that
    cannot go on, because its snapshot or its configuration cannot be read, is loaded and says so: its orders are still to be
    settled."""
    bots = Bot.objects.select_related("wallet__account", "run").in_bulk(list(bot_ids))
    rows = BotRows(bots)
    return {bot_id: bot_assemble(bot, rows) for bot_id, bot in bots.items()}


class BotRows:
    """What belongs to some bots, by the bot's primary key."""

    def __init__(self, bots: Mapping[int, Bot]) -> None:
        ids = list(bots)
        self.states = BotState.objects.in_bulk(ids)
        self.budgets = budgets_find(bots.values())
        self.positions: dict[int, dict[str, Position]] = defaultdict(dict)
        for position in Position.objects.filter(bot__in=ids):
            self.positions[position.bot_id][position.symbol] = position
        self.claims: dict[int, list[RiskAllocation]] = defaultdict(list)
        for claim in RiskAllocation.objects.filter(bot__in=ids, used__gt=0).order_by("id"):
            self.claims[claim.bot_id].append(claim)
        self.orders: dict[int, dict[int, int]] = defaultdict(dict)
        open_now = Order.objects.filter(bot__in=ids, run=F("bot__run"), status__in=OPEN)
        for bot_id, number, order_id in open_now.values_list("bot_id", "number", "pk"):
            self.orders[bot_id][number] = order_id
        symbols = {(bot.venue, symbol) for bot in bots.values() for symbol in bot.symbol_list}
        named = {"venue__in": {venue for venue, _ in symbols}, "symbol__in": {symbol for _, symbol in symbols}}
        self.instruments = {(one.venue, one.symbol): one for one in Instrument.objects.filter(**named)}

    def bot_instruments(self, bot: Bot, config: RunConfig) -> dict[str, Instrument]:
        """By symbol."""
        return {symbol: one for symbol in config.symbols if (one := self.instruments.get((bot.venue, symbol)))}

    def bot_budgets(self, bot: Bot, config: RunConfig, limits: BotLimits) -> Sequence[int]:
        """The ids of the budgets that its orders claim from; made where they are not there yet."""
        quote = config.symbols[0].split("-")[1]
        return self.budgets.get(bot.pk, quote, limits) or budgets_ensure(bot, limits, quote)


def bot_assemble(bot: Bot, rows: BotRows) -> LoadedBot | DomainError:
    """One bot of `rows`, or why it cannot be loaded."""
    if bot.run is None:
        return Conflict(f"{bot.name} has no run.")
    try:
        (config, unreadable), limits = run_config_read(bot.run), parse_limits(bot.run.limits)
        state, instruments = rows.states[bot.pk], rows.bot_instruments(bot, config)
        trader = trader_make(
            config, external=bot.external, venue_stops=stop_symbols(instruments), position="single" if unreadable else ""
        )
        unreadable = unreadable or trader_restore(trader, bytes(state.book))
        budgets = rows.bot_budgets(bot, config, limits)
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
        positions=positions_ensure(bot, config.symbols, rows.positions[bot.pk]),
        instruments=instruments,
        trader=trader,
        version=state.version,
        time=state.time,
        opened=state.opened,
        orders=rows.orders[bot.pk],
        unreadable=unreadable,
        claims=HeldClaims.of(rows.claims[bot.pk]),
    )


def run_config_read(run: BotRun) -> tuple[RunConfig, str]:
    """The run's configuration and an empty text; or, where the configuration cannot be used any more (its strategy has been taken
    away), what can be read of it, and why."""
    try:
        return parse_config(run.config), ""
    except Invalid as error:
        config, form = read_config(run.config)
        if {"symbols", "interval"} & form.faults.keys():
            raise
        return config, error.in_full()


def trader_make(config: RunConfig, *, external: bool, venue_stops: Collection[str] = (), position: str = "") -> Trader:
    """A trader without a past. `position` stands in for what the strategy would say where there is no strategy to ask."""
    kind, step = position or registry.get_strategy(config.strategy).position, INTERVALS[config.interval]
    return Trader(config.account(), config.symbols, step, kind, external=external, venue_stops=venue_stops)


def trader_restore(trader: Trader, snapshot: bytes) -> str:
    """Gives the trader the state of `snapshot`. Returns why that cannot be read; empty where it could."""
    try:
        trader.load(snapshot)
    except Unreadable as error:
        return str(error)
    return ""


def instruments_of(venue: str, symbols: Sequence[str]) -> dict[str, Instrument]:
    return {one.symbol: one for one in Instrument.objects.filter(venue=venue, symbol__in=symbols)}


def positions_ensure(bot: Bot, symbols: Sequence[str], rows: dict[str, Position]) -> dict[str, Position]:
    """`rows`, with new ones for symbols that have none, which somebody else may make at the same moment."""
    for symbol in symbols:
        if symbol not in rows:
            told = {"wallet": bot.wallet, "venue": bot.venue}
            rows[symbol], _ = Position.objects.get_or_create(bot=bot, symbol=symbol, defaults=told)
    return rows
