"""Endpoints of the market. Most exist twice: for everyone, and with a key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from market.sandbox.coinbase import products
from market.sandbox.coinbase.calls import CoinbaseRequest, Json, invalid_argument, not_found
from market.sandbox.coinbase.notation import decimal_text, time_text
from market.sandbox.exchange import SandboxExchange
from market.sandbox.history import INTERVALS
from market.sandbox.records import ListedMarket

MOST_CANDLES = 350


@dataclass(frozen=True, slots=True)
class MarketEndpoints:
    """`now`: what the server's clock shows, ms."""

    exchange: SandboxExchange
    now: Callable[[], int]

    def time(self, call: CoinbaseRequest) -> Json:
        now = self.now()
        return {"iso": time_text(now), "epochSeconds": str(now // 1000), "epochMillis": str(now)}

    def products(self, call: CoinbaseRequest) -> Json:
        wanted = call.read_values("product_ids")
        rows = [market for symbol, market in self.exchange.markets.items() if not wanted or symbol in wanted]
        if call.query.get("product_type", "SPOT") not in ("SPOT", "UNKNOWN_PRODUCT_TYPE"):
            rows = []
        start = call.read_whole("offset") or 0
        page = rows[start : start + call.read_count("limit", 1000, 1000)]
        now = self.exchange.clock()
        return {"products": [products.rest_product(row, now) for row in page], "num_products": len(page), "pagination": None}

    def product(self, call: CoinbaseRequest) -> Json:
        return products.rest_product(self._market(call.parts["product_id"]), self.exchange.clock())

    def book(self, call: CoinbaseRequest) -> Json:
        if call.query.get("aggregation_price_increment"):
            raise invalid_argument("aggregation_price_increment is not supported by the sandbox")
        return products.product_book(
            self._market(call.query.get("product_id", "")), call.read_count("limit", 100, 500), self.exchange.clock()
        )

    def best_bid_ask(self, call: CoinbaseRequest) -> Json:
        markets = [self._market(symbol) for symbol in call.read_values("product_ids") or self.exchange.markets]
        return {"pricebooks": [products.price_book(market, 1, self.exchange.clock()) for market in markets]}

    def ticker(self, call: CoinbaseRequest) -> Json:
        """The newest trades."""
        market = self._market(call.parts["product_id"])
        start, end = (None if value is None else 1000 * value for value in (call.read_whole("start"), call.read_whole("end")))
        trades = products.find_trades(market.history, call.read_count("limit", 100, 1000), start, end)
        (bid, _), (ask, _) = market.book.best()
        rows = [products.rest_trade(trade) for trade in trades]
        return {"trades": rows, "best_bid": decimal_text(bid), "best_ask": decimal_text(ask)}

    def candles(self, call: CoinbaseRequest) -> Json:
        """The newest first, at most 350; `start` and `end` in seconds, both included."""
        market = self._market(call.parts["product_id"])
        interval = products.GRANULARITIES.get(call.query.get("granularity", ""))
        start, end = call.read_whole("start"), call.read_whole("end")
        if interval is None:
            raise invalid_argument(f"granularity must be one of {', '.join(products.GRANULARITIES)}")
        if start is None or end is None or end < start:
            raise invalid_argument("start and end must be seconds since 1970, and the end not before the start")
        if (end - start) * 1000 > MOST_CANDLES * INTERVALS[interval]:
            raise invalid_argument(f"number of candles requested should be at most {MOST_CANDLES}")
        limit = call.read_count("limit", MOST_CANDLES, MOST_CANDLES)
        rows = market.history.candles(interval, start=start * 1000, end=end * 1000, limit=MOST_CANDLES + 1)
        return {"candles": [products.candle_row(row) for row in reversed(rows[-limit:])]}

    def _market(self, symbol: str) -> ListedMarket:
        market = self.exchange.markets.get(symbol)
        if market is None:
            raise not_found("valid product_id is required")
        return market
