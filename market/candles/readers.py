"""Reads a file of any supported kind into columns. Its content says what kind it is; its name does not count.

Text is read in blocks, Parquet and Feather in batches, so that a large file takes only the memory of its numbers. What a
compressed file unpacks to is counted against `IMPORT_MAX_BYTES` while it is read.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, Literal, cast

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
from django.conf import settings

from core.errors import Invalid
from market.candles import feather
from market.candles.headers import LAYOUTS, VALUES, find_columns, note_volume, suggest_header
from market.candles.rows import RowBatch, Rows

BLOCK = 4 << 20
HEAD = 64 << 10
BATCH = 65_536
BANNER = 10
"""Lines among which the header is looked for: charts and archives put a line or two about themselves above it."""


class Bounded(io.RawIOBase):
    """A stream that refuses to give more than the limit, and explains a broken archive in words."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile) -> None:
        self.stream, self.left = stream, settings.IMPORT_MAX_BYTES

    def read(self, size: int = -1) -> bytes:
        try:
            data = self.stream.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            raise file_fault(f"The file is cut short or damaged ({error}). Fetch it again.") from None
        self.left -= len(data)
        if self.left < 0:
            raise too_large()
        return data


def read_rows(file: IO[bytes], symbol: str = "") -> Rows:
    """Every row of the file as numbers. Cells that are not numbers are NaN and remembered. `symbol` helps to tell the volume in its
    base from that in its quote. Raises `Invalid` at `file` if the file cannot be used."""
    base = symbol.partition("-")[0]
    if not _seekable_size(file):
        raise file_fault("The file is empty.")
    magic = file.read(6)
    file.seek(0)
    try:
        if magic.startswith(b"PAR1"):
            return _require_rows(_read_parquet(file, base))
        if magic.startswith(b"ARROW1"):
            return _require_rows(_read_feather(file, base))
        if magic.startswith(b"FEA1"):
            raise file_fault("This is a Feather file of version 1. Save it as version 2, or as CSV or Parquet.")
        with _choose_opener(file, magic) as (opener, name):
            return _require_rows(_read_text(opener, name, base))
    except MemoryError:
        raise  # Arrow's own is an ArrowException as well
    except (pa.ArrowException, OSError) as error:
        raise file_fault(f"The file cannot be read: {str(error).splitlines()[0][:200]}") from None


def _require_rows(rows: Rows) -> Rows:
    if not rows.count:
        raise file_fault("The file has no rows.")
    return rows


def file_fault(message: str) -> Invalid:
    return Invalid.at("file", message)


def too_large() -> Invalid:
    limit = settings.IMPORT_MAX_BYTES // (1024 * 1024)
    return file_fault(f"The file holds more than {limit} MB. Split it, or raise IMPORT_MAX_MB.")


def _seekable_size(file: IO[bytes]) -> int:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size > settings.IMPORT_MAX_BYTES:
        raise too_large()
    return size


Opener = Callable[[], Bounded]


@contextmanager
def _choose_opener(file: IO[bytes], magic: bytes) -> Iterator[tuple[Opener, str]]:
    """How to open the text from its beginning, and how it is packed. It is opened twice: for its head, and then as a whole."""
    if magic.startswith(b"\x1f\x8b"):
        yield partial(_open_gzip, file), ", gzip"
    elif magic.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(file) as archive:
                yield partial(_open_zip, archive), ", zip"
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise file_fault(f"The zip file cannot be read: {error}.") from None
    else:
        yield partial(_open_plain, file), ""


def _open_plain(file: IO[bytes]) -> Bounded:
    file.seek(0)
    return Bounded(file)


def _open_gzip(file: IO[bytes]) -> Bounded:
    file.seek(0)
    return Bounded(gzip.GzipFile(fileobj=file))


def _open_zip(archive: zipfile.ZipFile) -> Bounded:
    members = [info for info in archive.infolist() if not info.is_dir() and not info.filename.startswith("__MACOSX/")]
    if len(members) != 1:
        raise file_fault(f"The zip file holds {len(members)} files; it must hold one CSV file.")
    return Bounded(archive.open(members[0]))


# ---------------------------------------------------------------- text


@dataclass(frozen=True, slots=True)
class TextLayout:
    """How a text file is laid out."""

    names: list[str]
    delimiter: str
    skip: int
    """Lines before the first row."""
    format: str


def _read_text(opener: Opener, packed: str, base: str) -> Rows:
    layout = _find_layout(_read_head(opener), base)
    chosen = find_columns(layout.names, base)
    rows = Rows(f"{layout.format}{packed}", has_volume="volume" in chosen, notes=note_volume(layout.names, chosen))
    line = 0
    for block in _read_blocks(opener()):
        skip = layout.skip if line == 0 else 0
        rows.add(_parse_block(block, layout, chosen, line, skip, rows))
        line += block.count(b"\n")
    return rows


def _read_head(opener: Opener) -> list[str]:
    """The first lines."""
    head = opener().read(HEAD)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise file_fault("The file is UTF-16 text. Save it as CSV in UTF-8.")
    if b"\0" in head:
        raise file_fault("This is not a file of candles: it is neither text nor Parquet nor Feather.")
    try:
        # The end of the head may cut a character in two, which is not the file's fault.
        text = head.decode("utf-8-sig", errors="strict" if len(head) < HEAD else "ignore")
    except UnicodeDecodeError:
        raise file_fault("The file is not UTF-8 text. Save it as CSV in UTF-8.") from None
    if text.lstrip()[:1] in ("[", "{"):
        raise file_fault(
            "This is JSON, which is not read. Give CSV, Parquet or Feather; freqtrade writes Feather from it with "
            "`freqtrade convert-data --format-from json --format-to feather`."
        )
    lines = text.splitlines()
    if not any(line.strip() for line in lines):
        raise file_fault("The file is empty.")
    return lines


def _find_layout(lines: list[str], base: str) -> TextLayout:
    """The layout, from the first line whose names can be used. Where there is none, the first line that has several columns is a
    header that lacks some, which its reader tells, or the first row of a file without a header."""
    first: TextLayout | None = None
    for index, line in enumerate(lines[:BANNER]):
        delimiter = max(",;\t", key=line.count)
        cells = [cell.strip().strip('"') for cell in line.split(delimiter)]
        if len(cells) < 2:
            continue
        if cells[0].replace(".", "", 1).isdigit():
            return first or _guess_layout(delimiter, len(cells), index)
        layout = TextLayout(cells, delimiter, index + 1, "CSV")
        if first and sum(map(bool, cells)) == 1 and len(cells) == len(first.names):
            # The name of pandas' index stands alone, in a line below the names of the columns, as yfinance writes it.
            names = [below or name for below, name in zip(cells, first.names, strict=True)]
            layout = TextLayout(names, delimiter, index + 1, "CSV")
        if _has_columns(layout, base):
            return layout
        first = first or layout
    if first is None:
        raise file_fault(f"The file has no columns: its first line must name them, such as {suggest_header(6)}.")
    return first


def _guess_layout(delimiter: str, columns: int, skip: int) -> TextLayout:
    """That of a file without a header."""
    if columns < min(LAYOUTS):
        raise file_fault(f"The file has no header, and {columns} columns: candles need five at least, {suggest_header(5)}.")
    if columns not in LAYOUTS:
        raise file_fault(
            f"The file has no header, and {columns} columns: without one, files of {', '.join(map(str, LAYOUTS))} columns are "
            f"read. Add a first line such as {suggest_header(columns)}, with the names in the order of the columns."
        )
    kind, names = LAYOUTS[columns]
    return TextLayout(list(names), delimiter, skip, kind)


def _has_columns(layout: TextLayout, base: str) -> bool:
    try:
        find_columns(layout.names, base)
    except Invalid:
        return False
    return True


def _read_blocks(stream: Bounded) -> Iterator[bytes]:
    """The text in pieces that end where a line ends."""
    rest = b""
    while data := stream.read(BLOCK):
        cut = data.rfind(b"\n") + 1
        if not cut and len(rest) > BLOCK:
            raise file_fault("The file is not a table: it has a line of several megabytes.")
        if cut:
            yield rest + data[:cut]
            rest = b""
        rest += data[cut:]
    if rest:
        yield rest


def _parse_block(block: bytes, layout: TextLayout, chosen: dict[str, int], line: int, skip: int, rows: Rows) -> RowBatch:
    """A block's rows. `line` is how many lines came before it."""
    odd: list[int] = []

    def note(row: csv.InvalidRow) -> Literal["skip"]:
        number = row.number or 0  # None only if several threads read
        odd.append(number - 1)
        rows.misshapen(line + number, row.actual_columns, row.expected_columns)
        return "skip"

    names = [str(index) for index in range(len(layout.names))]
    text = [names[index] for index in chosen.values()]
    table = csv.read_csv(
        cast(IO[bytes], pa.BufferReader(block)),  # the stubs know files only
        read_options=csv.ReadOptions(column_names=names, skip_rows=skip, use_threads=False, block_size=2 * BLOCK + len(block)),
        parse_options=csv.ParseOptions(delimiter=layout.delimiter, invalid_row_handler=note, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(column_types=dict.fromkeys(text, pa.string()), include_columns=text),
    )
    cells = {field: table[names[index]].combine_chunks() for field, index in chosen.items()}
    return RowBatch(cells, first=line + skip + 1, left_out=[number - skip for number in odd])


# ---------------------------------------------------------------- tables


def _read_parquet(file: IO[bytes], base: str) -> Rows:
    source = pq.ParquetFile(file)
    unpacked = sum(source.metadata.row_group(index).total_byte_size for index in range(source.num_row_groups))
    claim = unpacked, source.metadata.num_rows
    return _read_table(Rows("Parquet"), source.schema_arrow, claim, partial(_parquet_batches, source), base)


def _parquet_batches(source: Any, columns: list[str]) -> Iterator[Any]:
    yield from source.iter_batches(batch_size=BATCH, columns=columns, use_threads=False)


def _read_feather(file: IO[bytes], base: str) -> Rows:
    claim = feather.file_sizes(file)
    schema = pa.ipc.open_file(_open_arrow(file)).schema
    return _read_table(Rows("Feather"), schema, claim, partial(_feather_batches, file, schema), base)


def _open_arrow(file: IO[bytes]) -> pa.NativeFile:
    return pa.PythonFile(cast(io.IOBase, file), mode="r")


def _feather_batches(file: IO[bytes], schema: Any, columns: list[str]) -> Iterator[Any]:
    file.seek(0)
    wanted = [schema.get_field_index(name) for name in columns]
    reader = pa.ipc.open_file(_open_arrow(file), options=pa.ipc.IpcReadOptions(included_fields=wanted, use_threads=False))
    for index in range(reader.num_record_batches):
        yield reader.get_batch(index)


Batches = Callable[[list[str]], Iterator[Any]]


def _read_table(rows: Rows, schema: Any, claim: tuple[int, int], batches: Batches, base: str) -> Rows:
    """Rows of a file that knows the types of its columns. A few bytes can claim a billion rows, so the claim itself (bytes, rows)
    is limited."""
    unpacked, count = claim
    if max(unpacked, count * 8 * 6) > settings.IMPORT_MAX_BYTES:
        raise too_large()
    chosen = {field: schema.names[index] for field, index in find_columns(schema.names, base).items()}
    rows.has_volume, rows.notes = "volume" in chosen, note_volume(schema.names, chosen)
    rows.notes += _note_short_floats(schema, chosen)
    first = 1
    for batch in batches(list(chosen.values())):
        cells = {field: _spell_out(batch.column(batch.schema.get_field_index(name))) for field, name in chosen.items()}
        rows.add(RowBatch(cells, first))
        first += batch.num_rows
    return rows


def _note_short_floats(schema: Any, chosen: dict[str, str]) -> list[str]:
    """Prices that went through 32 bits cannot be told from true ones afterwards, so it is said while it is known."""
    short = [field for field in VALUES if field in chosen and schema.field(chosen[field]).type in (pa.float16(), pa.float32())]
    names = " and ".join(filter(None, [", ".join(short[:-1]), *short[-1:]]))
    return [f"The file holds {names} as 32-bit floats or less: they are right to about seven digits only."] if short else []


def _spell_out(column: Any) -> Any:
    """Categories and views of pandas and Polars as the plain text or numbers that they stand for."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return column.cast(pa.string())  # text of writers that do not say so
    return column.cast(pa.string()) if pa.types.is_string_view(column.type) or pa.types.is_large_string(column.type) else column
