"""Coinbase Advanced Trade on a server: REST under `/api/v3/brokerage`, WebSockets under `/coinbase/ws` and `/coinbase/ws/user`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aiohttp import web

from market.sandbox import keys
from market.sandbox.coinbase.channels import CoinbaseChannels
from market.sandbox.coinbase.connections import CoinbaseConnection, Feed
from market.sandbox.coinbase.rest import CoinbaseRestFace
from market.sandbox.coinbase.tokens import PublicKey, RegisteredKey, public_key
from market.sandbox.exchange import SandboxExchange
from market.sandbox.sockets import accept_socket


class CoinbaseFace:
    """The first `key` opens the account of its name. `now` is the server's clock, ms."""

    def __init__(self, exchange: SandboxExchange, key: keys.ClientKey, now: Callable[[], int]) -> None:
        self.now = now
        self.keys: dict[str, RegisteredKey] = {}
        self.rest = CoinbaseRestFace(exchange, self.keys, now)
        self.channels = CoinbaseChannels(exchange, now)
        self._clock: asyncio.Task[None] | None = None
        self.admit(key.name, public_key(key.secret), key.name)

    def admit(self, name: str, public: PublicKey, account: str, **permissions: bool) -> None:
        """Adds a key to an account, with `can_view`, `can_trade`, `can_transfer`."""
        self.keys[name] = RegisteredKey(name, public, account, **permissions)

    def permit(self, name: str, *, can_view: bool = True, can_trade: bool = True, can_transfer: bool = False) -> None:
        """Gives a key other permissions from now on."""
        self.keys[name] = replace(self.keys[name], can_view=can_view, can_trade=can_trade, can_transfer=can_transfer)

    def revoke(self, name: str) -> None:
        """Forgets a key."""
        del self.keys[name]

    def add_routes(self, app: web.Application) -> None:
        app.add_routes(self.rest.list_routes())
        app.add_routes([web.get("/coinbase/ws", self._market), web.get("/coinbase/ws/user", self._user)])
        app.on_startup.append(self._start)

    async def close(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._clock

    async def _start(self, _: Any) -> None:
        self._clock = asyncio.create_task(self.channels.run())

    async def _market(self, request: web.Request) -> web.WebSocketResponse:
        return await self._serve(request, "market", "coinbase/ws")

    async def _user(self, request: web.Request) -> web.WebSocketResponse:
        return await self._serve(request, "user", "coinbase/ws/user")

    async def _serve(self, request: web.Request, feed: Feed, stream: str) -> web.WebSocketResponse:
        socket = await accept_socket(request, stream)
        await CoinbaseConnection(socket, feed, self.channels, self.keys, self.now).serve()
        return socket.response
