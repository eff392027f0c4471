"""What is known of one venue's market: last prices, candles that grow and have closed, order books, and the levels that bots wait
for. A tick is compared with all levels of its symbol at once.

Events come in on the loop, and bots are added and removed there. What a bot asks (`find_price`, `find_history`, `find_open_time`,
`explain_no_prices`) and notes (`note_missing`) may come from any thread: each is one look at a table, or puts one in its place, so
it needs no lock.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from core.times import from_ms, to_ms
from engine.live import OHLCV, PriceLevel
from market.exchanges.base import Candle, Depth, MarketEvent, Tick
from market.feed import State
from market.price_paths import find_path
from trading import metrics
from trading.live.history import CandleHistory
from trading.live.levels import Levels
from trading.live.threads import ANY, LOOP, called_from

Market = tuple[str, str]
"""Symbol and interval."""


class MarketListener(Protocol):
    """A bot, as the market sees it. All three are called on the loop and must return at once."""

    def __hash__(self) -> int: ...
    def on_price(self, tick: Tick, price: float) -> None:
        """The price has reached a level of this bot."""

    def on_open(self, candle: Candle, time_ms: int) -> None:
        """The first news of a candle that has begun to grow."""

    def on_close(self, candle: Candle) -> None:
        """A candle has closed, and stands in the history."""


@called_from(LOOP)
class MarketState:
    def __init__(self, key: str, record: Callable[[Candle], None]) -> None:
        """`key`: the venue's. `record` gets each candle that has closed."""
        self.key, self.record = key, record
        self.state: State = "connecting"
        """The stream's."""
        self.tradable: frozenset[str] | None = None
        """The symbols that the venue takes orders for; None until it has said so."""
        self.prices: dict[str, tuple[Decimal, float]] = {}
        """Last price and when we heard it (monotonic), by symbol."""
        self.quotes: dict[str, tuple[Decimal, float]] = {}
        """Likewise the best bid, or the close of the newest candle."""
        self.open_times: dict[Market, int] = {}
        """Of the candles that grow now, in ms."""
        self.histories: dict[Market, CandleHistory] = {}
        self.fresh: dict[str, Tick] = {}
        """The newest tick of each symbol since the last flush to the pages; likewise the two below."""
        self.growing: dict[Market, Candle] = {}
        self.depths: dict[str, Depth] = {}
        self.best: dict[str, tuple[Decimal | None, Decimal | None]] = {}
        """The highest bid and the lowest ask of each symbol, by its newest book: trades do not tell them."""
        self.fee_symbols: frozenset[str] = frozenset()
        """Symbols whose prices say what fees are worth, beside those that bots trade."""
        self.levels: Levels[MarketListener] = Levels()
        self.listeners: dict[Market, list[MarketListener]] = defaultdict(list)
        self.ticks = metrics.ticks.labels(key)

    def on_event(self, event: MarketEvent) -> None:
        if isinstance(event, Tick):
            self.on_tick(event)
        elif isinstance(event, Candle):
            self.on_candle(event)
        elif isinstance(event, Depth):
            self.depths[event.symbol] = event
            self.best[event.symbol] = best_of(event.bids), best_of(event.asks)
            if event.bids:
                self.quotes[event.symbol] = (event.bids[0][0], time.monotonic())

    def on_tick(self, tick: Tick) -> None:
        began = time.perf_counter()
        self.prices[tick.symbol] = (tick.price, time.monotonic())
        self.fresh[tick.symbol] = tick
        self.ticks.inc()
        price = float(tick.price)
        for listener in self.levels.hit(tick.symbol, price):
            listener.on_price(tick, price)
        metrics.tick_seconds.observe(time.perf_counter() - began)

    def on_candle(self, candle: Candle) -> None:
        market = (candle.symbol, candle.interval)
        self.growing[market] = candle
        self.quotes[candle.symbol] = (candle.close, time.monotonic())
        time_ms = to_ms(candle.time)
        if candle.closed:
            self.close_candle(market, time_ms, candle)
        elif self.open_times.get(market, -1) < time_ms:
            self.open_times[market] = time_ms
            for listener in self.listeners.get(market, ()):
                listener.on_open(candle, time_ms)

    def close_candle(self, market: Market, time_ms: int, candle: Candle) -> None:
        history = self.histories.get(market)
        values = OHLCV(float(candle.open), float(candle.high), float(candle.low), float(candle.close), float(candle.volume))
        if history is None or not history.append(time_ms, values):
            return
        self.record(candle)
        for listener in self.listeners.get(market, ()):
            listener.on_close(candle)

    def add_listener(self, listener: MarketListener, markets: Iterable[Market]) -> None:
        for market in markets:
            self.listeners[market].append(listener)

    def remove_listener(self, listener: MarketListener, markets: Iterable[Market]) -> None:
        self.levels.put(listener, [])
        for market in markets:
            self.listeners[market].remove(listener)

    def put_levels(self, listener: MarketListener, levels: list[PriceLevel]) -> None:
        """In place of all levels that the bot had."""
        self.levels.put(listener, levels)

    def take_fresh(self) -> tuple[list[Tick], list[Candle]]:
        """The ticks, each with bid and ask, and the candles that have come since the last time."""
        ticks, candles = [with_sides(tick, self.best.get(tick.symbol)) for tick in self.fresh.values()], list(self.growing.values())
        self.fresh.clear()
        self.growing.clear()
        return ticks, candles

    def take_depths(self) -> list[Depth]:
        depths = list(self.depths.values())
        self.depths.clear()
        return depths

    def list_closed(self) -> dict[Market, datetime]:
        """The open time of the newest closed candle of each market that has one."""
        return {market: from_ms(history.last) for market, history in self.histories.items() if history.last is not None}

    @called_from(*ANY)
    def find_price(self, symbol: str, *, quoted: bool = False) -> tuple[Decimal, float] | None:
        """The last price and its age in seconds; None before the first. `quoted`: the newest bid or close in its place, at which it
        could be sold where nobody has traded for a while."""
        known = (self.quotes if quoted else self.prices).get(symbol)
        return (known[0], time.monotonic() - known[1]) if known else None

    @called_from(*ANY)
    def find_history(self, symbol: str, interval: str) -> CandleHistory:
        return self.histories[(symbol, interval)]

    @called_from(*ANY)
    def find_open_time(self, symbol: str, interval: str) -> int | None:
        """Of the candle that grows now, in ms; None before the first news of one."""
        return self.open_times.get((symbol, interval))

    @called_from(*ANY)
    def explain_no_prices(self) -> str:
        """Why no price can be relied on at present; empty where prices come in."""
        return "" if self.state in ("live", "polling") else f"no prices: the stream of {self.key} is {self.state}"

    @called_from(*ANY)
    def note_missing(self, asset: str, quote: str, via: Sequence[str]) -> None:
        """A fee could not be valued: from now on the prices of the shortest path that the venue lists are heard, too."""
        path = find_path(asset, quote, self.tradable or frozenset(), via=via)
        self.fee_symbols = self.fee_symbols.union(path or ())


def best_of(levels: Sequence[tuple[Decimal, Decimal]]) -> Decimal | None:
    return levels[0][0] if levels else None


def with_sides(tick: Tick, best: tuple[Decimal | None, Decimal | None] | None) -> Tick:
    """With the book's bid and ask, unless the frame had its own."""
    return tick if best is None or tick.bid is not None or tick.ask is not None else replace(tick, bid=best[0], ask=best[1])
