"""The sandbox's process: `python -m benchmarks.live.venue SYMBOLS TICKS SHAPE`. Prints its addresses as JSON, ends with its input.

Shapes of each minute's prices: `wave`, flat for four seconds, half of the symbols up by RISE for 48 and the others down, in turn,
and flat for the rest: purchases and stops come evenly; `flat`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import count

from market.sandbox.history import SandboxCandle
from market.sandbox.instruments import ListedInstrument
from market.sandbox.scenario import Scenario
from market.sandbox.server import Sandbox
from market.sandbox.tape import TapeTrade

PRICE = Decimal(100)
TICK = Decimal("0.0001")
RISE = 0.02
QUIET, SLOPE = 4.0, 48.0
"""Seconds."""
MINUTES = 30
PLENTY = 10_000_000
MONEY = Decimal(10) ** 9


def symbols(many: int) -> list[str]:
    return [f"B{number:03d}-USDT" for number in range(many)]


def instruments(many: int) -> list[ListedInstrument]:
    lot = Decimal("0.0001")
    return [ListedInstrument(name, TICK, lot, lot, Decimal(10**9), Decimal(5), PRICE) for name in symbols(many)]


def rise(moment: int, symbol: int) -> float:
    """By which share the price is above PRICE, at a moment in milliseconds."""
    minute, within = divmod(moment, 60_000)
    way = min(max((within / 1000 - QUIET) / SLOPE, 0.0), 1.0)
    return RISE * (way if (minute + symbol) % 2 else 1.0 - way)


def ticks(many: int, rate: float, shape: str, start: int) -> Iterator[TapeTrade]:
    """The symbols in turn, evenly."""
    names, quantity = symbols(many), Decimal("0.5")
    for number in count():
        moment = start + int(number * 1000 / rate)
        share = rise(moment, number % many) if shape == "wave" else 0.0
        price = PRICE + TICK * int(float(PRICE / TICK) * share)
        yield TapeTrade("binance", names[number % many], price, quantity, number // many % 2 == 0, moment)


def past(many: int, start: int) -> dict[tuple[str, str], list[SandboxCandle]]:
    begin = start - start % 60_000 - MINUTES * 60_000
    flat = [SandboxCandle(begin + i * 60_000, PRICE, PRICE, PRICE, PRICE, Decimal(10)) for i in range(MINUTES)]
    return {("binance", name): list(flat) for name in symbols(many)}


def sandbox(many: int, rate: float, shape: str) -> Sandbox:
    start = int(time.time() * 1000)
    listed = {"binance": instruments(many), "coinbase": ()}
    made = Sandbox(Scenario(start=start, ticks=ticks(many, rate, shape, start), past=past(many, start), listed=listed))
    for window in (made.binance.limits.weight, made.binance.limits.orders, made.binance.limits.orders_a_day):
        window.limit = PLENTY
    made.exchanges["binance"].deposit(made.keys["binance"].name, "USDT", MONEY)
    return made


async def serve(many: int, rate: float, shape: str) -> None:
    made = sandbox(many, rate, shape)
    await made.start()
    try:
        print(json.dumps(made.addresses()["binance"]), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    finally:
        await made.stop()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]))
