"""Import a file of candles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from core.commands import DeskCommand
from core.errors import Invalid
from market import selectors, services
from market.models import CandleImport

SHOWN = 10


class Command(DeskCommand):
    help = (
        "Import candles from CSV with a header, CSV.gz, zip, Parquet, freqtrade's Feather or Binance's archive. "
        "Candles that are there already are merged; a file with faults is refused whole, with the rows named."
    )

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--venue", required=True, help="Where the candles come from: binance.")
        parser.add_argument("--symbol", required=True, help="BTC-USD.")
        parser.add_argument("--interval", required=True, help="1m, 5m, 1h ...")
        parser.add_argument("--skip-bad-rows", action="store_true", help="Leave bad rows out instead of refusing the file.")

    def report(self, **options: Any) -> Mapping[str, Any]:
        path = Path(options["file"])
        names = ("venue", "symbol", "interval", "skip_bad_rows")
        try:
            with path.open("rb") as file:
                done = services.candles_import(file=file, filename=path.name, **{name: options[name] for name in names})
        except OSError as error:
            raise Invalid.at("file", f"{path} cannot be read: {error.strerror or error}.") from None
        if done.status == CandleImport.Status.REFUSED:
            raise services.import_refusal(done)
        return selectors.import_report(done)

    def show(self, report: Mapping[str, Any]) -> None:
        name = f"{report['symbol']} {report['interval']} ({report['venue']})"
        self.stdout.write(self.style.SUCCESS(f"{name}: {report['rows']:,} rows in {report['seconds']} s, {report['format']}"))
        self.stdout.write(report["message"])
        for label in ("first", "last", "duplicates", "out_of_order", "fingerprint"):
            self.stdout.write(f"  {label.replace('_', ' '):<13}{report[label]}")
        gaps = [f"{gap['missing']} missing, {gap['first']} to {gap['last']}" for gap in report["gaps"]]
        self._list("gaps", gaps, len(gaps))
        problems = [f"row {item['row']}, {item['field']}: {item['message']}" for item in report["problems"]]
        self._list("left out", problems, report["problem_count"])

    def _list(self, label: str, items: list[str], count: int) -> None:
        self.stdout.write(f"  {label:<13}{count}")
        for item in items[:SHOWN]:
            self.stdout.write(f"    {item}")
        if count > SHOWN:
            self.stdout.write(f"    and {count - SHOWN:,} more (all with --json)")
