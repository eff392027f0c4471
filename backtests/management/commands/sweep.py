"""Try many parameter sets, on the desk's workers where there are any."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

from celery import current_app
from django.core.management.base import CommandParser
from kombu.exceptions import OperationalError

from backtests import tasks
from backtests.management.commands import backtest
from backtests.models import ENDED, Status, Sweep
from backtests.sweeps import selectors, services, work
from backtests.sweeps.config import OBJECTIVES
from core.errors import DomainError, Invalid
from engine.space import METHODS, MOST_TRIALS

PING_SECONDS = 0.5
POLL_SECONDS = 0.1
PATIENCE_SECONDS = 5
"""Workers that are busy with something else for so long are helped out by this process."""
BAR = 32
COLUMNS = ("final_equity", "total_return", "sharpe", "sortino", "calmar", "max_drawdown", "trades")
PERCENT = ("total_return", "max_drawdown")


class Command(backtest.Command):
    help = "Try many parameter sets and print the best: on Celery workers where any answer, else here. Ranges: --set fast=5:25:1."

    def add_options(self, parser: CommandParser) -> None:
        super().add_options(parser)
        parser.add_argument("--method", help=f"{', '.join(METHODS)}; grid where left out.")
        parser.add_argument("--trials", help="How many combinations to draw at random.")
        parser.add_argument("--objective", help=f"{', '.join(OBJECTIVES)}; sharpe where left out.")
        parser.add_argument("--top", type=int, default=20, help="Rows of the table; 20 where left out.")
        parser.add_argument("--here", action="store_true", help="Work in this process even where workers answer.")

    def report(self, **options: Any) -> Mapping[str, Any]:
        if not 1 <= options["top"] <= MOST_TRIALS:
            raise Invalid.at("top", f"must be from 1 to {MOST_TRIALS}; got {options['top']}.")
        sweep = services.sweep_create(config=config_of(options))
        workers = [] if options["here"] else find_workers()
        with cancelled_with_us(sweep):
            self.work_off(sweep, workers)
        sweep = selectors.sweep_get(sweep.sweep_id)
        self.progress(sweep, end="\n")
        if sweep.status != Status.COMPLETED:
            raise DomainError(f"Sweep {sweep.sweep_id} {sweep.status}: {sweep.error}", code=sweep.error_code or sweep.status)
        page = selectors.sweep_trials(sweep, limit=min(options["top"], 500))
        return {**selectors.sweep_detail(sweep), "workers": workers, "results": page.rows}

    def work_off(self, sweep: Sweep, workers: list[str]) -> None:
        work.warm_up()
        if workers:
            tasks.sweep_send(sweep.sweep_id)
        moved, done = monotonic(), 0
        while (now := selectors.sweep_get(sweep.sweep_id)).status not in ENDED:
            self.progress(now)
            moved, done = (moved, done) if now.trials_done == done else (monotonic(), now.trials_done)
            waiting = services.chunk_indices(sweep.sweep_id)
            if waiting and (not workers or monotonic() - moved > PATIENCE_SECONDS):
                services.chunk_execute(sweep_id=sweep.sweep_id, index=waiting[0], worker=f"command@{socket.gethostname()}")
            else:
                sleep(POLL_SECONDS)

    def progress(self, sweep: Sweep, *, end: str = "") -> None:
        """Draws a bar on standard error where that is a terminal."""
        if sys.stderr.isatty():
            done = BAR * sweep.trials_done // max(1, sweep.trials_total)
            bar = f"{'█' * done}{'░' * (BAR - done)}"
            self.stderr.write(f"\r{bar} {sweep.trials_done:,} of {sweep.trials_total:,} trials", ending=end)

    def show(self, report: Mapping[str, Any]) -> None:
        """Prints the best trials as a table, then warnings and the verdict."""
        names, summary = list(report["space"]), report["summary"]
        where = f"on {len(report['workers'])} worker(s)" if report["workers"] else "here"
        trials = f"{summary['trials']:,} trials {where}, {summary['skipped']:,} combinations refused by the strategy"
        self.stdout.write(self.style.SUCCESS(f"Sweep {report['sweep_id']} {report['status']}: {trials}"))
        widths = [max(8, len(name), *(len(str(row["params"][name])) for row in report["results"])) for name in names]
        heads = [f"{name:>{width}}" for name, width in zip(names, widths, strict=True)]
        self.stdout.write("  ".join([*heads, *(f"{name.replace('_', ' '):>14}" for name in COLUMNS)]))
        for row in report["results"]:
            values = [f"{row['params'][name]!s:>{width}}" for name, width in zip(names, widths, strict=True)]
            self.stdout.write("  ".join([*values, *(f"{cell_text(name, row[name]):>14}" for name in COLUMNS)]))
        if summary["trials"] > len(report["results"]):
            self.stdout.write(
                f"The best {len(report['results'])} of {summary['trials']:,} by {report['objective'].replace('_', ' ')}."
            )
        for notice in summary["warnings"]:
            self.stdout.write(self.style.WARNING(f"{notice['level']}: {notice['message']}"))
        if summary["verdict"] not in [notice["message"] for notice in summary["warnings"]]:
            self.stdout.write(summary["verdict"])


def config_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration that the options spell: `--set` with a range or a list is searched, with one value fixed."""
    given = [backtest.read_setting(text) for text in options["set"]]
    config = backtest.config_of({**options, "set": [f"{name}={value}" for name, value in given if not is_range(value)]})
    ranges = {name: value for name, value in given if is_range(value)}
    config["params"] = {name: value for name, value in config.get("params", {}).items() if name not in ranges}
    if ranges:
        config["space"] = {**(config.get("space") or {}), **ranges}
    return config | {name: options[name] for name in ("method", "trials", "objective") if options[name] is not None}


def is_range(value: str) -> bool:
    return ":" in value or "," in value


def find_workers() -> list[str]:
    """The workers that answer now."""
    try:
        return sorted(current_app.control.inspect(timeout=PING_SECONDS).ping() or {})
    except (OperationalError, OSError):
        return []


@contextmanager
def cancelled_with_us(sweep: Sweep) -> Iterator[None]:
    """Ctrl-C ends the sweep with the command, also on the workers."""
    try:
        yield
    except KeyboardInterrupt:
        services.sweep_end(sweep, Status.CANCELLED, cancel_requested=True)
        raise


def cell_text(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if name in PERCENT:
        return f"{value:+.2%}"
    return f"{float(value):,.2f}" if name != "trades" else f"{value:,}"
