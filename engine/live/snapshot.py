"""A brain as bytes and back. A line of JSON, then the rows in use of each table; floats stay exact in both."""

from __future__ import annotations

import json
import zlib
from typing import Any

import numpy as np

from core.errors import Invalid, Unreadable
from engine.book import LOT, ORDER, RUNG, STATE, SYMBOL, WORKING
from engine.live.trader_state import COLUMNS, ROWS, TraderState

TABLES = {"state": STATE, "symbols": SYMBOL, "rungs": RUNG, "lots": LOT, "working": WORKING, "orders": ORDER}
VERSION = zlib.crc32(repr([1, COLUMNS, *(kind.descr for kind in TABLES.values())]).encode())
"""Changes with the tables, so that a state of other tables is not misread."""
PLAIN = ("t", "time", "begun", "opened", "entries_allowed", "numbers", "created", "told", "next_number")


def dumped(brain: TraderState, more: dict[str, Any]) -> bytes:
    state = brain.state
    rows = {name: getattr(brain.book, name) for name in TABLES}
    rows |= {name: rows[name][: int(state[name])] for name in ("lots", "working", "orders")}
    head = {name: getattr(brain, name) for name in PLAIN} | {
        "version": VERSION,
        "symbols": brain.symbols,
        "rows": {name: len(table) for name, table in rows.items()},
        "targets": list(brain.targets.items()),
        "times": list(brain.times.items()),
        "more": more,
    }
    arrays = [*rows.values(), *(brain.columns[name][:, 0] for name in COLUMNS), brain.counts[:, 0]]
    return b"\n".join([json.dumps(head, separators=(",", ":")).encode(), b"".join(array.tobytes() for array in arrays)])


def restored(brain: TraderState, data: bytes) -> dict[str, Any]:
    """Fill `brain`, which is new, from `data`. Returns what was given to `dumped` as `more`."""
    line, _, rest = data.partition(b"\n")
    try:
        head = json.loads(line)
        version, symbols = head["version"], tuple(head["symbols"])
    except (ValueError, KeyError, TypeError):
        raise Unreadable("The bot's stored state cannot be read. Start a new run.") from None
    if version != VERSION:
        raise Unreadable("The bot's state was stored by another version of the engine. Start a new run.")
    if symbols != brain.symbols:
        raise Invalid.at("symbols", f"The stored state is of {', '.join(symbols)}, not of {', '.join(brain.symbols)}.")
    for name in PLAIN:
        setattr(brain, name, head[name])
    brain.targets = {s: (number, time) for s, (number, time) in head["targets"]}
    brain.times = dict(head["times"])
    read_tables(brain, head["rows"], rest)
    return dict(head["more"])


def read_tables(brain: TraderState, rows: dict[str, int], data: bytes) -> None:
    at = 0

    def take(kind: Any, count: int) -> Any:
        nonlocal at
        array = np.frombuffer(data, kind, count, at)
        at += array.nbytes
        return array

    length = ROWS
    while length < max(rows[name] for name in ("lots", "working", "orders")):
        length *= 2
    tables = {name: take(kind, rows[name]) for name, kind in TABLES.items()}
    brain.lengthen(length)
    brain.adopt(rungs=tables["rungs"].copy())
    for name in ("state", "symbols", "lots", "working", "orders"):
        getattr(brain.book, name)[: rows[name]] = tables[name]
    for name in COLUMNS:
        brain.columns[name][:] = take(np.float64, len(brain.symbols)).reshape(-1, 1)
    brain.counts[:] = take(np.int64, len(brain.symbols)).reshape(-1, 1)
