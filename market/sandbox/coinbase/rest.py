"""The REST face: which path is which endpoint, who may ask, and what goes wrong in Coinbase's words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from aiohttp import web

from market.sandbox.coinbase.calls import Call, Handler, Json, Problem, invalid
from market.sandbox.coinbase.limits import PRIVATE, PUBLIC, Limits
from market.sandbox.coinbase.market import MarketEndpoints
from market.sandbox.coinbase.tokens import Key, Unauthorised, check
from market.sandbox.coinbase.trading import AccountEndpoints
from market.sandbox.exchange import Exchange

PREFIX = "/api/v3/brokerage"

Scope = Literal["public", "view", "trade"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    method: str
    path: str
    scope: Scope
    handler: Handler


class Rest:
    """`keys` by name; more may be put in, and taken out, at any time. `now`: what the server's clock shows, ms."""

    def __init__(self, exchange: Exchange, keys: Mapping[str, Key], now: Callable[[], int]) -> None:
        self.keys, self.now = keys, now
        self.limits = Limits(now)
        self.market, self.account = MarketEndpoints(exchange, now), AccountEndpoints(exchange, now())

    def routes(self) -> list[web.RouteDef]:
        return [web.route(item.method, PREFIX + item.path, self._serve(item)) for item in self._endpoints()]

    def _endpoints(self) -> list[Endpoint]:
        # The order counts: the first path that fits is taken.
        return [
            Endpoint("GET", "/time", "public", self.market.time),
            Endpoint("GET", "/market/products", "public", self.market.products),
            Endpoint("GET", "/market/products/{product_id}", "public", self.market.product),
            Endpoint("GET", "/market/products/{product_id}/candles", "public", self.market.candles),
            Endpoint("GET", "/market/products/{product_id}/ticker", "public", self.market.ticker),
            Endpoint("GET", "/market/product_book", "public", self.market.book),
            Endpoint("GET", "/products", "view", self.market.products),
            Endpoint("GET", "/products/{product_id}", "view", self.market.product),
            Endpoint("GET", "/products/{product_id}/candles", "view", self.market.candles),
            Endpoint("GET", "/products/{product_id}/ticker", "view", self.market.ticker),
            Endpoint("GET", "/product_book", "view", self.market.book),
            Endpoint("GET", "/best_bid_ask", "view", self.market.best_bid_ask),
            Endpoint("GET", "/accounts", "view", self.account.accounts),
            Endpoint("GET", "/accounts/{account_id}", "view", self.account.account),
            Endpoint("GET", "/key_permissions", "view", self.account.permissions),
            Endpoint("GET", "/transaction_summary", "view", self.account.transaction_summary),
            Endpoint("POST", "/orders", "trade", self.account.place),
            Endpoint("POST", "/orders/batch_cancel", "trade", self.account.cancel),
            Endpoint("GET", "/orders/historical/batch", "view", self.account.orders),
            Endpoint("GET", "/orders/historical/fills", "view", self.account.fills),
            Endpoint("GET", "/orders/historical/{order_id}", "view", self.account.order),
        ]

    def _serve(self, endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def serve(request: web.Request) -> web.Response:
            headers: dict[str, str] = {}
            try:
                key = None if endpoint.scope == "public" else self._key(request)
                allowed, headers = self.limits.take(*((key.name, PRIVATE) if key else (request.remote or "", PUBLIC)))
                if not allowed:
                    raise Problem(429, "RATE_LIMIT_EXCEEDED", "too many requests")
                _check_scope(key, endpoint.scope)
                body = await _body(request) if endpoint.method == "POST" else {}
                return _json(endpoint.handler(Call(key, request.match_info, request.query, body)), headers=headers)
            except Unauthorised:
                return web.Response(status=401, text="Unauthorized\n")
            except Problem as problem:
                return _json(problem.body, problem.status, headers)

        return serve

    def _key(self, request: web.Request) -> Key:
        """Whose token it is: one for this very request."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer":
            raise Unauthorised("no token")
        key, uri = check(token, self.keys, self.now() / 1000)
        if uri != f"{request.method} {request.host}{request.path}":
            raise Unauthorised("a token for another request")
        return key


def _check_scope(key: Key | None, scope: Scope) -> None:
    if key is not None and not (key.can_trade if scope == "trade" else key.can_view):
        raise Problem(403, "PERMISSION_DENIED", "Missing required scopes")


async def _body(request: web.Request) -> Json:
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise invalid("the body must be a JSON object")
    return body


def _json(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, headers=headers, content_type="application/json")
