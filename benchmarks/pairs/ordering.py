"""The probe of an order: a stream worker with bots on the sandbox exchange, from the frame that raises a price to the order that it
sets off, sent and filled."""

from __future__ import annotations

import asyncio
import importlib
import threading
import time
from collections.abc import Coroutine
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pairs.checkouts import Worker
from benchmarks.pairs.lookup import load_engine
from benchmarks.pairs.probes import Answer
from benchmarks.pairs.services import Meter, start_django
from benchmarks.pairs.venue import PRICE, SYMBOLS

WARM_ROUNDS = 2
STEP = Decimal("0.1")
"""By which the price rises from round to round; a bot's level is half of that below."""
SECONDS = 2.0
"""Of a round, fills and their reports included: by then a worker is idle again."""
QUIET = (6, 52)
"""Seconds of a minute in which a round may begin: none falls on the closing of candles, when every bot decides."""
PATIENCE = 300.0
BOT = {
    "strategy": "bench_ladder",
    "venue": "binance-sandbox",
    "interval": "1m",
    "cash": "1000",
    "fee_bps": 10,
    "sizing": {"kind": "fixed", "value": "20"},
}


def price_of(number: int) -> Decimal:
    """To which the round of that number raises every symbol."""
    return PRICE + STEP * (number + 1)


class Orders:
    """Twenty orders a round: each symbol has one bot for each round, which waits for that round's price."""

    def __init__(self, var: str, rounds: int) -> None:
        self.rounds, self.number = rounds + WARM_ROUNDS, 0
        self.services = start_django(var)
        self.venue = Worker(Path.cwd(), "venue", Path(var, "venue"), self.rounds)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.running: asyncio.Task[None] | None = None

    def prepare(self) -> Answer:
        """Ends in the minute after every bot has decided once."""
        from django.conf import settings

        settings.WATCHLIST = {}
        self.open_bots(open_wallet(self.venue.hear()))
        load_engine("warm").warm_live()
        self.do(self.start_worker())
        self.await_ready()
        time.sleep(60 - time.time() % 60 + QUIET[0])
        for _ in range(WARM_ROUNDS):
            self.measure({})
        return {}

    def open_bots(self, wallet_id: str) -> None:
        registry = load_engine("strategies.registry")
        find = getattr(registry, "find_strategies", None) or registry.found
        find().add(make_strategy())
        bots: Any = importlib.import_module("trading.services.bots")
        for number in range(self.rounds):
            for symbol in SYMBOLS:
                config = {**BOT, "symbols": [symbol], "params": {"level": float(price_of(number) - STEP / 2)}}
                bot = bots.bot_create(name=f"bench {number} {symbol}", mode="testnet", wallet_id=wallet_id, config=config)
                bots.bot_start(bot_id=bot.bot_id)

    async def start_worker(self) -> None:
        self.worker = importlib.import_module("trading.live.worker").StreamWorker(name="bench", warm=True)
        self.running = asyncio.create_task(self.worker.run())

    def await_ready(self) -> None:
        """Until every bot may trade."""
        deadline = time.monotonic() + PATIENCE
        while self.do(self.count_ready()) < self.rounds * len(SYMBOLS):
            if time.monotonic() > deadline:
                raise TimeoutError("The bots are not ready.")
            time.sleep(0.2)

    async def count_ready(self) -> int:
        if hasattr(self.worker, "stations"):  # a checkout from before the venue worker had parts
            stations = self.worker.stations.values()
            return sum(not station.ready(one) for station in stations for one in station.roster.all())
        return sum(not one.steps.explain_not_ready() for venue in self.worker.venues.values() for one in venue.bots.list_all())

    def measure(self, request: Answer) -> Answer:
        """`cpu`: an order's share of what the worker and its sessions take in a round, less what the same time without orders takes
        (a third of it). `wall`: from the frames that leave the venue to the last of the orders filled there."""
        await_quiet()
        meter = Meter()
        time.sleep(SECONDS)
        idle = meter.read()
        meter = Meter()
        seconds = self.venue.ask({"price": str(price_of(self.number))})["seconds"]
        time.sleep(max(0.0, SECONDS - seconds))
        self.number += 1
        self.await_filled()
        busy = meter.read()
        return {"cpu": (busy[0] - idle[0] * busy[1] / idle[1]) / len(SYMBOLS), "wall": seconds}

    def await_filled(self) -> None:
        """Until the rows say so, too; on a slow machine a round takes longer than it should."""
        orders = importlib.import_module("trading.models").Order.objects.filter(status="filled")
        deadline = time.monotonic() + PATIENCE
        while (filled := orders.count()) < self.number * len(SYMBOLS):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{filled} orders are filled, and {self.number * len(SYMBOLS)} should be.")
            time.sleep(0.25)

    def do(self, errand: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(errand, self.loop).result(PATIENCE)

    async def stop_worker(self) -> None:
        if self.running:
            self.running.cancel()
            with suppress(asyncio.CancelledError):
                await self.running

    def close(self) -> None:
        self.do(self.stop_worker())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.venue.__exit__(None, None, None)
        self.services.stop()


def await_quiet() -> None:
    second = time.time() % 60
    if not QUIET[0] <= second <= QUIET[1]:
        time.sleep((QUIET[0] - second) % 60)


def open_wallet(addresses: Answer) -> str:
    """A wallet with an account at the sandbox: its id."""
    services: Any = importlib.import_module("wallets.services")
    account = services.account_create(
        name="bench",
        venue="binance",
        environment="sandbox",
        api_key=addresses["api_key"],
        secret=addresses["api_secret"],
        **{name: addresses[name] for name in ("rest", "ws", "ws_api")},
    )
    return str(services.wallet_create(name="bench", kind="exchange", quote="USDT", account=account).wallet_id)


def make_strategy() -> Any:
    """One that always waits for the same price, and buys there."""
    strategy, signals = load_engine("strategy"), load_engine("types").Signals

    class Ladder(strategy.Strategy):  # type: ignore[misc, name-defined]
        name, title, description = "bench_ladder", "Ladder", "For benchmarks."
        level: float = strategy.number(100.0, low=0, high=1_000_000)

        def warmup(self) -> int:
            return 1

        def indicators(self, candles: Any) -> dict[str, Any]:
            return {}

        def signals(self, candles: Any, columns: Any) -> Any:
            return signals(entry=np.ones(len(candles), dtype=np.bool_), entry_stop=np.full(len(candles), self.level))

    return Ladder
