"""The calls that anybody may make, for market data. Each takes the parameters and returns Binance's JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from market.sandbox.binance import forms, params
from market.sandbox.binance.limits import BinanceRateLimits
from market.sandbox.binance.notation import BinanceError, amount_text, venue_symbol
from market.sandbox.binance.params import Params
from market.sandbox.binance.symbols import SymbolNames
from market.sandbox.exchange import SandboxExchange
from market.sandbox.history import INTERVALS

LEVELS = 5000


class MarketCalls:
    """`wall` is the server's clock (ms)."""

    def __init__(self, exchange: SandboxExchange, limits: BinanceRateLimits, wall: Callable[[], int]) -> None:
        self.exchange, self.limits, self.wall = exchange, limits, wall
        self.symbols = SymbolNames(exchange)

    def ping(self, given: Params) -> Any:
        return {}

    def time(self, given: Params) -> Any:
        return {"serverTime": self.wall()}

    def exchange_info(self, given: Params) -> Any:
        wanted = self.symbols.read_all(given)
        permissions = given.get("permissions")
        if permissions and "SPOT" not in str(permissions):
            wanted = []
        return {
            "timezone": "UTC",
            "serverTime": self.wall(),
            "rateLimits": self.limits.list_limits(),
            "exchangeFilters": [],
            "symbols": [forms.symbol_info(self.exchange.instrument(symbol)) for symbol in wanted],
        }

    def klines(self, given: Params) -> Any:
        symbol, interval = self.symbols.read_one(given), params.read_required(given, "interval")
        if interval not in INTERVALS:
            raise BinanceError(-1120, "Invalid interval.")
        candles = self.exchange.history(symbol).candles(
            interval,
            start=params.read_whole(given, "startTime"),
            end=params.read_whole(given, "endTime"),
            limit=params.read_limit(given, 500, 1000),
        )
        return [forms.kline_row(candle, interval) for candle in candles]

    def average(self, given: Params) -> Any:
        """The last price: the sandbox keeps no mean of five minutes."""
        price = amount_text(self.exchange.book(self.symbols.read_one(given)).last)
        return {"mins": 5, "price": price, "closeTime": self.exchange.clock()}

    def price(self, given: Params) -> Any:
        return self._each(
            given, lambda symbol: {"symbol": venue_symbol(symbol), "price": amount_text(self.exchange.book(symbol).last)}
        )

    def day(self, given: Params) -> Any:
        return self._each(given, lambda symbol: forms.day_figures(self.exchange, symbol))

    def best(self, given: Params) -> Any:
        return self._each(given, self._best)

    def depth(self, given: Params) -> Any:
        book = self.exchange.book(self.symbols.read_one(given))
        bids, asks = book.depth(params.read_limit(given, 100, LEVELS))
        return {
            "lastUpdateId": book.sequence,
            "bids": [[amount_text(price), amount_text(qty)] for price, qty in bids],
            "asks": [[amount_text(price), amount_text(qty)] for price, qty in asks],
        }

    def trades(self, given: Params) -> Any:
        history = self.exchange.history(self.symbols.read_one(given))
        count = params.read_limit(given, 500, 1000)
        return [forms.public_trade(trade) for trade in list(history.trades)[-count:]]

    def aggregates(self, given: Params) -> Any:
        """The newest trades, or the first ones from an id or a time on."""
        trades = list(self.exchange.history(self.symbols.read_one(given)).trades)
        first, start, end = (params.read_whole(given, name) for name in ("fromId", "startTime", "endTime"))
        count = params.read_limit(given, 500, 1000)
        if first is not None:
            trades = [trade for trade in trades if trade.id >= first][:count]
        elif start is not None or end is not None:
            trades = [x for x in trades if (start is None or x.time >= start) and (end is None or x.time <= end)][:count]
        return [forms.aggregate_trade(trade) for trade in trades[-count:]]

    def _best(self, symbol: str) -> Any:
        (bid, bid_qty), (ask, ask_qty) = self.exchange.book(symbol).best()
        return {
            "symbol": venue_symbol(symbol),
            "bidPrice": amount_text(bid),
            "bidQty": amount_text(bid_qty),
            "askPrice": amount_text(ask),
            "askQty": amount_text(ask_qty),
        }

    def _each(self, given: Params, form: Callable[[str], Any]) -> Any:
        """One row where one symbol is asked for, else a list of rows."""
        rows = [form(symbol) for symbol in self.symbols.read_all(given)]
        return rows[0] if "symbol" in given else rows
