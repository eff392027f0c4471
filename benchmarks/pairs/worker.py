"""Measures one probe in the checkout that is its working directory: `python -P worker.py PROBE VAR ROUNDS`, run by its path.

Says one line of JSON once it is prepared, and one for each line of JSON that comes in; ends with its input. `benchmarks` is ours in
every checkout, so that both builds are measured by the same code; everything else is the checkout's.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import ModuleType


def take_own_benchmarks() -> None:
    package = ModuleType("benchmarks")
    package.__path__ = [str(Path(__file__).resolve().parents[1])]
    sys.modules["benchmarks"] = package


def serve(name: str, var: str, rounds: int) -> None:
    """Standard output is for the answers alone: whatever else is printed goes to standard error."""
    from benchmarks.pairs.probes import make_probe

    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        probe = make_probe(name, var, rounds)
        try:
            print(json.dumps(probe.prepare()), file=answers, flush=True)
            for line in sys.stdin:
                print(json.dumps(probe.measure(json.loads(line))), file=answers, flush=True)
        finally:
            probe.close()


if __name__ == "__main__":
    take_own_benchmarks()
    serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
