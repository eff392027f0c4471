"""The checkout's sandbox exchange in a process of its own, whose prices move when they are told to."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any

from benchmarks.pairs.lookup import find_name
from benchmarks.pairs.probes import Answer

SYMBOLS = [f"B{number:03d}-USDT" for number in range(20)]
PRICE, TICK, LOT = Decimal(100), Decimal("0.0001"), Decimal("0.0001")
QUANTITY = Decimal("0.5")
RATE = 20.0
"""Trades of others a second, over all symbols: prices must not grow old."""
MINUTES = 30
PLENTY, MONEY = 10_000_000, Decimal(10) ** 9
PATIENCE = 60.0


class Venue:
    """Answers each `price` with the seconds until every symbol has had an order filled since."""

    def __init__(self, var: str, rounds: int) -> None:
        self.price = PRICE

    def prepare(self) -> Answer:
        """Its addresses and keys."""
        server: Any = importlib.import_module("market.sandbox.server")
        scenario = find_name("market.sandbox.scenario:Scenario", "market.sandbox.server:Scenario")
        self.running = server.RunningSandbox(self.make_scenario(scenario))
        self.running.start()
        self.exchange = self.running.exchange("binance")
        self.account = self.running.key("binance")
        self.running.do(self.open_up)
        return dict(self.running.addresses["binance"])

    def make_scenario(self, scenario: Any) -> Any:
        start = int(time.time() * 1000)
        instrument = find_name("market.sandbox.instruments:ListedInstrument", "market.sandbox.instruments:Instrument")
        listed = [instrument(name, TICK, LOT, LOT, Decimal(10**9), Decimal(5), PRICE) for name in SYMBOLS]
        past = make_past(start)
        return scenario(start=start, ticks=self.make_ticks(start), past=past, listed={"binance": listed, "coinbase": ()})

    def make_ticks(self, start: int) -> Iterator[Any]:
        """The symbols in turn, evenly, at the price of the moment."""
        tick = find_name("market.sandbox.tape:TapeTrade", "market.sandbox.tape:Tick")
        for number in count():
            moment = start + int(number * 1000 / RATE)
            yield tick("binance", SYMBOLS[number % len(SYMBOLS)], self.price, QUANTITY, bool(number % 2), moment)

    def open_up(self) -> None:
        """Money, and no limit that a fast round would meet."""
        limits = self.running.sandbox.binance.limits
        for window in (limits.weight, limits.orders, limits.orders_a_day):
            window.limit = PLENTY
        self.exchange.deposit(self.account, "USDT", MONEY)

    def measure(self, request: Answer) -> Answer:
        self.price = Decimal(request["price"])
        began, wanted = time.perf_counter(), self.running.do(self.count_fills) + len(SYMBOLS)
        self.running.do(self.trade)
        while self.running.do(self.count_fills) < wanted:
            if time.perf_counter() - began > PATIENCE:
                raise TimeoutError(f"{self.count_fills()} fills, and {wanted} were expected")
            time.sleep(0.005)
        return {"seconds": time.perf_counter() - began}

    def trade(self) -> None:
        """Others trade each symbol at the price: frames leave."""
        for name in SYMBOLS:
            self.exchange.trade(name, self.price, QUANTITY, buyer_is_maker=False)

    def count_fills(self) -> int:
        return len(self.exchange.accounts[self.account].fills)

    def close(self) -> None:
        if hasattr(self, "running"):
            self.running.stop()


def make_past(start: int) -> Any:
    candle = find_name("market.sandbox.history:SandboxCandle", "market.sandbox.history:Candle")
    begin = start - start % 60_000 - MINUTES * 60_000
    flat = [candle(begin + i * 60_000, PRICE, PRICE, PRICE, PRICE, Decimal(10)) for i in range(MINUTES)]
    return {("binance", name): list(flat) for name in SYMBOLS}
