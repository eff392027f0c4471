"""The sandbox as a server: both venues and the control endpoint on one port."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TypeVar

from aiohttp import web

from market.sandbox import control
from market.sandbox.chains.demo import demo_nodes
from market.sandbox.exchange import SandboxExchange
from market.sandbox.middleware import FAULTS, STOPPING, apply_faults
from market.sandbox.scenario import Scenario
from market.sandbox.sockets import SOCKETS
from market.sandbox.venues import SandboxVenues

HOST = "127.0.0.1"
ANY_HOST = ("0.0.0.0", "::")  # noqa: S104
"""Listens on every address of the machine."""
Answer = TypeVar("Answer")


class Sandbox(SandboxVenues):
    """The venues on a port. Call `start` and `stop` on a running loop, and everything between them on that loop too."""

    def __init__(self, scenario: Scenario | None = None) -> None:
        super().__init__(scenario)
        self.port = 0
        self.host = HOST
        self.chains = demo_nodes()
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, port: int = 0, listener: socket.socket | None = None, host: str = HOST) -> None:
        """Serves on `host`, or on a socket that is bound already. Port 0 takes a free one, which `port` then names."""
        self._runner = web.AppRunner(self._make_app(), shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        self.keep_accounts()
        await (web.SockSite(self._runner, listener) if listener else web.TCPSite(self._runner, host, port)).start()
        self.host = HOST if host in ANY_HOST else host
        self.port = self._runner.addresses[0][1]
        if self.scenario.speed is not None:
            self._tasks.append(asyncio.create_task(self.tape.run(self.scenario.speed, self.strike)))
        if self.scenario.state:
            self._tasks.append(asyncio.create_task(self._keep_saving()))

    async def stop(self) -> None:
        self._stopping.set()
        for task in self._tasks:
            task.cancel()
        self.save(last=True)
        self.sockets.close()
        await self.coinbase.close()
        await self._runner.cleanup()

    async def _keep_saving(self) -> None:
        """Saves the accounts within a second of each change, so that the journal stays short."""
        last = None
        while True:
            now = [(exchange.sequence, exchange.next_movement, dict(exchange.outside)) for exchange in self.exchanges.values()]
            if now != last:
                self.save()
                last = now
            await asyncio.sleep(1)

    def addresses(self) -> dict[str, Any]:
        """The addresses and keys of both venues, as `manage.py sandbox --json` prints them: those that this machine reaches."""
        place = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        http, ws = f"http://{place}", f"ws://{place}"
        binance, coinbase = self.keys["binance"], self.keys["coinbase"]
        return {
            "binance": {
                "rest": http,
                "ws": ws,
                "ws_api": f"{ws}/ws-api/v3",
                "api_key": binance.name,
                "api_secret": binance.secret,
                "symbols": list(self.exchanges["binance"].markets),
            },
            "coinbase": {
                "rest": http,
                "ws": f"{ws}/coinbase/ws",
                "ws_user": f"{ws}/coinbase/ws/user",
                "api_key": coinbase.name,
                "api_secret": coinbase.secret,
                "symbols": list(self.exchanges["coinbase"].markets),
            },
        }

    def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[apply_faults], client_max_size=1 << 20)
        app[FAULTS], app[SOCKETS], app[STOPPING] = self.faults, self.sockets, self._stopping
        self.coinbase.add_routes(app)
        self.binance.add_routes(app)
        self.chains.add_routes(app)
        control.add_routes(app, self)
        return app


@contextmanager
def running_sandbox(scenario: Scenario | None = None) -> Iterator[RunningSandbox]:
    """A sandbox on a loop in a thread of its own, for tests."""
    running = RunningSandbox(scenario or Scenario(speed=None, minutes=120))
    running.start()
    try:
        yield running
    finally:
        running.stop()


class RunningSandbox:
    """A sandbox in a thread, with the `addresses` of `Sandbox.addresses`."""

    def __init__(self, scenario: Scenario) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sandbox", daemon=True)
        self._scenario = scenario

    def start(self) -> None:
        self._thread.start()
        self.sandbox: Sandbox = self.do(lambda: Sandbox(self._scenario))
        asyncio.run_coroutine_threadsafe(self.sandbox.start(), self._loop).result(10)
        self.addresses = self.sandbox.addresses()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.sandbox.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def do(self, call: Callable[[], Answer]) -> Answer:
        """Calls `call()` on the sandbox's loop: a test's thread reaches the exchanges and faults this way."""

        async def run_call() -> Answer:
            return call()

        return asyncio.run_coroutine_threadsafe(run_call(), self._loop).result(30)

    def exchange(self, venue: str) -> SandboxExchange:
        """An exchange to look at. Whatever changes it has to go through `do`."""
        return self.sandbox.exchanges[venue]

    def key(self, venue: str) -> str:
        """The API key, which is also the account's name."""
        return self.sandbox.keys[venue].name

    def permit(self, **permissions: bool) -> None:
        """Sets what the keys of both venues may do: `can_trade`, `can_withdraw`, `ip_restricted`."""
        self.do(lambda: self.sandbox.permit(**permissions))

    def step(self, milliseconds: int) -> None:
        self.do(lambda: self.sandbox.step(milliseconds))

    def trade(self, venue: str, symbol: str, price: str, qty: str = "1", *, buyer_is_maker: bool = True) -> None:
        """Makes a trade of others, now."""
        self.do(lambda: self.exchange(venue).trade(symbol, Decimal(price), Decimal(qty), buyer_is_maker=buyer_is_maker))

    def fault(self, *rules: Mapping[str, Any]) -> None:
        """Adds rules. Those that strike by themselves do so at once if they are due."""

        def strike() -> None:
            self.sandbox.faults.add(rules)
            self.sandbox.strike()

        self.do(strike)

    def mend(self) -> None:
        """Takes all faults away."""
        self.do(self.sandbox.faults.clear)
