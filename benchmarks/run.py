"""`make bench`: every comparison, one after the other, as Markdown. `make bench ARGS=single` for some of it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

PARTS = {
    "single": "One backtest",
    "sweep": "Sweep",
    "candles": "Candles",
    "api": "The desk over HTTP",
    "sockets": "Fan-out to WebSocket clients",
    "live": "The live desk",
    "portfolio": "The portfolio of a large desk",
    "ledger": "A million ledger entries",
    "lots": "Cost basis",
    "wallets": "Wallets and their worth",
}


def describe_machine() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"


def main() -> int:
    """Each part runs in a process of its own, so that none warms or weighs on another."""
    chosen = sys.argv[1:] or list(PARTS)
    print(f"Machine: {describe_machine()}\n", flush=True)
    worst = 0
    for part in chosen:
        print(f"## {PARTS[part]}\n", flush=True)
        worst = max(worst, subprocess.run([sys.executable, "-m", f"benchmarks.{part}"], check=False).returncode)
        print(flush=True)
    return worst


if __name__ == "__main__":
    sys.exit(main())
