"""Load the engine's compiled code, compiling it where this machine has not done so yet.

`python -m engine.warm` does it ahead of the first run. What running bots need comes first: a desk begins to compile it
while it prepares, and a worker of runs leaves the cores to that before it does its own part. Of several processes one compiles,
and the others wait and take what it made."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import llvmlite.binding as llvm
import numba
import numpy as np
from numba import config

from engine.live import OHLCV, SignalRow, Trader, kernel
from engine.metrics import measure
from engine.simulator import simulate
from engine.strategies import registry
from engine.strategy import Strategy, evaluate
from engine.sweep import Bench
from engine.types import Account, Candles

CANDLE = {"BTC-USD": OHLCV(100.0, 100.0, 100.0, 100.0, 1.0)}


def warm_all() -> None:
    """All of it: less than a minute the first time, a second later. What a stream worker waits for comes first."""
    warm_live()
    for kind in registry.list_strategies():
        with compile_alone("runs"):
            warm_runs(kind, make_candles())


def warm_live() -> None:
    """What a running bot needs: its strategy's indicators, and the driver."""
    with compile_alone("live"):
        load_live()


def load_live() -> None:
    warm_indicators()
    for external in (False, True):
        warm_trader(make_trader(external=external))
    mark_file().touch()


def compile_live() -> None:
    """`load_live` by two processes, half of it each. Both end when the process that holds their input ends, however it does."""
    end_with_input()
    command = [sys.executable, "-m", "engine.warm", "beside"]
    with compile_alone("live"), subprocess.Popen(command, stdin=subprocess.PIPE) as beside:
        trader = make_trader(external=False)
        trader.trader_state.run(kernel.step_open, trader.trader_state.t, trader.trader_state.entries_allowed)
        trader.trader_state.run(kernel.step_inside, trader.trader_state.t)
        beside.wait()
        load_live()


def compile_beside() -> None:
    """The other half: neither a bot at a venue nor a sale needs what is matched here."""
    end_with_input()
    warm_trader(make_trader(external=True))
    make_trader(external=False).sell_all()
    warm_indicators()


def end_with_input() -> None:
    threading.Thread(target=lambda: os.read(0, 1) or os._exit(1), daemon=True).start()


def live_is_compiled() -> bool:
    """Whether `warm_live` has nothing to compile here. This is cheap to ask."""
    return mark_file().exists()


def live_is_being_compiled() -> bool:
    """By another process."""
    with (cache_folder() / "compiling-live").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def mark_file() -> Path:
    """The file that marks compiled code as ready. It names Python, numba and processor, since the code is good for no other."""
    return cache_folder() / f"live-{sys.implementation.cache_tag}-{numba.__version__}-{llvm.get_host_cpu_name()}"


def cache_folder() -> Path:
    path = Path(getattr(config, "CACHE_DIR"))  # noqa: B009  (numba's settings are not typed)
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def compile_alone(part: str) -> Iterator[None]:
    """One process compiles a part (`live`, `runs`) at a time. The operating system frees the lock however its holder ends."""
    with (cache_folder() / f"compiling-{part}").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def after_live() -> Iterator[None]:
    """Within it, what runs need is compiled: after what bots need, which must not wait."""
    with compile_alone("live"):
        pass
    with compile_alone("runs"):
        yield


def warm_indicators() -> None:
    candles = make_candles()
    for kind in registry.list_strategies():
        evaluate(kind(), candles)


def make_candles() -> Candles:
    close = 100 + np.cumsum(np.sin(np.arange(2_000)) + 0.01)
    opened = np.concatenate([close[:1], close[:-1]])
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    return Candles("BTC-USD", "1m", np.arange(2_000) * 60_000, opened, high, low, close, np.ones(2_000))


def warm_runs(kind: type[Strategy], candles: Candles) -> None:
    """A backtest and a trial of a sweep."""
    strategy = kind()
    _, signals = evaluate(strategy, candles)
    simulation = simulate(Account(1_000.0), [candles], [signals], warmup=strategy.warmup(), position=strategy.position)
    measure(simulation, [candles], Account(1_000.0))
    # What a bench remembers is read-only: other types to the compiler, so indicators of indicators are compiled once more.
    Bench(kind, Account(1_000.0), [candles]).trial({})


def make_trader(*, external: bool) -> Trader:
    return Trader(Account(1_000.0), ["BTC-USD"], 60_000, "merge", external=external)


def warm_trader(trader: Trader) -> None:
    """Drive a trader through a short life: enter, rebalance, cancel, sell."""
    prices = {"BTC-USD": 100.0}
    for time, row in ((0, SignalRow(entry=True)), (60_000, SignalRow(target=0.5)), (120_000, SignalRow())):
        steps = [trader.open(time, prices), trader.entries(prices)]
        for order in [order for step in steps for order in step.wanted if trader.external]:
            trader.apply_fill(order.number, 100.0, order.quantity, 0.0, False, time)
        trader.close(time, CANDLE, {"BTC-USD": row})
    trader.levels()
    trader.cancel_all()
    for order in trader.sell_all().wanted:
        if trader.external:
            trader.apply_fill(order.number, 100.0, order.quantity, 0.0, False, 120_000)
    trader.close(180_000, CANDLE, {"BTC-USD": SignalRow(entry=True, entry_limit=90.0)})
    trader.cancel_all()


if __name__ == "__main__":
    {"live": compile_live, "beside": compile_beside}.get("".join(sys.argv[1:]), warm_all)()
