"""One backtest of a year of minutes on every engine, and whether they agree on real candles."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from benchmarks.data import SHARED, load_recorded, random_walk
from benchmarks.engines import ENGINES
from benchmarks.report import format_table
from benchmarks.workers import Worker, compare_engines

ROUNDS = {"hand-written loop": 31, "Quarterdeck": 31, "vectorbt": 7, "backtesting.py": 3}
PEERS = {"vectorbt": "vectorbt", "backtesting.py": "backtesting"}
REAL = (("ETH_BTC-5m.feather", "ETH-BTC", "5m"), ("BTC-USD-1m-2022-01.csv.gz", "BTC-USD", "1m"))


def list_installed() -> list[str]:
    return [name for name in ENGINES if name not in PEERS or find_spec(PEERS[name])]


def format_row(worker: Worker, loop: float, candles: int) -> list[Any]:
    return [
        worker.name,
        f"{worker.median * 1e3:,.1f} ms",
        f"{min(worker.seconds) * 1e3:,.1f} ms",
        f"{candles / worker.median:,.0f}",
        f"{worker.median / loop:,.2f}",
        f"{worker.first:,.1f} s",
        f"{worker.memory:,.0f} MB",
        worker.result["trades"],
    ]


def report_speed() -> str:
    """Arrays in memory to full results, `sma_cross` 10/50, 525,600 candles."""
    candles = random_walk()
    workers = compare_engines(list_installed(), candles, ROUNDS)
    loop = next(worker for worker in workers if worker.name == "hand-written loop").median
    heads = ["engine", "median", "best", "candles/s", "x the loop", "first run", "memory over base", "trades"]
    return format_table(heads, [format_row(worker, loop, len(candles)) for worker in workers])


def report_parity() -> str:
    """Trades and final equity of every engine on recorded candles."""
    if not SHARED.exists():
        return "(no recorded candles here: ../shared/data is absent)"
    rows = []
    for name, symbol, interval in REAL:
        candles = load_recorded(name, symbol, interval)
        for engine in list_installed():
            result = ENGINES[engine](candles)()
            rows.append([f"{symbol} {interval}", engine, result["trades"], f"{result['final_equity']:.4f}"])
    return format_table(["candles", "engine", "trades", "final equity"], rows)


if __name__ == "__main__":
    print(report_speed())
    print(report_parity())
