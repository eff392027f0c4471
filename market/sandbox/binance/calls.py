"""The table of Binance's calls: their names in REST and in the WebSocket API, their weights, and who may make them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from market.sandbox.binance.absent_products import AbsentProducts
from market.sandbox.binance.account_calls import AccountCalls
from market.sandbox.binance.elsewhere_calls import ElsewhereCalls
from market.sandbox.binance.limits import BinanceRateLimits, LimitName
from market.sandbox.binance.market_calls import MarketCalls
from market.sandbox.binance.movement_calls import MovementCalls
from market.sandbox.binance.notation import BinanceError
from market.sandbox.binance.order_calls import OrderCalls
from market.sandbox.binance.params import Params
from market.sandbox.binance.signing import SignatureChecker
from market.sandbox.binance.wallet_calls import WalletCalls
from market.sandbox.exchange import SandboxExchange
from market.sandbox.orders import RequestRefused

Weight = Callable[[Params], int]


@dataclass(frozen=True, slots=True)
class BinanceCall:
    """`method path` is its name in REST, `name` its name in the WebSocket API (or empty).

    Exactly one of `ask` (for anybody) and `act` (for an account, given its name) is set.
    """

    method: str
    path: str
    name: str
    weight: int | Weight
    ask: Callable[[Params], Any] | None = None
    act: Callable[[str, Params], Any] | None = None
    places: bool = False
    """Whether it counts as a new order."""
    limit: LimitName = "weight"
    """What its weight counts against."""


def list_calls(market: MarketCalls, account: AccountCalls, orders: OrderCalls) -> list[BinanceCall]:
    """All calls of the venue."""
    per_symbol = _by_symbol
    return [
        BinanceCall("GET", "/api/v3/ping", "ping", 1, market.ping),
        BinanceCall("GET", "/api/v3/time", "time", 1, market.time),
        BinanceCall("GET", "/api/v3/exchangeInfo", "exchangeInfo", 20, market.exchange_info),
        BinanceCall("GET", "/api/v3/klines", "klines", 2, market.klines),
        BinanceCall("GET", "/api/v3/uiKlines", "uiKlines", 2, market.klines),
        BinanceCall("GET", "/api/v3/avgPrice", "avgPrice", 2, market.average),
        BinanceCall("GET", "/api/v3/ticker", "ticker", per_symbol(4, 200), market.day),
        BinanceCall("GET", "/api/v3/ticker/tradingDay", "ticker.tradingDay", per_symbol(4, 200), market.day),
        BinanceCall("GET", "/api/v3/ticker/price", "ticker.price", per_symbol(2, 4), market.price),
        BinanceCall("GET", "/api/v3/ticker/24hr", "ticker.24hr", per_symbol(2, 80), market.day),
        BinanceCall("GET", "/api/v3/ticker/bookTicker", "ticker.book", per_symbol(2, 4), market.best),
        BinanceCall("GET", "/api/v3/depth", "depth", _depth_weight, market.depth),
        BinanceCall("GET", "/api/v3/trades", "trades.recent", 25, market.trades),
        BinanceCall("GET", "/api/v3/historicalTrades", "trades.historical", 25, market.trades),
        BinanceCall("GET", "/api/v3/aggTrades", "trades.aggregate", 4, market.aggregates),
        BinanceCall("GET", "/api/v3/account", "account.status", 20, act=account.account),
        BinanceCall("GET", "/api/v3/account/commission", "account.commission", 20, act=account.commission),
        BinanceCall("GET", "/api/v3/openOrders", "openOrders.status", per_symbol(6, 80), act=account.open_orders),
        BinanceCall("DELETE", "/api/v3/openOrders", "openOrders.cancelAll", 1, act=orders.cancel_all),
        BinanceCall("POST", "/api/v3/order", "order.place", 1, act=orders.place, places=True),
        BinanceCall("POST", "/api/v3/order/cancelReplace", "order.cancelReplace", 1, act=orders.replace, places=True),
        BinanceCall("POST", "/api/v3/order/test", "order.test", 1, act=orders.test),
        BinanceCall("GET", "/api/v3/order", "order.status", 4, act=orders.query),
        BinanceCall("DELETE", "/api/v3/order", "order.cancel", 1, act=orders.cancel),
        BinanceCall("GET", "/api/v3/allOrders", "allOrders", 20, act=account.all_orders),
        BinanceCall("GET", "/api/v3/myTrades", "myTrades", 20, act=account.my_trades),
        BinanceCall("GET", "/api/v3/rateLimit/order", "account.rateLimits.orders", 40, act=account.order_counts),
        BinanceCall("GET", "/sapi/v1/account/apiRestrictions", "", 1, act=account.restrictions),
    ]


def list_calls_without_rows(absent: AbsentProducts, account: AccountCalls) -> list[BinanceCall]:
    """Of what the sandbox does not play: order lists, allocations, amendments, rules of execution."""
    own = {
        "openOrderList": "openOrderLists.status",
        "allOrderList": "allOrderLists",
        "myAllocations": "myAllocations",
        "myPreventedMatches": "myPreventedMatches",
        "order/amendments": "order.amendments",
    }
    return [
        *(BinanceCall("GET", f"/api/v3/{path}", name, 20, act=account.no_rows) for path, name in own.items()),
        BinanceCall("GET", "/api/v3/myFilters", "myFilters", 40, act=account.own_filters),
        BinanceCall("GET", "/api/v3/executionRules", "executionRules", 40, absent.execution_rules),
        BinanceCall("GET", "/api/v3/historicalBlockTrades", "", 25, absent.no_rows),
    ]


def list_wallet_calls(absent: AbsentProducts, wallet: WalletCalls) -> list[BinanceCall]:
    """Those that clients of other products make while they start: an account without the product has an empty answer."""
    capital, asset, earn = "/sapi/v1/capital", "/sapi/v1/asset", "/sapi/v1/simple-earn"
    paged = [f"{earn}/{kind}/history/rewardsRecord" for kind in ("flexible", "locked")]
    margin = ["/sapi/v1/margin/allPairs", "/sapi/v1/margin/isolated/allPairs", "/sapi/v1/margin/allAssets"]
    return [
        BinanceCall("GET", "/sapi/v1/system/status", "", 1, absent.system_status),
        BinanceCall("GET", f"{capital}/config/getall", "", 10, act=wallet.coins),
        BinanceCall("POST", "/sapi/v3/asset/getUserAsset", "", 5, act=wallet.assets),
        BinanceCall("GET", f"{asset}/tradeFee", "", 1, act=wallet.fees),
        BinanceCall("GET", "/sapi/v1/account/status", "", 1, act=wallet.status),
        *(BinanceCall("GET", path, "", 1, act=wallet.no_pages) for path in paged),
        *(BinanceCall("GET", f"/sapi/v1/fiat/{kind}", "", 1, act=wallet.no_fiat) for kind in ("orders", "payments")),
        *(BinanceCall("GET", path, "", 1, absent.no_rows) for path in margin),
        *(BinanceCall("GET", f"/{family}/v1/exchangeInfo", "", 1, absent.no_contracts) for family in ("fapi", "dapi", "eapi")),
    ]


def list_elsewhere_calls(elsewhere: ElsewhereCalls) -> list[BinanceCall]:
    earn = "/sapi/v1/simple-earn"
    return [
        BinanceCall("POST", "/sapi/v1/asset/get-funding-asset", "", 1, act=elsewhere.funding),
        BinanceCall("GET", f"{earn}/flexible/position", "", 150, act=elsewhere.flexible),
        BinanceCall("GET", f"{earn}/locked/position", "", 150, act=elsewhere.locked),
        BinanceCall("GET", "/sapi/v1/sub-account/spotSummary", "", 1, act=elsewhere.sub_accounts),
    ]


def list_movement_calls(movements: MovementCalls) -> list[BinanceCall]:
    """Their weights count against limits of their own: of an address, or of a key."""
    of_address: list[tuple[str, int, Callable[[str, Params], Any]]] = [
        ("capital/deposit/hisrec", 1, movements.deposits),
        ("asset/dribblet", 1, movements.dust),
        ("asset/assetDividend", 10, movements.dividends),
        ("asset/transfer", 1, movements.transfers),
    ]
    of_key: list[tuple[str, int, Callable[[str, Params], Any]]] = [
        ("capital/withdraw/history", 18_000, movements.withdrawals),
        ("convert/tradeFlow", 3_000, movements.conversions),
        ("rebate/taxQuery", 12_000, movements.rebates),
    ]
    return [
        *(BinanceCall("GET", f"/sapi/v1/{path}", "", weight, act=act, limit="wallet") for path, weight, act in of_address),
        *(BinanceCall("GET", f"/sapi/v1/{path}", "", weight, act=act, limit="wallet_key") for path, weight, act in of_key),
    ]


def _by_symbol(one: int, all_: int) -> Weight:
    return lambda given: one if "symbol" in given else all_


def _depth_weight(given: Params) -> int:
    raw = str(given.get("limit", "100"))
    wanted = int(raw[:6]) if raw.isdigit() else 100
    return next(weight for most, weight in ((100, 5), (500, 25), (1000, 50), (10**6, 250)) if wanted <= most)


class CallRunner:
    """Runs calls, whichever way they came: counts them, checks who asks, and turns refusals into Binance's errors.

    `wall` is the server's clock (ms).
    """

    def __init__(
        self, exchange: SandboxExchange, limits: BinanceRateLimits, signing: SignatureChecker, wall: Callable[[], int]
    ) -> None:
        self.exchange, self.limits, self.signing, self.wall = exchange, limits, signing, wall
        market, absent = MarketCalls(exchange, limits, wall), AbsentProducts(wall)
        account = AccountCalls(exchange, market.symbols, limits)
        self.orders = OrderCalls(exchange, market.symbols)
        self.all = [
            *list_calls(market, account, self.orders),
            *list_calls_without_rows(absent, account),
            *list_wallet_calls(absent, WalletCalls(exchange)),
            *list_elsewhere_calls(ElsewhereCalls(exchange)),
            *list_movement_calls(MovementCalls(exchange)),
        ]

    def run(self, call: BinanceCall, given: Params, authenticate: Callable[[], str]) -> Any:
        """The answer to a call. `authenticate` returns the account's name, or raises `BinanceError`."""
        self.limits.use_weight(call.weight if isinstance(call.weight, int) else call.weight(given), call.limit)
        try:
            if call.ask:
                return call.ask(given)
            account = authenticate()
            if call.places:
                if not self.exchange.accounts[account].can_trade:
                    raise BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", status=401)
                self.limits.use_order()
            assert call.act
            return call.act(account, given)
        except RequestRefused as refused:
            raise BinanceError.of(refused) from None
