"""Endpoints of the market. Most exist twice: for everyone, and with a key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from market.sandbox.coinbase import products
from market.sandbox.coinbase.calls import Call, Json, invalid, missing
from market.sandbox.coinbase.notation import moment, plain
from market.sandbox.exchange import Exchange, Market
from market.sandbox.history import INTERVALS

MOST_CANDLES = 350


@dataclass(frozen=True, slots=True)
class MarketEndpoints:
    """`now`: what the server's clock shows, ms."""

    exchange: Exchange
    now: Callable[[], int]

    def time(self, call: Call) -> Json:
        now = self.now()
        return {"iso": moment(now), "epochSeconds": str(now // 1000), "epochMillis": str(now)}

    def products(self, call: Call) -> Json:
        wanted = call.many("product_ids")
        rows = [market for symbol, market in self.exchange.markets.items() if not wanted or symbol in wanted]
        if call.query.get("product_type", "SPOT") not in ("SPOT", "UNKNOWN_PRODUCT_TYPE"):
            rows = []
        start = call.whole("offset") or 0
        page = rows[start : start + call.count("limit", 1000, 1000)]
        now = self.exchange.clock()
        return {"products": [products.rest_product(row, now) for row in page], "num_products": len(page), "pagination": None}

    def product(self, call: Call) -> Json:
        return products.rest_product(self._market(call.parts["product_id"]), self.exchange.clock())

    def book(self, call: Call) -> Json:
        if call.query.get("aggregation_price_increment"):
            raise invalid("aggregation_price_increment is not supported by the sandbox")
        return products.product_book(
            self._market(call.query.get("product_id", "")), call.count("limit", 100, 500), self.exchange.clock()
        )

    def best_bid_ask(self, call: Call) -> Json:
        markets = [self._market(symbol) for symbol in call.many("product_ids") or self.exchange.markets]
        return {"pricebooks": [products.price_book(market, 1, self.exchange.clock()) for market in markets]}

    def ticker(self, call: Call) -> Json:
        """The newest trades."""
        market = self._market(call.parts["product_id"])
        start, end = (None if value is None else 1000 * value for value in (call.whole("start"), call.whole("end")))
        trades = products.find_trades(market.history, call.count("limit", 100, 1000), start, end)
        (bid, _), (ask, _) = market.book.best()
        rows = [products.rest_trade(trade) for trade in trades]
        return {"trades": rows, "best_bid": plain(bid), "best_ask": plain(ask)}

    def candles(self, call: Call) -> Json:
        """The newest first, at most 350; `start` and `end` in seconds, both included."""
        market = self._market(call.parts["product_id"])
        interval = products.GRANULARITIES.get(call.query.get("granularity", ""))
        start, end = call.whole("start"), call.whole("end")
        if interval is None:
            raise invalid(f"granularity must be one of {', '.join(products.GRANULARITIES)}")
        if start is None or end is None or end < start:
            raise invalid("start and end must be seconds since 1970, and the end not before the start")
        if (end - start) * 1000 > MOST_CANDLES * INTERVALS[interval]:
            raise invalid(f"number of candles requested should be at most {MOST_CANDLES}")
        limit = call.count("limit", MOST_CANDLES, MOST_CANDLES)
        rows = market.history.candles(interval, start=start * 1000, end=end * 1000, limit=MOST_CANDLES + 1)
        return {"candles": [products.candle(row) for row in reversed(rows[-limit:])]}

    def _market(self, symbol: str) -> Market:
        market = self.exchange.markets.get(symbol)
        if market is None:
            raise missing("valid product_id is required")
        return market
