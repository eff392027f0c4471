"""One chunk of candles as a Parquet file, to the bit, and small.

Prices and volumes are decimals, mostly: 0.0984 is 984 at scale 4. A column is stored as such whole numbers, which pack to a few
bytes. Reading divides by 10^scale; both are exact in float64 (below 2^53, at most 10^22), so the quotient is the float64
nearest to the decimal: what reading the text would give. Values that carry rounding noise (0.07553338000000001) differ from
that by a few units in the last place; a second column keeps the difference. What fits neither is stored as float64.
Either way the very same bits come back; `encode_candles` proves it column by column before it stores one.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.types import Candles, Floats, Ints

COLUMNS = ("time", "open", "high", "low", "close", "volume")
VALUES = COLUMNS[1:]
META = b"quarterdeck"
MAX_SCALE = 12
MAX_INTEGER = 1e15
MAX_NOISE = 64
"""Units in the last place. Noise beyond that is not worth a column."""
ROW_GROUP = 65_536
"""Rows that are decoded together. A short span of a long file reads only its own groups."""


@dataclass(frozen=True, slots=True)
class Scaled:
    """A column as `integers / 10^scale`, plus `noise` units in the last place where there is any."""

    integers: Ints
    scale: int
    noise: Ints | None

    def floats(self) -> Floats:
        values = self.integers / 10.0**self.scale
        return values if self.noise is None else (values.view(np.int64) + self.noise).view(np.float64)


def scale_values(values: Floats) -> Scaled | None:
    """`values` as whole numbers, at the smallest scale that keeps them to the bit. None if there is no such scale."""
    sample = values[:: max(1, len(values) // 512)]
    for scale in range(MAX_SCALE + 1):
        if _at_scale(sample, scale) and (found := _at_scale(values, scale)):
            return found
    return None


def _at_scale(values: Floats, scale: int) -> Scaled | None:
    with np.errstate(over="ignore"):
        integers = np.rint(values * 10.0**scale)
    if not np.abs(integers).max(initial=0) < MAX_INTEGER:
        return None
    whole = integers.astype(np.int64)
    noise = values.view(np.int64) - (whole / 10.0**scale).view(np.int64)
    worst = np.abs(noise).max(initial=0)
    return Scaled(whole, scale, noise if worst else None) if worst <= MAX_NOISE else None


def encode_candles(candles: Candles) -> bytes:
    """The candles as one Parquet file."""
    columns: dict[str, Any] = {"time": candles.time}
    scales: dict[str, int] = {}
    for name in VALUES:
        values = np.ascontiguousarray(getattr(candles, name))
        found = scale_values(values)
        if found is None or found.floats().tobytes() != values.tobytes():
            columns[name] = values
            continue
        columns[name], scales[name] = found.integers, found.scale
        if found.noise is not None:
            columns[f"{name}_noise"] = found.noise
    table = pa.table(columns).replace_schema_metadata({META: json.dumps({"version": 1, "scales": scales}).encode()})
    sink = io.BytesIO()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=3,
        use_dictionary=False,
        column_encoding={name: _column_encoding(column) for name, column in columns.items()},
        write_statistics=["time"],
        row_group_size=ROW_GROUP,
    )
    return sink.getvalue()


def _column_encoding(column: Floats | Ints) -> str:
    return "DELTA_BINARY_PACKED" if column.dtype == np.int64 else "BYTE_STREAM_SPLIT"


def decode_candles(data: bytes, symbol: str, interval: str, start: int, end: int) -> Candles:
    """The candles of a file that `encode_candles` made whose open time (ms) is from `start` up to, not including, `end`."""
    file = pq.ParquetFile(pa.BufferReader(data))
    scales: dict[str, int] = json.loads(file.schema_arrow.metadata[META])["scales"]
    # One thread: a year takes 12 ms, and a pool of them would only fight with the workers' other processes.
    table = file.read_row_groups(_row_groups(file, start, end), use_threads=False)
    arrays = {name: table[name].to_numpy() for name in table.column_names}
    for name in VALUES:
        if name in scales:
            arrays[name] = Scaled(arrays[name], scales[name], arrays.get(f"{name}_noise")).floats()
    low, high = np.searchsorted(arrays["time"], [start, end])
    columns = {name: arrays[name][int(low) : int(high)] for name in COLUMNS}
    known = "volume" in scales or not np.isnan(columns["volume"]).any()  # NaN has no scale
    return Candles(symbol, interval, *columns.values(), volume_known=known)


def _row_groups(file: Any, start: int, end: int) -> list[int]:
    """The row groups that contain a part of the span."""

    def inside(index: int) -> bool:
        times = file.metadata.row_group(index).column(0).statistics
        return bool(times.max >= start and times.min < end)

    return [index for index in range(file.num_row_groups) if inside(index)]


def split_years(candles: Candles) -> Iterator[tuple[int, Candles]]:
    """The candles of each calendar year (UTC). One chunk holds a year, and so does one block of the fingerprint."""
    year = candles.time.astype("datetime64[ms]").astype("datetime64[Y]").astype(np.int64) + 1970
    edges = np.flatnonzero(np.diff(year)) + 1
    for low, high in zip([0, *edges], [*edges, len(year)], strict=True):
        if high > low:
            yield int(year[low]), candles[int(low) : int(high)]


def digest_candles(candles: Candles) -> bytes:
    """SHA-256 over the columns' bytes, little-endian, one column after the other."""
    state = hashlib.sha256()
    for name in COLUMNS:
        column = getattr(candles, name)
        state.update(np.ascontiguousarray(column, dtype=column.dtype.newbyteorder("<")).data)
    return state.digest()


def fingerprint_candles(candles: Candles) -> str:
    """Identifies these candles in 64 characters, wherever and however they are stored.

    It is the SHA-256 over the `digest_candles` of each calendar year, so that adding a day to a long series hashes only that
    year.
    """
    return combine_digests(digest_candles(part) for _, part in split_years(candles))


def combine_digests(digests: Iterable[bytes]) -> str:
    """The fingerprint of a series from its years' digests, in order."""
    return hashlib.sha256(b"".join(digests)).hexdigest()
