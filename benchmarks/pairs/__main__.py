"""`make bench AGAINST=PATH`, or `python -m benchmarks.pairs --against PATH [PROBE ...] [--pairs N]`: this checkout and another one.

single  one backtest of 525,600 candles, arrays to full results, warm
sweep   a hundred combinations over them
post    POST /api/v1/backtests until the run is completed
order   market frame to order sent, and to its fill written
help    `manage.py help`
start   `manage.py desk` on a prepared folder until it is ready

Of each probe both checkouts do the same work in turn, A B, B A, A B, and so on.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.pairs.checkouts import Worker, WorkerFailed
from benchmarks.pairs.probes import KINDS, Answer
from benchmarks.pairs.statistics import LIMIT, compare_pairs
from benchmarks.report import format_table
from benchmarks.run import describe_machine

PAIRS = 15
HERE = Path(__file__).resolve().parents[2]
HEADS = ("probe", "old", "new", "new / old", "95 % interval", f"under {LIMIT}", "wall, new / old")


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pairs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--against", type=Path, required=True, help="the other checkout")
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("probes", nargs="*", metavar="PROBE", help="all of them where none is named")
    options = parser.parse_intermixed_args(arguments)
    if unknown := [name for name in options.probes if name not in KINDS]:
        parser.error(f"There is no probe {unknown[0]}. There are {', '.join(KINDS)}.")
    if options.pairs < 1:
        parser.error("--pairs must be at least 1.")
    return options


def measure_pairs(probe: str, old: Path, new: Path, pairs: int) -> tuple[list[Answer], list[Answer]]:
    """The answers of both checkouts, pair by pair. Both are prepared before either is measured."""
    with (
        tempfile.TemporaryDirectory(prefix="pairs-", ignore_cleanup_errors=True) as folder,
        Worker(old, probe, Path(folder, "old"), pairs) as one,
        Worker(new, probe, Path(folder, "new"), pairs) as other,
    ):
        one.hear()
        other.hear()
        found: tuple[list[Answer], list[Answer]] = ([], [])
        for number in range(pairs):
            turns = [(one, found[0]), (other, found[1])]
            for worker, answers in turns if number % 2 == 0 else reversed(turns):
                answers.append(worker.ask())
    return found


def make_row(probe: str, old: Sequence[Answer], new: Sequence[Answer]) -> list[str]:
    """Both medians of CPU, what their ratio is, and the ratio of the time on the clock."""
    cpu, wall = (compare_pairs([one[name] for one in old], [one[name] for one in new]) for name in ("cpu", "wall"))
    interval, verdict = f"{cpu.low:.3f} to {cpu.high:.3f}", "yes" if cpu.within else "no"
    row = [write_time(cpu.old), write_time(cpu.new), f"{cpu.ratio:.3f}", interval, verdict]
    return [KINDS[probe].title, *row, f"{wall.ratio:.3f} ({wall.low:.3f} to {wall.high:.3f})"]


def write_time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"


def find_differences(old: Sequence[Answer], new: Sequence[Answer]) -> list[str]:
    """What the builds found, where that is not the same: then they did not do the same work."""
    one, other = old[0].get("found"), new[0].get("found")
    return [] if one == other else [f"the old build found {one}, the new one {other}"]


def compare_builds(probes: Sequence[str], old: Path, new: Path, pairs: int) -> str:
    rows, notes = [], []
    for probe in probes:
        print(f"{probe}: {pairs} pairs ...", file=sys.stderr, flush=True)
        answers = measure_pairs(probe, old, new, pairs)
        rows.append(make_row(probe, *answers))
        print(" | ".join(rows[-1]), file=sys.stderr, flush=True)
        notes += [f"{probe}: {text}." for text in find_differences(*answers)]
    return "\n".join([format_table(HEADS, rows), *notes])


def main(arguments: Sequence[str] | None = None) -> int:
    options = read_options(arguments)
    against = options.against.expanduser().resolve()
    if not (against / "manage.py").is_file():
        sys.exit(f"{options.against} is no checkout of Quarterdeck: there is no manage.py in it.")
    try:
        text = compare_builds(options.probes or list(KINDS), against, HERE, options.pairs)
    except WorkerFailed as error:
        sys.exit(str(error))
    print(f"Machine: {describe_machine()}. CPU, medians of {options.pairs} pairs.\n\n{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
