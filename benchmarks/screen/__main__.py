"""What a person sees of a fill, and what tabs cost: `python -m benchmarks.screen [fills|tabs] [--against PATH]`.

fills   *Live* in one tab of a real Chromium: requests a second while its socket is up, and the time from the push of a fill to its
        row on the screen (`--count`: fills, `--pace`: seconds between two on average; they come at seeded random times)
tabs    CPU of the web process with many tabs of *Live* (`--tabs`), in this process and as the page's script behaves, while a fill
        comes every second; with `--against` in turn with another checkout, A B, B A (`--pairs`)

Each desk is one of its own, with the demonstration's bots at work.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.api import ROOT
from benchmarks.pairs.statistics import compare_pairs
from benchmarks.report import format_table
from benchmarks.run import describe_machine
from benchmarks.screen.chromium import Watched, watch_fills
from benchmarks.screen.desk import ScreenDesk, open_desk
from benchmarks.screen.tabs import Spent, measure_tabs


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.screen", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("fills", "tabs"), nargs="?", default="fills")
    parser.add_argument("--against", type=Path, help="another checkout")
    parser.add_argument("--count", type=int, default=250)
    parser.add_argument("--pace", type=float, default=0.5)
    parser.add_argument("--tabs", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each measurement: tabs poll every 30")
    parser.add_argument("--pairs", type=int, default=5)
    return parser.parse_args(arguments)


def quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def make_fills_row(name: str, found: Watched) -> list[str]:
    delays = found.delays
    figures = [f"{quantile(delays, share):.0f} ms" for share in (0.5, 0.9, 0.99)] if delays else ["none"] * 3
    return [name, *figures, f"{len(delays)} of {found.written}", f"{found.requests / found.seconds:.2f}", f"{found.load:.1f}"]


def make_tabs_rows(names: Sequence[str], found: Sequence[Sequence[Spent]]) -> list[list[str]]:
    return [
        [
            name,
            f"{quantile([one.cpu / one.seconds for one in spent], 0.5):.1%}",
            f"{quantile([one.opened for one in spent], 0.5)}",
            f"{quantile([one.requests / one.seconds for one in spent], 0.5):.1f}",
            f"{quantile([one.received / one.seconds for one in spent], 0.5) / 1e6:.1f} MB",
            f"{quantile([one.load for one in spent], 0.5):.1f}",
        ]
        for name, spent in zip(names, found, strict=True)
    ]


def report_fills(desks: dict[str, ScreenDesk], options: argparse.Namespace) -> str:
    rows = [make_fills_row(name, watch_fills(desk, options.count, options.pace)) for name, desk in desks.items()]
    return format_table(["push to screen", "p50", "p90", "p99", "fills seen", "requests/s", "load"], rows)


def report_tabs(desks: dict[str, ScreenDesk], options: argparse.Namespace) -> str:
    names = list(desks)
    found: list[list[Spent]] = [[] for _ in names]
    for number in range(options.pairs):
        turns = list(zip(desks.values(), found, strict=True))
        for desk, spent in turns if number % 2 == 0 else reversed(turns):
            spent.append(asyncio.run(measure_tabs(desk, options.tabs, options.seconds)))
            print(f"{desk.root.name}: {spent[-1]}", file=sys.stderr, flush=True)
    heads = [f"{options.tabs} tabs", "web CPU, of a core", "sockets opened", "requests/s", "to tabs/s", "load"]
    text = format_table(heads, make_tabs_rows(names, found))
    if len(names) == 1:
        return text
    cpu = compare_pairs(*[[one.cpu / one.seconds for one in spent] for spent in found])
    return (
        f"{text}\n{names[1]} / {names[0]}: {cpu.ratio:.3f} (95 % interval {cpu.low:.3f} to {cpu.high:.3f}, {options.pairs} pairs)"
    )


def main() -> None:
    options = read_options()
    checkouts = ({"old": options.against.resolve()} if options.against else {}) | {"new": ROOT}
    with tempfile.TemporaryDirectory(prefix="screen-", ignore_cleanup_errors=True) as folder, ExitStack() as stack:
        desks = {name: stack.enter_context(open_desk(root, Path(folder, name))) for name, root in checkouts.items()}
        text = (report_fills if options.what == "fills" else report_tabs)(desks, options)
    print(f"Machine: {describe_machine()}, load {os.getloadavg()[0]:.1f} at the end.\n\n{text}")


if __name__ == "__main__":
    main()
