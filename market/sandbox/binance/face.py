"""Binance's face, put together."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from market.sandbox.binance import rest
from market.sandbox.binance.calls import CallRunner
from market.sandbox.binance.limits import BinanceRateLimits
from market.sandbox.binance.quotes import Quotes
from market.sandbox.binance.signing import SignatureChecker
from market.sandbox.binance.streams import BinanceStreams
from market.sandbox.binance.trading import Trading
from market.sandbox.binance.wsapi import WebSocketApi
from market.sandbox.events import Event
from market.sandbox.exchange import SandboxExchange
from market.sandbox.keys import ClientKey


class BinanceFace:
    """`wall` is the server's clock (ms), which signed requests must agree with."""

    def __init__(self, exchange: SandboxExchange, key: ClientKey, wall: Callable[[], int]) -> None:
        self.limits = BinanceRateLimits(wall)
        quotes = Quotes(exchange, self.limits, wall)
        self.runner = CallRunner(exchange, quotes, Trading(exchange, quotes), SignatureChecker(key, wall))
        self.streams = BinanceStreams(exchange)
        self.api = WebSocketApi(self.runner)
        exchange.listen(self._on_event)

    def add_routes(self, app: web.Application) -> None:
        rest.add_routes(app, self.runner)
        app.router.add_get("/ws", self.streams.serve)
        app.router.add_get("/ws/{names:.*}", self.streams.serve)
        app.router.add_get("/stream", self.streams.serve)
        app.router.add_get("/ws-api/v3", self.api.serve)

    def advance(self, now: int) -> None:
        """Time has passed on the market's clock."""
        self.streams.advance(now)

    def _on_event(self, event: Event) -> None:
        self.streams.on_event(event)
        self.api.on_event(event)
