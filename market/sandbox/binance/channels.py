"""Market streams by name: when each has something to send, and what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, ClassVar

from market.sandbox.binance import forms
from market.sandbox.binance.notation import amount_text, venue_symbol
from market.sandbox.events import PublicTrade
from market.sandbox.exchange import SandboxExchange
from market.sandbox.history import INTERVALS, SandboxCandle, end_of
from market.sandbox.orders import ZERO

EVERYTHING = "*"
NAME = re.compile(r"(?P<symbol>[a-z0-9]+)@(?P<kind>[A-Za-z]+?)(?P<rest>_\w+|\d+)?(?:@(?P<pace>\d+)ms)?")
ALL = re.compile(r"!(?P<kind>miniTicker|ticker)(?P<rest>_\w+)?@arr(?:@\d+ms)?")
WINDOWS = {"_1h": 3_600_000, "_4h": 4 * 3_600_000, "_1d": 24 * 3_600_000}
"""The rolling windows, by the end of the stream's name: ms."""


class BinanceChannel:
    """What one stream sends, whoever listens. At least `pace` ms lie between two frames; 0 sends one at each event."""

    pace = 0
    on_trades: ClassVar[bool] = True
    """Whether trades make it send, else changes of the book do."""

    def __init__(self, exchange: SandboxExchange, symbol: str) -> None:
        self.exchange, self.symbol = exchange, symbol
        self.sent, self.waiting = -(1 << 62), False

    def due(self, now: int) -> bool:
        return now - self.sent >= self.pace

    def frames(self, now: int) -> Iterator[Any]:
        """The frames to send now."""
        raise NotImplementedError

    def closing(self, now: int) -> Iterator[Any]:
        """The frames that are due by the time alone."""
        return iter(())


class TradeChannel(BinanceChannel):
    def frames(self, now: int) -> Iterator[Any]:
        yield self.form(self.exchange.history(self.symbol).trades[-1], now)

    def form(self, trade: PublicTrade, now: int) -> Any:
        return {
            "e": "trade",
            "E": now,
            "s": venue_symbol(self.symbol),
            "t": trade.id,
            "p": amount_text(trade.price),
            "q": amount_text(trade.qty),
            "T": trade.time,
            "m": trade.buyer_is_maker,
            "M": True,
        }


class AggregateChannel(TradeChannel):
    def form(self, trade: PublicTrade, now: int) -> Any:
        return {"e": "aggTrade", "E": now, "s": venue_symbol(self.symbol), **forms.aggregate_trade(trade)}


class KlineChannel(BinanceChannel):
    """The growing candle at a pace, and each candle once more when it closes."""

    pace = 250

    def __init__(self, exchange: SandboxExchange, symbol: str, interval: str) -> None:
        super().__init__(exchange, symbol)
        self.interval = interval
        self._shown: SandboxCandle | None = None
        exchange.history(symbol).candle(interval)

    def due(self, now: int) -> bool:
        shown = self._shown
        return shown is None or self.exchange.history(self.symbol).candle(self.interval) is not shown or super().due(now)

    def frames(self, now: int) -> Iterator[Any]:
        candle = self.exchange.history(self.symbol).candle(self.interval)
        if candle is None:
            return
        if self._shown and self._shown is not candle:
            yield self._form(self._shown, now, closed=True)
        self._shown = candle
        yield self._form(candle, now, closed=False)

    def closing(self, now: int) -> Iterator[Any]:
        if self._shown and end_of(self.interval, self._shown.time) <= now:
            yield self._form(self._shown, now, closed=True)
            self._shown = None

    def _form(self, candle: SandboxCandle, now: int, *, closed: bool) -> Any:
        return forms.kline_event(self.symbol, candle, self.interval, now, closed=closed)


class TickerChannel(BinanceChannel):
    """The figures of the last 24 hours, of one symbol or (as a list) of all."""

    pace = 1000

    def __init__(self, exchange: SandboxExchange, symbol: str, *, mini: bool) -> None:
        super().__init__(exchange, symbol)
        self.mini = mini

    def frames(self, now: int) -> Iterator[Any]:
        if self.symbol == EVERYTHING:
            yield [self._form(symbol, now) for symbol in self.exchange.markets]
        else:
            yield self._form(self.symbol, now)

    def _form(self, symbol: str, now: int) -> Any:
        """The ticker event, whose one-letter fields stand for those of the REST answer."""
        day = self._figures(symbol)
        mini = {
            "c": day["lastPrice"],
            "o": day["openPrice"],
            "h": day["highPrice"],
            "l": day["lowPrice"],
            "v": day["volume"],
            "q": day["quoteVolume"],
        }
        if self.mini:
            return {"e": "24hrMiniTicker", "E": now, "s": day["symbol"], **mini}
        more = {"p": "priceChange", "P": "priceChangePercent", "w": "weightedAvgPrice", "x": "prevClosePrice", "Q": "lastQty"}
        best = {"b": "bidPrice", "B": "bidQty", "a": "askPrice", "A": "askQty"}
        counts = {"O": "openTime", "C": "closeTime", "F": "firstId", "L": "lastId", "n": "count"}
        rest = {letter: day[name] for letter, name in (more | best | counts).items()}
        return {"e": "24hrTicker", "E": now, "s": day["symbol"], **mini, **rest}

    def _figures(self, symbol: str) -> Any:
        return forms.day_figures(self.exchange, symbol)


class WindowTickerChannel(TickerChannel):
    """The figures of a rolling window, which have no offers beside them."""

    def __init__(self, exchange: SandboxExchange, symbol: str, window: str) -> None:
        super().__init__(exchange, symbol, mini=False)
        self.window = window

    def _form(self, symbol: str, now: int) -> Any:
        form = super()._form(symbol, now) | {"e": f"{self.window[1:]}Ticker"}
        return {letter: value for letter, value in form.items() if letter not in "xQbBaA"}

    def _figures(self, symbol: str) -> Any:
        return forms.day_figures(self.exchange, symbol, WINDOWS[self.window])


class AveragePriceChannel(BinanceChannel):
    """The last price, as REST's average is."""

    pace = 1000

    def frames(self, now: int) -> Iterator[Any]:
        price = amount_text(self.exchange.book(self.symbol).last)
        yield {"e": "avgPrice", "E": now, "s": venue_symbol(self.symbol), "i": "5m", "w": price, "T": now}


class BookTickerChannel(BinanceChannel):
    """The best prices, when they change."""

    on_trades = False

    def __init__(self, exchange: SandboxExchange, symbol: str) -> None:
        super().__init__(exchange, symbol)
        self._last: Any = None

    def frames(self, now: int) -> Iterator[Any]:
        book = self.exchange.book(self.symbol)
        if (best := book.best()) != self._last:
            self._last = best
            (bid, bid_qty), (ask, ask_qty) = best
            prices = {"b": amount_text(bid), "B": amount_text(bid_qty), "a": amount_text(ask), "A": amount_text(ask_qty)}
            yield {"u": book.sequence, "s": venue_symbol(self.symbol), **prices}


class DepthChannel(BinanceChannel):
    """What changed in the book since the last frame: new quantities, or zero for a price that is gone.

    Frames join up: each begins (`U`) one after the end (`u`) of the last one.
    """

    on_trades = False

    def __init__(self, exchange: SandboxExchange, symbol: str, pace: int) -> None:
        super().__init__(exchange, symbol)
        self.pace = pace
        self._known, self._sequence = self._book()

    def frames(self, now: int) -> Iterator[Any]:
        (bids, asks), sequence = self._book()
        before, first = self._known, self._sequence + 1
        self._known, self._sequence = (bids, asks), sequence
        changes = {"b": _list_changes(before[0], bids), "a": _list_changes(before[1], asks)}
        if sequence >= first:
            yield {"e": "depthUpdate", "E": now, "s": venue_symbol(self.symbol), "U": first, "u": sequence, **changes}

    def _book(self) -> tuple[tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]], int]:
        book = self.exchange.book(self.symbol)
        bids, asks = book.depth(1000)
        return (dict(bids), dict(asks)), book.sequence


class PartialDepthChannel(BinanceChannel):
    """The best levels of the book, whole."""

    on_trades = False

    def __init__(self, exchange: SandboxExchange, symbol: str, levels: int, pace: int) -> None:
        super().__init__(exchange, symbol)
        self.levels, self.pace = levels, pace

    def frames(self, now: int) -> Iterator[Any]:
        book = self.exchange.book(self.symbol)
        bids, asks = ([[amount_text(price), amount_text(qty)] for price, qty in side] for side in book.depth(self.levels))
        yield {"lastUpdateId": book.sequence, "bids": bids, "asks": asks}


def _list_changes(before: dict[Decimal, Decimal], after: dict[Decimal, Decimal]) -> list[list[str]]:
    new = [[amount_text(price), amount_text(qty)] for price, qty in after.items() if before.get(price) != qty]
    return new + [[amount_text(price), amount_text(ZERO)] for price in before if price not in after]


def find_channel(exchange: SandboxExchange, name: str) -> BinanceChannel | None:
    """The channel of a stream's name; None for an unknown name, of which Binance does not complain."""
    if every := ALL.fullmatch(name):
        return _find_ticker(exchange, EVERYTHING, every["kind"], every["rest"] or "")
    found = NAME.fullmatch(name)
    symbol = next((ours for ours in exchange.markets if found and venue_symbol(ours).lower() == found["symbol"]), None)
    if not found or symbol is None:
        return None
    kind, rest, pace = found["kind"], found["rest"] or "", int(found["pace"] or 1000)
    if kind == "kline":
        return KlineChannel(exchange, symbol, rest[1:]) if rest[1:] in INTERVALS else None
    if kind == "depth":
        return PartialDepthChannel(exchange, symbol, int(rest), pace) if rest else DepthChannel(exchange, symbol, pace)
    if kind in ("miniTicker", "ticker"):
        return _find_ticker(exchange, symbol, kind, rest)
    simple: dict[str, type[BinanceChannel]] = {
        "trade": TradeChannel,
        "aggTrade": AggregateChannel,
        "bookTicker": BookTickerChannel,
        "avgPrice": AveragePriceChannel,
    }
    return simple[kind](exchange, symbol) if kind in simple else None


def _find_ticker(exchange: SandboxExchange, symbol: str, kind: str, window: str) -> BinanceChannel | None:
    if not window:
        return TickerChannel(exchange, symbol, mini=kind == "miniTicker")
    return WindowTickerChannel(exchange, symbol, window) if kind == "ticker" and window in WINDOWS else None
