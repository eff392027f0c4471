"""How much an Arrow file (Feather version 2) unpacks to, found out before unpacking it.

Arrow allocates what a compressed buffer claims to hold. A few kilobytes can claim gigabytes, and pyarrow has no limit to set.
The claims stand in the file's footer and before each buffer, as described by File.fbs, Message.fbs and Schema.fbs of the Arrow
format.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import pyarrow as pa

RECORD_BATCH, DICTIONARY_BATCH = 3, 2
FOOTER_DICTIONARIES, FOOTER_BATCHES = 2, 3


@dataclass(frozen=True, slots=True)
class Flat:
    """A table of a flatbuffer."""

    data: bytes
    at: int

    def number(self, offset: int, kind: str) -> int:
        return int(struct.unpack_from(f"<{kind}", self.data, offset)[0])

    def field(self, index: int) -> int | None:
        """Where the field's value is; None if the table leaves it out."""
        table = self.at - self.number(self.at, "i")
        slot = 4 + 2 * index
        offset = self.number(table + slot, "H") if slot < self.number(table, "H") else 0
        return self.at + offset if offset else None

    def scalar(self, index: int, kind: str) -> int:
        at = self.field(index)
        return 0 if at is None else self.number(at, kind)

    def table(self, index: int) -> Flat | None:
        at = self.field(index)
        return None if at is None else Flat(self.data, at + self.number(at, "I"))

    def structs(self, index: int, layout: str) -> Iterator[tuple[int, ...]]:
        """The structs of a vector."""
        at = self.field(index)
        if at is None:
            return
        start = at + self.number(at, "I")
        for position in range(self.number(start, "I")):
            yield struct.unpack_from(f"<{layout}", self.data, start + 4 + position * struct.calcsize(f"<{layout}"))


def root_table(data: bytes) -> Flat:
    return Flat(data, struct.unpack_from("<I", data)[0])


def file_sizes(file: IO[bytes]) -> tuple[int, int]:
    """(bytes after unpacking, rows). Raises ArrowInvalid for a file that is cut short or damaged."""
    try:
        return _sum_sizes(file)
    except (struct.error, ValueError):
        raise pa.ArrowInvalid("the Feather file is cut short or damaged") from None


def _sum_sizes(file: IO[bytes]) -> tuple[int, int]:
    size = file.seek(0, io.SEEK_END)
    tail = _read_at(file, size - 10, 10)
    if not tail.endswith(b"ARROW1"):
        raise ValueError
    length = int(struct.unpack("<i", tail[:4])[0])
    footer = root_table(_read_at(file, size - 10 - length, length))
    unpacked = rows = 0
    for index in (FOOTER_DICTIONARIES, FOOTER_BATCHES):
        for offset, metadata, body in footer.structs(index, "qi4xq"):
            more, count = _batch_sizes(file, offset, metadata, body)
            unpacked, rows = unpacked + more, rows + count
    file.seek(0)
    return unpacked, rows


def _batch_sizes(file: IO[bytes], offset: int, metadata: int, body: int) -> tuple[int, int]:
    """(bytes after unpacking, rows) of one batch."""
    head = _read_at(file, offset, metadata)
    # Newer files put a continuation marker of four bytes before the length.
    message = root_table(head[8:] if head.startswith(b"\xff\xff\xff\xff") else head[4:])
    batch = message.table(2)
    if batch is not None and message.scalar(1, "B") == DICTIONARY_BATCH:
        batch = batch.table(1)
    if batch is None:
        raise ValueError
    packed = batch.field(3) is not None
    unpacked = 0
    for start, length in batch.structs(2, "qq"):
        claim = struct.unpack("<q", _read_at(file, offset + metadata + start, 8))[0] if packed and length else -1
        unpacked += max(claim, length)
    return max(unpacked, body), batch.scalar(0, "q")


def _read_at(file: IO[bytes], offset: int, length: int) -> bytes:
    if offset < 0 or length < 0:
        raise ValueError
    file.seek(offset)
    return file.read(length)
