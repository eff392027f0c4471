"""The REST face: which path is which endpoint, who may ask, and what goes wrong in Coinbase's words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from aiohttp import web

from market.sandbox.coinbase.account_endpoints import AccountEndpoints
from market.sandbox.coinbase.app_endpoints import AppEndpoints
from market.sandbox.coinbase.calls import CoinbaseError, CoinbaseRequest, Handler, Json, invalid_argument
from market.sandbox.coinbase.limits import PRIVATE, PUBLIC, CoinbaseRateLimits
from market.sandbox.coinbase.market_endpoints import MarketEndpoints
from market.sandbox.coinbase.portfolios import PortfolioEndpoints
from market.sandbox.coinbase.tokens import BadToken, RegisteredKey, check_token
from market.sandbox.exchange import SandboxExchange

PREFIX, APP_PREFIX = "/api/v3/brokerage", "/v2"

Scope = Literal["public", "view", "trade"]


@dataclass(frozen=True, slots=True)
class CoinbaseEndpoint:
    method: str
    path: str
    scope: Scope
    handler: Handler


class CoinbaseRestFace:
    """`keys` by name: the face adds and removes some at any time. `now` is the server's clock, ms."""

    def __init__(self, exchange: SandboxExchange, keys: Mapping[str, RegisteredKey], now: Callable[[], int]) -> None:
        self.keys, self.now = keys, now
        self.limits = CoinbaseRateLimits(now)
        self.market, self.account = MarketEndpoints(exchange, now), AccountEndpoints(exchange, now())
        self.portfolio = PortfolioEndpoints(exchange)
        self.app = AppEndpoints(exchange, now, now())

    def list_routes(self) -> list[web.RouteDef]:
        """Advanced Trade's, the app's, and a refusal for what else a client may ask of the venue."""
        found = [(PREFIX, item) for item in self._list_endpoints()] + [(APP_PREFIX, item) for item in self._list_app_endpoints()]
        rest = [CoinbaseEndpoint("*", "/{rest:.*}", "view", _refuse_product)]
        found += [(prefix, item) for prefix in (PREFIX, APP_PREFIX) for item in rest]
        return [web.route(item.method, prefix + item.path, self._make_handler(item)) for prefix, item in found]

    def _list_endpoints(self) -> list[CoinbaseEndpoint]:
        """All endpoints. Their order counts, because the first path that fits is taken."""
        return [
            CoinbaseEndpoint("GET", "/time", "public", self.market.time),
            CoinbaseEndpoint("GET", "/market/products", "public", self.market.products),
            CoinbaseEndpoint("GET", "/market/products/{product_id}", "public", self.market.product),
            CoinbaseEndpoint("GET", "/market/products/{product_id}/candles", "public", self.market.candles),
            CoinbaseEndpoint("GET", "/market/products/{product_id}/ticker", "public", self.market.ticker),
            CoinbaseEndpoint("GET", "/market/product_book", "public", self.market.book),
            CoinbaseEndpoint("GET", "/products", "view", self.market.products),
            CoinbaseEndpoint("GET", "/products/{product_id}", "view", self.market.product),
            CoinbaseEndpoint("GET", "/products/{product_id}/candles", "view", self.market.candles),
            CoinbaseEndpoint("GET", "/products/{product_id}/ticker", "view", self.market.ticker),
            CoinbaseEndpoint("GET", "/product_book", "view", self.market.book),
            CoinbaseEndpoint("GET", "/best_bid_ask", "view", self.market.best_bid_ask),
            CoinbaseEndpoint("GET", "/accounts", "view", self.account.accounts),
            CoinbaseEndpoint("GET", "/accounts/{account_id}", "view", self.account.account),
            CoinbaseEndpoint("GET", "/key_permissions", "view", self.account.permissions),
            CoinbaseEndpoint("GET", "/portfolios", "view", self.portfolio.portfolios),
            CoinbaseEndpoint("GET", "/portfolios/{portfolio_id}", "view", self.portfolio.breakdown),
            CoinbaseEndpoint("GET", "/payment_methods", "view", self.portfolio.payment_methods),
            CoinbaseEndpoint("GET", "/transaction_summary", "view", self.account.transaction_summary),
            CoinbaseEndpoint("POST", "/orders", "trade", self.account.place),
            CoinbaseEndpoint("POST", "/orders/batch_cancel", "trade", self.account.cancel),
            CoinbaseEndpoint("GET", "/orders/historical/batch", "view", self.account.orders),
            CoinbaseEndpoint("GET", "/orders/historical/fills", "view", self.account.fills),
            CoinbaseEndpoint("GET", "/orders/historical/{order_id}", "view", self.account.order),
        ]

    def _list_app_endpoints(self) -> list[CoinbaseEndpoint]:
        account, empty = "/accounts/{account_id}", ("deposits", "withdrawals", "buys", "sells", "addresses")
        return [
            CoinbaseEndpoint("GET", "/time", "public", self.app.time),
            CoinbaseEndpoint("GET", "/currencies", "public", self.app.currencies),
            CoinbaseEndpoint("GET", "/currencies/crypto", "public", self.app.crypto_currencies),
            CoinbaseEndpoint("GET", "/exchange-rates", "public", self.app.rates),
            CoinbaseEndpoint("GET", "/user", "view", self.app.user),
            CoinbaseEndpoint("GET", "/accounts", "view", self.app.accounts),
            CoinbaseEndpoint("GET", account, "view", self.app.account),
            CoinbaseEndpoint("GET", f"{account}/transactions", "view", self.app.transactions),
            *(CoinbaseEndpoint("GET", f"{account}/{name}", "view", self.app.no_rows) for name in empty),
        ]

    def _make_handler(self, endpoint: CoinbaseEndpoint) -> Callable[[web.Request], Awaitable[web.Response]]:
        """The handler of an endpoint: checks the token, the rate limit, the key's rights and the body, in this order."""

        async def serve(request: web.Request) -> web.Response:
            headers: dict[str, str] = {}
            try:
                key = None if endpoint.scope == "public" else self._authenticate(request)
                allowed, headers = self.limits.take(*((key.name, PRIVATE) if key else (request.remote or "", PUBLIC)))
                if not allowed:
                    raise CoinbaseError(429, "RATE_LIMIT_EXCEEDED", "too many requests")
                _check_scope(key, endpoint.scope)
                body = await _read_body(request) if endpoint.method == "POST" else {}
                return _json_response(
                    endpoint.handler(CoinbaseRequest(key, request.match_info, request.query, body)), headers=headers
                )
            except BadToken:
                return web.Response(status=401, text="Unauthorized\n")
            except CoinbaseError as problem:
                return _json_response(problem.body, problem.status, headers)

        return serve

    def _authenticate(self, request: web.Request) -> RegisteredKey:
        """The key whose token a request carries. `BadToken` where it is not for this very request."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer":
            raise BadToken("no token")
        key, uri = check_token(token, self.keys, self.now() / 1000)
        # Clients that take the scheme off know https alone, which the sandbox does not speak.
        if uri.replace("http://", "", 1) != f"{request.method} {request.host}{request.path}":
            raise BadToken("a token for another request")
        return key


def _refuse_product(call: CoinbaseRequest) -> Json:
    """What is not played here is refused as to a key that has no right to it."""
    raise CoinbaseError(403, "PERMISSION_DENIED", "Missing required scopes")


def _check_scope(key: RegisteredKey | None, scope: Scope) -> None:
    if key is not None and not (key.can_trade if scope == "trade" else key.can_view):
        raise CoinbaseError(403, "PERMISSION_DENIED", "Missing required scopes")


async def _read_body(request: web.Request) -> Json:
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise invalid_argument("the body must be a JSON object")
    return body


def _json_response(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, headers=headers, content_type="application/json")
