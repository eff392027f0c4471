"""Every call of Binance's face: its names in REST and in the WebSocket API, its weight, and who may make it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from market.sandbox.binance.notation import BinanceError
from market.sandbox.binance.params import Params
from market.sandbox.binance.quotes import Quotes
from market.sandbox.binance.signing import SignatureChecker
from market.sandbox.binance.trading import Trading
from market.sandbox.exchange import SandboxExchange
from market.sandbox.orders import RequestRefused

Weight = Callable[[Params], int]


@dataclass(frozen=True, slots=True)
class BinanceCall:
    """`method path` is its REST name, `name` its name in the WebSocket API (or none). Exactly one of `ask` and `act` is there."""

    method: str
    path: str
    name: str
    weight: int | Weight
    ask: Callable[[Params], Any] | None = None
    act: Callable[[str, Params], Any] | None = None
    places: bool = False
    """Counts as a new order."""


def list_calls(quotes: Quotes, trading: Trading) -> list[BinanceCall]:
    per_symbol = _by_symbol
    return [
        BinanceCall("GET", "/api/v3/ping", "ping", 1, quotes.ping),
        BinanceCall("GET", "/api/v3/time", "time", 1, quotes.time),
        BinanceCall("GET", "/api/v3/exchangeInfo", "exchangeInfo", 20, quotes.exchange_info),
        BinanceCall("GET", "/api/v3/klines", "klines", 2, quotes.klines),
        BinanceCall("GET", "/api/v3/ticker/price", "ticker.price", per_symbol(2, 4), quotes.price),
        BinanceCall("GET", "/api/v3/ticker/24hr", "ticker.24hr", per_symbol(2, 80), quotes.day),
        BinanceCall("GET", "/api/v3/ticker/bookTicker", "ticker.book", per_symbol(2, 4), quotes.best),
        BinanceCall("GET", "/api/v3/depth", "depth", _depth_weight, quotes.depth),
        BinanceCall("GET", "/api/v3/trades", "trades.recent", 25, quotes.trades),
        BinanceCall("GET", "/api/v3/aggTrades", "trades.aggregate", 4, quotes.aggregates),
        BinanceCall("GET", "/api/v3/account", "account.status", 20, act=trading.account),
        BinanceCall("GET", "/api/v3/account/commission", "account.commission", 20, act=trading.commission),
        BinanceCall("GET", "/api/v3/openOrders", "openOrders.status", per_symbol(6, 80), act=trading.open_orders),
        BinanceCall("DELETE", "/api/v3/openOrders", "openOrders.cancelAll", 1, act=trading.cancel_all),
        BinanceCall("POST", "/api/v3/order", "order.place", 1, act=trading.place, places=True),
        BinanceCall("POST", "/api/v3/order/test", "order.test", 1, act=trading.test),
        BinanceCall("GET", "/api/v3/order", "order.status", 4, act=trading.query),
        BinanceCall("DELETE", "/api/v3/order", "order.cancel", 1, act=trading.cancel),
        BinanceCall("GET", "/api/v3/allOrders", "allOrders", 20, act=trading.all_orders),
        BinanceCall("GET", "/api/v3/myTrades", "myTrades", 20, act=trading.my_trades),
        BinanceCall("GET", "/api/v3/rateLimit/order", "account.rateLimits.orders", 40, act=trading.order_counts),
        BinanceCall("GET", "/sapi/v1/account/apiRestrictions", "", 1, act=trading.restrictions),
    ]


def _by_symbol(one: int, all_: int) -> Weight:
    return lambda given: one if "symbol" in given else all_


def _depth_weight(given: Params) -> int:
    raw = str(given.get("limit", "100"))
    wanted = int(raw[:6]) if raw.isdigit() else 100
    return next(weight for most, weight in ((100, 5), (500, 25), (1000, 50), (10**6, 250)) if wanted <= most)


class CallRunner:
    """Makes calls, whichever way they came: counts them, checks who asks, and turns what is refused into Binance's errors."""

    def __init__(self, exchange: SandboxExchange, quotes: Quotes, trading: Trading, signing: SignatureChecker) -> None:
        self.exchange, self.quotes, self.trading, self.signing = exchange, quotes, trading, signing
        self.all = list_calls(quotes, trading)

    def run(self, call: BinanceCall, given: Params, authenticate: Callable[[], str]) -> Any:
        """`authenticate` gives the account's name, or raises."""
        limits = self.quotes.limits
        limits.use_weight(call.weight if isinstance(call.weight, int) else call.weight(given))
        try:
            if call.ask:
                return call.ask(given)
            account = authenticate()
            if call.places:
                if not self.exchange.accounts[account].can_trade:
                    raise BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", status=401)
                limits.use_order()
            assert call.act
            return call.act(account, given)
        except RequestRefused as refused:
            raise BinanceError.of(refused) from None
