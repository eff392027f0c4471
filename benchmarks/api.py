"""A desk of its own, asked over HTTP: cold and warm start, a backtest from POST to completed, and the endpoints of large runs."""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data import SHARED
from benchmarks.report import format_table

ROOT = Path(__file__).resolve().parents[1]
POINTS = 1_000_000
CALLS = 60
PASSWORD = "bench-desk-only"


class BenchDesk:
    """`manage.py desk` in a folder and on a port of its own, with the code of `root` and these variables."""

    def __init__(self, folder: Path, root: Path = ROOT, **variables: str) -> None:
        self.root = root
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        unset = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        own = {"VAR": str(folder), "PORT": str(self.port), "DEMO": "0", "ADMIN_USER": "bench", "ADMIN_PASSWORD": PASSWORD}
        self.environment = {**unset, **own, "API_RATE": "1000000/min", **variables}
        self.token = ""

    def start(self) -> float:
        """Seconds until it answers that it is ready."""
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "desk"],
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: is_answering(f"http://127.0.0.1:{self.port}/api/v1/health/ready"), 300)
        return time.perf_counter() - started

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def command(self, *arguments: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments, "--json"],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            check=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def backtest(self, config: dict[str, Any]) -> tuple[str, float]:
        """(run_id, seconds from the POST until it is completed)"""
        started = time.perf_counter()
        run_id = self.call("POST", "backtests", config)["run_id"]

        def ended() -> bool:
            status = self.call("GET", f"backtests/{run_id}")["status"]
            if status in {"failed", "cancelled"}:
                raise RuntimeError(self.call("GET", f"backtests/{run_id}"))
            return bool(status == "completed")

        wait_until(ended, 300, pause=0.01)
        return run_id, time.perf_counter() - started


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.1) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(pause)


def is_answering(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def long_series(path: Path) -> None:
    """A million one-minute candles, two decimals, as CSV."""
    steps = np.random.default_rng(7).normal(0.0, 0.0008, POINTS)
    close = np.round(30_000.0 * np.exp(np.cumsum(steps)), 2)
    opened = np.concatenate([[30_000.0], close[:-1]])
    moments = 1_640_995_200_000 + 60_000 * np.arange(POINTS)
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    columns = np.column_stack([moments, opened, high, low, close, np.ones(POINTS)])
    np.savetxt(
        path,
        columns,
        fmt=["%d", "%.2f", "%.2f", "%.2f", "%.2f", "%d"],
        delimiter=",",
        header="time,open,high,low,close,volume",
        comments="",
    )


def measure_endpoint(desk: BenchDesk, path: str) -> tuple[float, float]:
    """Median and 95th percentile of an endpoint, in milliseconds, on one connection after another."""
    seconds = []
    for _ in range(CALLS):
        started = time.perf_counter()
        desk.call("GET", path)
        seconds.append((time.perf_counter() - started) * 1e3)
    return statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]


def report_endpoints(desk: BenchDesk, runs: dict[str, str]) -> str:
    moment = "2023-01-01T00:00:00Z"
    paths = {
        "run": "backtests/{}",
        "results": "backtests/{}/results",
        "trades, first page": "backtests/{}/trades",
        "trades, sorted by profit": "backtests/{}/trades?sort=-profit",
        "equity, 1,000 points": "backtests/{}/equity?points=1000",
        "playback candles, 500": "backtests/{}/playback/candles?start=2023-01-01T00:00:00Z&end=2023-01-01T08:20:00Z",
        "playback state": f"backtests/{{}}/playback/state/{moment}",
    }
    rows = []
    for name, path in paths.items():
        row = [name]
        for run_id in runs.values():
            median, high = measure_endpoint(desk, path.format(run_id))
            row += [f"{median:.0f} ms", f"{high:.0f} ms"]
        rows.append(row)
    return format_table(["endpoint", *(f"{head}, {figure}" for head in runs for figure in ("median", "p95"))], rows)


def report_all() -> str:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        desk = BenchDesk(Path(folder) / "var")
        cold = desk.start()
        try:
            return measure_desk(desk, cold, Path(folder))
        finally:
            desk.stop()


def measure_desk(desk: BenchDesk, cold: float, folder: Path) -> str:
    desk.stop()
    warm = desk.start()
    desk.token = desk.command("create_api_token", "bench", "--scopes", "read,trade")["token"]
    rows = [["desk, first start", f"{cold:.1f} s"], ["desk, second start", f"{warm:.1f} s"]]
    base = {"strategy": "sma_cross", "venue": "bench", "interval": "1m", "cash": "10000", "fee_bps": 0}
    if SHARED.exists():
        desk.command(
            "import_candles",
            str(SHARED / "BTC-USD-1m-2022-01.csv.gz"),
            "--venue",
            "bench",
            "--symbol",
            "BTC-USD",
            "--interval",
            "1m",
        )
        config = {**base, "symbols": ["BTC-USD"], "params": {"fast": 10, "slow": 50}, "fee_bps": 10}
        desk.backtest(config)
        seconds = [desk.backtest(config)[1] for _ in range(9)]
        rows.append(["POST to completed, 45,031 candles, median of 9", f"{statistics.median(seconds):.2f} s"])
        rows.append(["the slowest of them", f"{max(seconds):.2f} s"])
    file = folder / "million.csv"
    long_series(file)
    desk.command("import_candles", str(file), "--venue", "bench", "--symbol", "LONG-USD", "--interval", "1m")
    runs = {}
    for fast, slow in ((400, 1200), (2, 6)):
        config = {**base, "symbols": ["LONG-USD"], "params": {"fast": fast, "slow": slow}}
        run_id, seconds_taken = desk.backtest(config)
        trades = desk.call("GET", f"backtests/{run_id}/results")["trades"]
        runs[f"{trades:,} trades"] = run_id
        rows.append([f"POST to completed, 1,000,000 candles, {trades:,} trades", f"{seconds_taken:.2f} s"])
    return format_table(["what", "time"], rows) + "\n" + report_endpoints(desk, runs)


if __name__ == "__main__":
    print(report_all())
