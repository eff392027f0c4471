"""Import, load and size of candles: `python -m benchmarks.candles`, with DATABASE_URL set or the desk's own services.

The work is a year of made-up one-minute candles as CSV; a series of its own is made and deleted again.
"""

from __future__ import annotations

import io
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

COUNT = 525_600
START = 1_640_995_200_000
VENUE = "benchmark"
REAL = {
    "BTC-USD-1m-2022-01.csv.gz": "1m",
    "XRP_ETH-1m.feather": "1m",
    **{f"{pair}_BTC-5m.feather": "5m" for pair in ("ETH", "LTC", "DASH")},
}


def time_work(work: Callable[[], Any], times: int) -> tuple[float, Any]:
    """(median seconds, last result)"""
    seconds, result = [], None
    for _ in range(times):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), result


def year_as_csv() -> bytes:
    from core.text import ms_text
    from market.generator import MarketShape, generate_candles

    part = generate_candles(
        symbol="BTC-USD", interval="1m", start=START, count=COUNT, seed=42, market=MarketShape(30_000, 0.01, volume=5_000)
    )
    columns = [getattr(part, name).tolist() for name in ("open", "high", "low", "close", "volume")]
    rows = (f"{ms_text(moment)},{','.join(map(repr, rest))}" for moment, *rest in zip(part.time.tolist(), *columns, strict=True))
    return "\n".join(["timestamp,open,high,low,close,volume", *rows]).encode()


def import_candles(data: bytes, name: str, symbol: str, interval: str) -> Any:
    from market import services

    return services.candles_import(file=io.BytesIO(data), filename=name, venue=VENUE, symbol=symbol, interval=interval)


def delete_all() -> None:
    from market import candles
    from market.models import CandleImport, CandleSeries, Instrument

    for series in CandleSeries.objects.filter(instrument__venue=VENUE).select_related("instrument"):
        candles.delete_series(series)
    CandleImport.objects.filter(venue=VENUE).delete()
    Instrument.objects.filter(venue=VENUE).delete()


def measure(times: int = 5) -> dict[str, float]:
    """Seconds of importing and loading a year of minutes, and bytes a candle of it and of the real files that there are."""
    from market import candles

    def imported() -> Any:
        delete_all()
        return import_candles(data, "year.csv", "BTC-USD", "1m")

    data = year_as_csv()
    figures: dict[str, float] = {}
    figures["import_seconds"], done = time_work(imported, times)
    figures["bytes_a_candle"] = done.series.bytes / done.series.count
    figures["load_seconds"], _ = time_work(lambda: candles.load_candles(venue=VENUE, symbol="BTC-USD", interval="1m"), 4 * times)
    figures["resample_1h_seconds"], _ = time_work(
        lambda: candles.load_candles(venue=VENUE, symbol="BTC-USD", interval="1h"), 4 * times
    )
    folder = Path(__file__).resolve().parents[2] / "shared" / "data" / "candles"
    for number, (name, interval) in enumerate(REAL.items()):
        if (folder / name).is_file():
            series = import_candles((folder / name).read_bytes(), name, f"R{number}-USD", interval).series
            figures[f"bytes_a_candle {name}"] = series.bytes / series.count
    delete_all()
    return figures


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from operations.embedded import services_for_command

    with services_for_command(["import_candles"]):
        import django

        django.setup()
        for name, value in measure().items():
            sys.stdout.write(f"{name:<46} {value:.4f}\n")


if __name__ == "__main__":
    main()
