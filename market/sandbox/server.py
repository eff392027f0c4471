"""Both venues on one port, driven by one tape."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from market.sandbox import control, instruments, keys, state
from market.sandbox.binance.face import BinanceFace
from market.sandbox.coinbase.face import CoinbaseFace
from market.sandbox.exchange import SandboxExchange
from market.sandbox.faults import VENUES, FaultScript
from market.sandbox.history import SandboxCandle
from market.sandbox.instruments import ListedInstrument
from market.sandbox.middleware import FAULTS, STOPPING, apply_faults
from market.sandbox.sockets import SOCKETS, ClientSockets
from market.sandbox.tape import Tape, TapeTrade
from market.sandbox.walk import PriceWalk

HOST = "127.0.0.1"
RATE = 16.0
"""Trades a second of the walk, over all symbols."""
Answer = TypeVar("Answer")
LISTED: Mapping[str, Sequence[ListedInstrument]] = {"binance": instruments.BINANCE, "coinbase": instruments.COINBASE}


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a sandbox plays. `speed` is in times real time: 0 as fast as can be, None only by `step` (for tests).

    Without `ticks` the seeded walk goes on for ever, `rate` trades a second, with `minutes` one-minute candles before it.
    With them, `past` may hold the candles from before, by venue and symbol. `start` (ms) is when it begins: now, unless given.
    """

    seed: int = 1
    speed: float | None = 1.0
    start: int | None = None
    rate: float = RATE
    minutes: int = 1440
    ticks: Iterable[TapeTrade] | None = None
    past: Mapping[tuple[str, str], Sequence[SandboxCandle]] = field(default_factory=dict)
    listed: Mapping[str, Sequence[ListedInstrument]] = field(default_factory=lambda: LISTED)
    faults: Sequence[Mapping[str, Any]] = ()
    state: Path | None = None
    """A file that keeps the accounts across restarts."""


class Sandbox:
    """The server. Use `start` and `stop` on a running loop; `exchanges`, `faults` and `tape` may be used between, on that loop."""

    def __init__(self, scenario: Scenario | None = None) -> None:
        self.scenario = plan = scenario or Scenario()
        start = int(time.time() * 1000) if plan.start is None else plan.start
        walk = PriceWalk(plan.listed, plan.seed)
        past = plan.past or (walk.past(start, plan.minutes) if plan.ticks is None else {})
        self.tape = Tape(walk.ticks(start, plan.rate) if plan.ticks is None else plan.ticks, self._play, start=start)
        self.faults = FaultScript(plan.faults, seed=plan.seed, clock=self._now)
        self.keys = {"binance": keys.binance_key(plan.seed), "coinbase": keys.coinbase_key(plan.seed)}
        self.exchanges = {venue: self._exchange(venue, past) for venue in VENUES}
        if plan.state:
            state.load_accounts(plan.state, self.exchanges, plan.seed)
        self.sockets = ClientSockets(self.faults)
        self.binance = BinanceFace(self.exchanges["binance"], self.keys["binance"], lambda: self.wall("binance"))
        self.coinbase = CoinbaseFace(self.exchanges["coinbase"], self.keys["coinbase"], lambda: self.wall("coinbase"))
        self.port = 0
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def wall(self, venue: str) -> int:
        """The venue's clock, which clients must agree with: real time, as far off as the faults say."""
        return int(time.time() * 1000) + self.faults.clock_skew(venue)

    def step(self, milliseconds: int) -> None:
        """Moves the market on by hand."""
        self.tape.step(milliseconds)
        self.strike()

    def strike(self) -> None:
        """Lets happen what the faults say happens now."""
        for exchange in self.exchanges.values():
            exchange.expire(self.tape.now)
        for rule in self.faults.take_due():
            control.apply_rule(rule, self.exchanges, self.sockets)
        self.binance.advance(self.tape.now)

    async def start(self, port: int = 0) -> None:
        """Serves on 127.0.0.1; port 0 takes a free one, which `port` then names."""
        self._runner = web.AppRunner(self._app(), shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        if self.scenario.speed is not None:
            self._tasks.append(asyncio.create_task(self.tape.run(self.scenario.speed, self.strike)))
        if self.scenario.state:
            self._tasks.append(asyncio.create_task(self._keep()))

    async def stop(self) -> None:
        self._stopping.set()
        for task in self._tasks:
            task.cancel()
        self.save()
        self.sockets.close()
        await self.coinbase.close()
        await self._runner.cleanup()

    def permit(self, *, can_trade: bool = True, can_withdraw: bool = False, ip_restricted: bool = False) -> None:
        """What the keys may do from now on."""
        for venue, exchange in self.exchanges.items():
            account = exchange.accounts[self.keys[venue].name]
            account.can_trade, account.can_withdraw, account.ip_restricted = can_trade, can_withdraw, ip_restricted
        self.coinbase.permit(self.keys["coinbase"].name, can_trade=can_trade, can_transfer=can_withdraw)

    def save(self) -> None:
        """The accounts to the file of the scenario, if it has one."""
        if self.scenario.state:
            state.save_accounts(self.scenario.state, self.exchanges, self.scenario.seed)

    async def _keep(self) -> None:
        """Saves them within a second of each change."""
        saved = None
        while True:
            now = [(exchange.sequence, dict(exchange.outside)) for exchange in self.exchanges.values()]
            if now != saved:
                self.save()
                saved = now
            await asyncio.sleep(1)

    def addresses(self) -> dict[str, Any]:
        """Where and with which keys to reach it, as `manage.py sandbox --json` prints it."""
        http, ws = f"http://{HOST}:{self.port}", f"ws://{HOST}:{self.port}"
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

    def _now(self) -> int:
        return self.tape.now

    def _play(self, tick: TapeTrade) -> None:
        self.exchanges[tick.venue].trade(tick.symbol, tick.price, tick.qty, buyer_is_maker=tick.buyer_is_maker, time=tick.time)

    def _exchange(self, venue: str, past: Mapping[tuple[str, str], Sequence[SandboxCandle]]) -> SandboxExchange:
        fees = instruments.BINANCE_FEES if venue == "binance" else instruments.COINBASE_FEES
        exchange = SandboxExchange(venue, self.scenario.listed[venue], fees, seed=self.scenario.seed, clock=self._now)
        for symbol, market in exchange.markets.items():
            market.history.load_minutes(past.get((venue, symbol), ()))
        exchange.open_account(self.keys[venue].name, instruments.BALANCES[venue])
        return exchange

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[apply_faults], client_max_size=1 << 20)
        app[FAULTS], app[SOCKETS], app[STOPPING] = self.faults, self.sockets, self._stopping
        self.coinbase.add_routes(app)
        self.binance.add_routes(app)
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
    """A sandbox in a thread. `addresses` as `Sandbox.addresses`; `do` calls something on its loop and waits for the answer."""

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
        """`call()` on the sandbox's loop: the way to its exchanges and faults from a test's thread."""

        async def called() -> Answer:
            return call()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(30)

    def exchange(self, venue: str) -> SandboxExchange:
        """To look at; use `do` for all that changes it."""
        return self.sandbox.exchanges[venue]

    def key(self, venue: str) -> str:
        """The API key, which is also the account's name."""
        return self.sandbox.keys[venue].name

    def permit(self, **permissions: bool) -> None:
        """What the keys of both venues may do: `can_trade`, `can_withdraw`, `ip_restricted`."""
        self.do(lambda: self.sandbox.permit(**permissions))

    def step(self, milliseconds: int) -> None:
        self.do(lambda: self.sandbox.step(milliseconds))

    def trade(self, venue: str, symbol: str, price: str, qty: str = "1", *, buyer_is_maker: bool = True) -> None:
        """A trade of others, now."""
        self.do(lambda: self.exchange(venue).trade(symbol, Decimal(price), Decimal(qty), buyer_is_maker=buyer_is_maker))

    def fault(self, *rules: Mapping[str, Any]) -> None:
        """Adds rules; those that happen by themselves happen at once if they are due."""

        def strike() -> None:
            self.sandbox.faults.add(rules)
            self.sandbox.strike()

        self.do(strike)

    def mend(self) -> None:
        """No faults any more."""
        self.do(self.sandbox.faults.clear)
