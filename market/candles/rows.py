"""Cells to numbers: times as microseconds since 1970 UTC, prices and volume as the float64 nearest to the decimal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings

from core.errors import Invalid
from core.times import EPOCH
from engine.types import Floats, Ints
from market.candles.problems import Problems

UNKNOWN = np.iinfo(np.int64).min
"""Stands for a time that cannot be read."""
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
NANOSECONDS_FROM, MICROSECONDS_FROM, MILLISECONDS_FROM = 10**17, 10**14, 10**11
"""An epoch's unit by its size: seconds stay below 10^11 until the year 5138, milliseconds are above it since 1973, and so on."""
KEPT_TEXTS = 200


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Some rows, as Arrow arrays of each field's cells. `left_out` holds the positions of rows that had to be left out."""

    cells: Mapping[str, Any]
    first: int
    left_out: Sequence[int] = ()


@dataclass(slots=True)
class Rows:
    """All rows of a file. `row` is the number of each: the line in a text file, or else counted from 1."""

    format: str
    count: int = 0
    problems: Problems = field(default_factory=Problems)
    has_volume: bool = True
    """Without a column of it, the volume is NaN: unknown."""
    notes: list[str] = field(default_factory=list)
    """What a person should know of the file, though it is no fault."""
    texts: dict[tuple[int, str], str] = field(default_factory=dict)
    """The texts of the first cells that are not numbers, by row and field."""
    _parts: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, batch: RowBatch) -> None:
        cells = dict(batch.cells)
        row = _number_rows(batch, len(cells["time"]))
        if pa.types.is_string(cells["time"].type):
            filled = _not_blank(cells)
            cells = {name: column.filter(pa.array(filled)) for name, column in cells.items()}
            row = row[filled]
        self.count += len(row)
        if self.count > settings.IMPORT_MAX_ROWS:
            raise Invalid.at(
                "file", f"The file has more than {settings.IMPORT_MAX_ROWS:,} rows. Split it, or raise IMPORT_MAX_ROWS."
            )
        self._keep("row", row)
        for name, column in cells.items():
            self._keep(name, parse_times(column) if name == "time" else parse_floats(column, name))
            self._remember(name, column, row)
        if not self.has_volume:
            self._keep("volume", np.full(len(row), np.nan))

    def misshapen(self, row: int, actual: int, expected: int) -> None:
        self.count += 1
        self.problems.add(row, "row", f"The row has {actual} columns where there should be {expected}.")

    def column(self, name: str) -> Any:
        """The column `row`, `time` or a price, over all rows."""
        return np.concatenate(self._parts[name]) if self._parts.get(name) else np.empty(0)

    def _keep(self, name: str, values: Any) -> None:
        self._parts.setdefault(name, []).append(values)

    def _remember(self, name: str, column: Any, row: Ints) -> None:
        values = self._parts[name][-1]
        wrong = np.flatnonzero(values == UNKNOWN if name == "time" else np.isnan(values))
        for index in wrong[:KEPT_TEXTS]:
            if (cell := column[int(index)].as_py()) is not None:
                self.texts[int(row[index]), name] = str(cell)[:40]


def parse_floats(column: Any, name: str) -> Floats:
    """A column as floats: NaN if a cell is not a number or is empty."""
    kind = column.type
    if pa.types.is_decimal(kind):
        column = column.cast(pa.string())  # Text is read to the nearest float64, which Arrow's own cast from decimals does not do.
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = _text_floats(column)
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind)):
        raise Invalid.at("file", f"The column {name} holds {kind}, not numbers.")
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)


def _text_floats(column: Any) -> Any:
    try:
        return column.cast(pa.float64())
    except pa.ArrowInvalid:
        trimmed = pc.utf8_trim_whitespace(column)
        return pc.if_else(pc.match_substring_regex(trimmed, NUMBER), trimmed, "nan").cast(pa.float64())


def parse_times(column: Any) -> Ints:
    """A column as microseconds since 1970 UTC: `UNKNOWN` if a cell is not a time. A time without a zone is UTC."""
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        zone = getattr(kind, "tz", None)
        column = column.cast(pa.timestamp("us", tz=zone), safe=False).cast(pa.int64())
        return np.asarray(column.fill_null(UNKNOWN).to_numpy(zero_copy_only=False))
    if pa.types.is_integer(kind):
        return parse_epochs(column.cast(pa.int64(), safe=False).fill_null(UNKNOWN).to_numpy(zero_copy_only=False))
    if pa.types.is_floating(kind):
        return _parse_float_epochs(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _text_times(column)
    raise Invalid.at("file", f"The column of times holds {kind}, not times.")


def _text_times(column: Any) -> Ints:
    try:
        return parse_epochs(column.cast(pa.int64()).to_numpy())
    except pa.ArrowInvalid:
        pass
    try:
        return _parse_float_epochs(column.cast(pa.float64()).to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid:
        pass
    for zone in ("UTC", None):
        try:
            return np.asarray(column.cast(pa.timestamp("us", tz=zone)).cast(pa.int64()).to_numpy())
        except pa.ArrowInvalid:
            continue
    return np.array([_one_time(text or "") for text in column.to_pylist()], dtype=np.int64)


def _one_time(text: str) -> int:
    """The slow way, for columns that are mixed or have faults."""
    text = text.strip()
    if re.fullmatch(r"\d{1,19}", text):
        return int(parse_epochs(np.array([int(text)], dtype=np.uint64).astype(np.int64))[0])
    if re.fullmatch(r"\d{1,19}\.\d*", text):
        return int(_parse_float_epochs(np.array([float(text)]))[0])
    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError:
        return int(UNKNOWN)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round((aware - EPOCH).total_seconds() * 1e6)


def parse_epochs(values: Ints) -> Ints:
    """Seconds, milliseconds, microseconds or nanoseconds as microseconds. The size of each number tells its unit."""
    out = np.where(values >= NANOSECONDS_FROM, values // 1000, values)
    out = np.where(values < MICROSECONDS_FROM, values * 1000, out)
    out = np.where(values < MILLISECONDS_FROM, np.minimum(values, MILLISECONDS_FROM) * 1_000_000, out)
    return np.where(values < 0, UNKNOWN, out)


def _parse_float_epochs(values: Floats) -> Ints:
    """The same of numbers with a fraction, to the microsecond."""
    scales = np.select(
        [values >= NANOSECONDS_FROM, values >= MICROSECONDS_FROM, values >= MILLISECONDS_FROM], [1e-3, 1.0, 1e3], default=1e6
    )
    readable = (values >= 0) & (values < 2.0**63)
    return np.where(readable, np.rint(np.where(readable, values, 0.0) * scales), UNKNOWN).astype(np.int64)


def _number_rows(batch: RowBatch, count: int) -> Ints:
    """The number of each row; rows that were left out count."""
    places = np.arange(count + len(batch.left_out), dtype=np.int64)
    return batch.first + (np.delete(places, list(batch.left_out)) if batch.left_out else places)


def _not_blank(cells: Mapping[str, Any]) -> Any:
    """Rows with anything in them. An empty line is not a fault."""
    blank = np.ones(len(cells["time"]), dtype=bool)
    for column in cells.values():
        if not pa.types.is_string(column.type):
            return ~np.zeros_like(blank)  # a table's number is there, or it is a fault of its own
        blank &= pc.equal(column, pa.scalar("")).to_numpy(zero_copy_only=False)
        if not blank.any():
            break
    return ~blank
