"""Every kind of file that people have gives the same candles; the content decides, not the name."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest

from engine.types import Candles
from market.candles import fingerprint_candles, load_candles
from market.models import CandleImport
from tests.market.files import COLUMNS, START, candles, csv, lines, same, take, text

pytestmark = pytest.mark.django_db
PART = candles(300)


def loaded(interval: str = "1m", symbol: str = "AAA-USD") -> Candles:
    return load_candles(venue="test", symbol=symbol, interval=interval)


def table(time: Any) -> pa.Table:
    return pa.table({"date": time, **{name: getattr(PART, name) for name in COLUMNS[1:]}})


def written(kind: Any, what: pa.Table) -> bytes:
    sink = io.BytesIO()
    if kind == "parquet":
        parquet.write_table(what, sink)
    else:
        feather.write_feather(what, sink, compression=kind)
    return sink.getvalue()


def zipped(data: bytes, *names: str) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, data)
    return sink.getvalue()


def with_times(times: list[str], header: str = "time,open,high,low,close,volume") -> bytes:
    rest = [line.split(",", 1)[1] for line in lines(PART)]
    return text([f"{time},{values}" for time, values in zip(times, rest, strict=True)], header)


def kline(unit: int, part: Candles = PART) -> bytes:
    rest = [line.split(",", 1)[1] for line in lines(part)]
    pairs = zip(part.time, rest, strict=True)
    rows = [f"{time * unit},{values},{(time + 60_000) * unit - 1},1.5,7,0.5,0.25,0" for time, values in pairs]
    return "\n".join(rows).encode()


STAMPS = PART.time.astype("datetime64[ms]").astype("datetime64[ns]")
FILES = {
    "csv": csv(PART),
    "csv without last newline": csv(PART).rstrip(),
    "csv, windows lines": csv(PART).replace(b"\n", b"\r\n"),
    "csv, byte order mark": b"\xef\xbb\xbf" + csv(PART),
    "csv, semicolons": csv(PART).replace(b",", b";"),
    "csv, spaces": csv(PART).replace(b",", b" , "),
    "csv, blank lines": csv(PART).replace(b"\n", b"\n\n"),
    "csv, quoted header": csv(PART).replace(b"timestamp,open", b'"TimeStamp","OPEN"'),
    "csv, more columns": text([f"x,{line},y" for line in lines(PART)], "id,DateTime,Open,High,Low,Close,Volume,note"),
    "gzip": gzip.compress(csv(PART)),
    "zip": zipped(csv(PART), "candles.csv"),
    "seconds": with_times([str(time // 1000) for time in PART.time]),
    "milliseconds": with_times([str(time) for time in PART.time]),
    "microseconds": with_times([f"{time}000" for time in PART.time]),
    "nanoseconds": with_times([f"{time}000000" for time in PART.time]),
    "seconds with decimals": with_times([f"{time // 1000}.0" for time in PART.time]),
    "iso, no zone": with_times([str(stamp)[:19] for stamp in STAMPS]),
    "iso, space": with_times([str(stamp)[:16].replace("T", " ") for stamp in STAMPS]),
    "iso, another zone": with_times([f"{str(stamp + np.timedelta64(330, 'm'))[:19]}+05:30" for stamp in STAMPS]),
    "iso, mixed": with_times([str(stamp)[:19] + "Z" * (index % 2) for index, stamp in enumerate(STAMPS)]),
    "binance, milliseconds": kline(1),
    "binance, microseconds": kline(1000),
    "binance, header": b"open_time,open,high,low,close,volume,close_time,quote_volume,count,tbv,tbq,ignore\n" + kline(1000),
    "binance, zip": zipped(kline(1000), "AAAUSD-1m-2025-01.csv"),
    "parquet": written("parquet", table(STAMPS)),
    "parquet, epoch": written("parquet", table(PART.time)),
    "parquet, decimals": written("parquet", table(STAMPS).set_column(1, "open", table(STAMPS)["open"].cast(pa.decimal128(12, 2)))),
    "feather": written("lz4", table(pa.array(STAMPS, pa.timestamp("ns", "UTC")))),
    "feather, zstd": written("zstd", table(STAMPS)),
    "feather, uncompressed": written("uncompressed", table(STAMPS)),
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_gives_the_same_candles(name: str) -> None:
    done = take(FILES[name], filename="whatever.bin")
    assert (done.status, done.message) == (CandleImport.Status.COMPLETED, "300 candles read, 300 of them new.")
    assert same(loaded(), PART)
    assert done.fingerprint == fingerprint_candles(PART)


@pytest.mark.parametrize(
    ("name", "symbol", "interval", "count", "missing"),
    [
        ("BTC-USD-1m-2022-01.csv.gz", "BTC-USD", "1m", 45_031, []),
        ("ETH_BTC-5m.feather", "ETH_BTC", "5m", 5_760, []),
        ("LTC_BTC-5m.feather", "LTC/BTC", "5m", 5_760, []),
        ("DASH_BTC-5m.feather", "dash-btc", "5m", 5_758, [1, 1]),
        ("ADABTC-1m-2021-11-27.csv", "ADA-BTC", "1m", 10, []),
    ],
)
def test_real_files(shared_data: Path, name: str, symbol: str, interval: str, count: int, missing: list[int]) -> None:
    done = take((shared_data / "candles" / name).read_bytes(), interval, symbol, filename=name)
    assert (done.status, done.rows, done.added, done.problem_count) == ("completed", count, count, 0)
    assert done.series is not None
    assert done.series.count == count
    assert [gap.missing for gap in done.series.gaps.all()] == missing


def test_real_gaps_are_found_where_they_are(shared_data: Path) -> None:
    """XRP_ETH traded thinly: its minutes without a trade are gaps, and all of them together fill the span."""
    done = take((shared_data / "candles" / "XRP_ETH-1m.feather").read_bytes(), "1m", "XRP-ETH")
    assert done.series is not None
    times = set(loaded(symbol="XRP-ETH").time.tolist())
    span = range(min(times), max(times) + 1, 60_000)
    found: set[int] = set()
    for gap in done.series.gaps.all():
        first, last = (int(moment.timestamp() * 1000) for moment in (gap.first, gap.last))
        stretch = range(first, last + 1, 60_000)
        assert len(stretch) == gap.missing
        found |= set(stretch)
    assert found == set(span) - times
    assert done.series.missing == len(found) == 1091


def test_binance_archive_in_microseconds_equals_the_one_in_milliseconds(shared_data: Path) -> None:
    old = (shared_data / "candles" / "ADABTC-1m-2021-11-27.csv").read_text()
    rows = [line.split(",") for line in old.splitlines()]
    new = "\n".join(",".join([f"{row[0]}000", *row[1:6], f"{row[6]}999", *row[7:]]) for row in rows)
    one = take(old.encode(), symbol="ADA-BTC", venue="old")
    other = take(new.encode(), symbol="ADA-BTC", venue="new")
    assert one.fingerprint == other.fingerprint
    assert (one.format, other.format) == ("Binance CSV", "Binance CSV")


def test_prices_are_the_floats_nearest_to_the_text() -> None:
    prices = ["0.1", "0.07553338", "1234567.12345678", "0.30000000000000004", "1e-7", "99999999999.9999"]
    take(text([f"{START + 60_000 * index},{price},{price},{price},{price},0" for index, price in enumerate(prices)]))
    assert loaded().close.tolist() == [float(price) for price in prices]
