"""Binance's face, put together."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from market.sandbox.binance import rest
from market.sandbox.binance.calls import Desk
from market.sandbox.binance.limits import Limits
from market.sandbox.binance.quotes import Quotes
from market.sandbox.binance.signing import Signing
from market.sandbox.binance.streams import Streams
from market.sandbox.binance.trading import Trading
from market.sandbox.binance.wsapi import WebSocketApi
from market.sandbox.events import Event
from market.sandbox.exchange import Exchange
from market.sandbox.keys import Key


class BinanceFace:
    """`wall` is the server's clock (ms), which signed requests must agree with."""

    def __init__(self, exchange: Exchange, key: Key, wall: Callable[[], int]) -> None:
        self.limits = Limits(wall)
        quotes = Quotes(exchange, self.limits, wall)
        self.desk = Desk(exchange, quotes, Trading(exchange, quotes), Signing(key, wall))
        self.streams = Streams(exchange)
        self.api = WebSocketApi(self.desk)
        exchange.listen(self._hear)

    def add_routes(self, app: web.Application) -> None:
        rest.add_routes(app, self.desk)
        app.router.add_get("/ws", self.streams.serve)
        app.router.add_get("/ws/{names:.*}", self.streams.serve)
        app.router.add_get("/stream", self.streams.serve)
        app.router.add_get("/ws-api/v3", self.api.serve)

    def beat(self, now: int) -> None:
        """Time has passed on the market's clock."""
        self.streams.beat(now)

    def _hear(self, event: Event) -> None:
        self.streams.hear(event)
        self.api.hear(event)
