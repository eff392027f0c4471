"""The stored columns of a run: one uncompressed Arrow file a table, through Django's storage.

Files are written once and never changed, so a reader may map them. Where the storage is a local folder they are mapped into memory
and only the pages that are looked at are read; elsewhere a file is fetched whole, and the newest few are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from secrets import token_hex
from typing import Any

import numpy as np
import pyarrow as pa
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from numpy.typing import NDArray

from core.storage import asking_storage
from engine.types import Candles, Table

RUNS, CANDLES = "backtests/runs", "backtests/candles"
CANDLE_COLUMNS = ("time", "open", "high", "low", "close", "volume")


class Artifact:
    """A run's tables, each opened when it is first asked for."""

    def __init__(self, folder: str, candles_folder: str = "") -> None:
        self.folder, self.candles_folder = folder, candles_folder

    @cached_property
    def equity(self) -> Table:
        """time, equity, drawdown: one row a candle."""
        return read_table(f"{self.folder}/equity.arrow")

    @cached_property
    def orders(self) -> Table:
        return read_table(f"{self.folder}/orders.arrow")

    @cached_property
    def fills(self) -> Table:
        return read_table(f"{self.folder}/fills.arrow")

    @cached_property
    def trades(self) -> Table:
        return read_table(f"{self.folder}/trades.arrow")

    @cached_property
    def fills_by_symbol(self) -> Table:
        return read_table(f"{self.folder}/fills_by_symbol.arrow")

    @cached_property
    def checkpoints(self) -> tuple[Table, Table]:
        return read_table(f"{self.folder}/checkpoints.arrow"), read_table(f"{self.folder}/checkpoint_orders.arrow")

    def indicators(self, symbol: int) -> Table:
        """The strategy's columns over the candles of one symbol, by its number."""
        return read_table(f"{self.folder}/indicators_{symbol}.arrow")

    def candles(self, symbol: int) -> Table:
        """The candles that the run saw."""
        return read_table(f"{self.candles_folder}/{symbol}.arrow")


def new_folder(parent: str, name: str) -> str:
    """A folder name that no other attempt can have."""
    return f"{parent}/{name}-{token_hex(4)}"


def write_tables(folder: str, tables: Mapping[str, Table]) -> None:
    for name, table in tables.items():
        write_table(f"{folder}/{name}.arrow", table)


def write_candles(folder: str, candles: Sequence[Candles]) -> None:
    for number, one in enumerate(candles):
        write_table(f"{folder}/{number}.arrow", Table({name: getattr(one, name) for name in CANDLE_COLUMNS}))


def write_table(name: str, table: Table) -> None:
    columns = {key: as_storable(column) for key, column in table.columns.items()}
    batch = pa.record_batch(list(columns.values()), names=list(columns))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    with asking_storage():
        default_storage.save(name, ContentFile(memoryview(sink.getvalue())))


def as_storable(column: NDArray[Any]) -> NDArray[Any]:
    """Arrow packs booleans into bits, which cannot be mapped; bytes can."""
    return np.ascontiguousarray(column, dtype=np.uint8 if column.dtype == np.bool_ else column.dtype)


def read_table(name: str) -> Table:
    batch = pa.ipc.open_file(open_source(name)).get_batch(0)
    return Table({key: column.to_numpy(zero_copy_only=True) for key, column in zip(batch.schema.names, batch.columns, strict=True)})


def open_source(name: str) -> Any:
    try:
        return pa.memory_map(default_storage.path(name))
    except NotImplementedError:
        return pa.py_buffer(fetch_file(name))


@lru_cache(maxsize=32)
def fetch_file(name: str) -> bytes:
    with asking_storage(), default_storage.open(name) as file:
        return bytes(file.read())


def digest_tables(tables: Mapping[str, Table]) -> str:
    """SHA-256 over every column's name, type and bytes."""
    total = hashlib.sha256()
    for name in sorted(tables):
        for key, column in tables[name].columns.items():
            total.update(f"{name}.{key}:{column.dtype.str}:{len(column)};".encode())
            total.update(np.ascontiguousarray(column).data)
    return total.hexdigest()


def delete_folder(folder: str) -> None:
    """A folder and the files in it; one that is not there is no fault."""
    if not folder:
        return
    with asking_storage():
        for name in list_files(folder):
            default_storage.delete(f"{folder}/{name}")
        default_storage.delete(folder)


def list_files(folder: str) -> list[str]:
    try:
        return list(default_storage.listdir(folder)[1])
    except FileNotFoundError:
        return []


def list_folders(parent: str) -> Iterator[str]:
    """The folders directly under `parent`."""
    try:
        with asking_storage():
            names = default_storage.listdir(parent)[0]
    except FileNotFoundError:
        return
    for name in names:
        yield f"{parent}/{name}"
