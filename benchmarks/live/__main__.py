"""`python -m benchmarks.live [PART] [--seconds S] [--bots N] [--symbols N] [--rate R]`; without a PART, all of them in turn.

flow      1,000 bots on 100 symbols, 2,000 ticks and about 20 orders a second: from the frame to the order on the wire
fast      the same at 5,000 ticks a second
crowd     1,000 bots on one symbol, and no order
hundred   100 bots, 5,000 ticks a second, and no order
recovery  a start with 1,000 open orders

Everything is on this machine, as in `make run`; the sandbox exchange is a process of its own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from benchmarks.report import format_table

PARTS = ("flow", "fast", "crowd", "hundred", "recovery")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("part", nargs="?", choices=PARTS)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--bots", type=int)
    parser.add_argument("--symbols", type=int)
    parser.add_argument("--rate", type=float)
    options = parser.parse_args()
    if options.part is None:
        given = sys.argv[1:]
        return max(
            subprocess.run([sys.executable, "-m", "benchmarks.live", part, *given], check=False).returncode for part in PARTS
        )
    from benchmarks.live import parts

    changes = {name: value for name in ("bots", "symbols", "rate") if (value := getattr(options, name)) is not None}
    rows = parts.measure(options.part, options.seconds, changes)
    print(format_table([f"{options.part} (load average {os.getloadavg()[0]:.1f})", "figure", "aim"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
