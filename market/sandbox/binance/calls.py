"""Every call of Binance's face: its names in REST and in the WebSocket API, its weight, and who may make it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from market.sandbox.binance.notation import Problem
from market.sandbox.binance.params import Params
from market.sandbox.binance.quotes import Quotes
from market.sandbox.binance.signing import Signing
from market.sandbox.binance.trading import Trading
from market.sandbox.exchange import Exchange
from market.sandbox.orders import Refused

Weight = Callable[[Params], int]


@dataclass(frozen=True, slots=True)
class Call:
    """`method path` is its REST name, `name` its name in the WebSocket API (or none). Exactly one of `ask` and `act` is there."""

    method: str
    path: str
    name: str
    weight: int | Weight
    ask: Callable[[Params], Any] | None = None
    act: Callable[[str, Params], Any] | None = None
    places: bool = False
    """Counts as a new order."""


def calls(quotes: Quotes, trading: Trading) -> list[Call]:
    per_symbol = _by_symbol
    return [
        Call("GET", "/api/v3/ping", "ping", 1, quotes.ping),
        Call("GET", "/api/v3/time", "time", 1, quotes.time),
        Call("GET", "/api/v3/exchangeInfo", "exchangeInfo", 20, quotes.exchange_info),
        Call("GET", "/api/v3/klines", "klines", 2, quotes.klines),
        Call("GET", "/api/v3/ticker/price", "ticker.price", per_symbol(2, 4), quotes.price),
        Call("GET", "/api/v3/ticker/24hr", "ticker.24hr", per_symbol(2, 80), quotes.day),
        Call("GET", "/api/v3/ticker/bookTicker", "ticker.book", per_symbol(2, 4), quotes.best),
        Call("GET", "/api/v3/depth", "depth", _depth_weight, quotes.depth),
        Call("GET", "/api/v3/trades", "trades.recent", 25, quotes.trades),
        Call("GET", "/api/v3/aggTrades", "trades.aggregate", 4, quotes.aggregates),
        Call("GET", "/api/v3/account", "account.status", 20, act=trading.account),
        Call("GET", "/api/v3/account/commission", "account.commission", 20, act=trading.commission),
        Call("GET", "/api/v3/openOrders", "openOrders.status", per_symbol(6, 80), act=trading.open_orders),
        Call("DELETE", "/api/v3/openOrders", "openOrders.cancelAll", 1, act=trading.cancel_all),
        Call("POST", "/api/v3/order", "order.place", 1, act=trading.place, places=True),
        Call("POST", "/api/v3/order/test", "order.test", 1, act=trading.test),
        Call("GET", "/api/v3/order", "order.status", 4, act=trading.query),
        Call("DELETE", "/api/v3/order", "order.cancel", 1, act=trading.cancel),
        Call("GET", "/api/v3/allOrders", "allOrders", 20, act=trading.all_orders),
        Call("GET", "/api/v3/myTrades", "myTrades", 20, act=trading.my_trades),
        Call("GET", "/api/v3/rateLimit/order", "account.rateLimits.orders", 40, act=trading.order_counts),
        Call("GET", "/sapi/v1/account/apiRestrictions", "", 1, act=trading.restrictions),
    ]


def _by_symbol(one: int, all_: int) -> Weight:
    return lambda given: one if "symbol" in given else all_


def _depth_weight(given: Params) -> int:
    raw = str(given.get("limit", "100"))
    wanted = int(raw[:6]) if raw.isdigit() else 100
    return next(weight for most, weight in ((100, 5), (500, 25), (1000, 50), (10**6, 250)) if wanted <= most)


class Desk:
    """Makes calls, whichever way they came: counts them, checks who asks, and turns what is refused into Binance's errors."""

    def __init__(self, exchange: Exchange, quotes: Quotes, trading: Trading, signing: Signing) -> None:
        self.exchange, self.quotes, self.trading, self.signing = exchange, quotes, trading, signing
        self.all = calls(quotes, trading)

    def make(self, call: Call, given: Params, authenticate: Callable[[], str]) -> Any:
        """`authenticate` gives the account's name, or raises."""
        limits = self.quotes.limits
        limits.use(call.weight if isinstance(call.weight, int) else call.weight(given))
        try:
            if call.ask:
                return call.ask(given)
            account = authenticate()
            if call.places:
                if not self.exchange.accounts[account].can_trade:
                    raise Problem(-2015, "Invalid API-key, IP, or permissions for action.", status=401)
                limits.use_order()
            assert call.act
            return call.act(account, given)
        except Refused as refused:
            raise Problem.of(refused) from None
