"""Candles from a venue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asgiref.sync import async_to_sync
from django.core.management.base import CommandParser

from core.commands import DeskCommand
from core.errors import Conflict
from core.fields import Fields
from engine.types import INTERVALS
from trading.downloads import download_candles, download_read, download_report

SHOWN = 10


class Command(DeskCommand):
    help = (
        "Download candles from a venue's public endpoint into the store. What is there is kept and not asked for again: "
        "after Ctrl-C, the same command goes on."
    )

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--venue", required=True, help="binance, coinbase, or one of a sandbox or testnet: binance-sandbox.")
        parser.add_argument("--symbol", required=True, help="BTC-USDT.")
        parser.add_argument("--interval", required=True, help=", ".join(INTERVALS))
        parser.add_argument("--start", required=True, help="The first open time, a date or a time (UTC).")
        parser.add_argument("--end", help="Open times before this; now where left out.")

    def report(self, **options: Any) -> Mapping[str, Any]:
        form = Fields({name: options[name] for name in ("start", "end") if options[name]})
        start, end = form.moment("start"), form.moment("end")
        form.refuse("The span cannot be used.")
        assert start
        wanted = download_read(**{name: options[name] for name in ("venue", "symbol", "interval")}, start=start, end=end)
        try:
            async_to_sync(download_candles)(wanted, self.progress)
        except KeyboardInterrupt:
            raise Conflict("Stopped. What came is stored; the same command goes on from there.") from None
        finally:
            self.stderr.write("")  # the bar's line ends
        return download_report(wanted)

    def progress(self, done: int, room: int) -> None:
        """On standard error, so that standard output stays one JSON object."""
        share = done / room
        bar = "#" * int(30 * share)
        self.stderr.write(f"\r[{bar:<30}] {share:6.1%}  {done:,} of {room:,} intervals", ending="")
        self.stderr.flush()

    def show(self, report: Mapping[str, Any]) -> None:
        name = f"{report['symbol']} {report['interval']} ({report['venue']})"
        came = f"{report['rows']:,} candles came in {report['seconds']} s, {report['kept']:,} were there"
        self.stdout.write(self.style.SUCCESS(f"{name}: {came}"))
        for label in ("first", "last", "fingerprint"):
            self.stdout.write(f"  {label:<13}{report[label]}")
        if report["off_grid"]:
            self.stdout.write(
                f"  {'left out':<13}{report['off_grid']:,} that do not open at whole multiples of {report['interval']}"
            )
        gaps = report["gaps"]
        self.stdout.write(f"  {'gaps':<13}{len(gaps)}")
        for gap in gaps[:SHOWN]:
            self.stdout.write(f"    {gap['missing']} missing, {gap['first']} to {gap['last']}")
        if len(gaps) > SHOWN:
            self.stdout.write(f"    and {len(gaps) - SHOWN:,} more (all with --json)")
