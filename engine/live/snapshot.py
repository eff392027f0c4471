"""A trader's state as bytes and back. A line of JSON, then the rows in use of each table; floats stay exact in both.

Bots live longer than a release: the names here are those that stored snapshots have, whatever the attributes are called today."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from core.errors import Invalid, Unreadable
from engine.book import LOT, ORDER, RUNG, STATE, SYMBOL, WORKING
from engine.live.candles_at_hand import COLUMNS
from engine.live.held_orders import HeldOrder
from engine.live.trader_state import ROWS, TraderState
from engine.live.types import Intent
from engine.live.venue_order import VenueOrder
from engine.live.venue_orders import VenueOrders

TABLES = {"state": STATE, "symbols": SYMBOL, "rungs": RUNG, "lots": LOT, "working": WORKING, "orders": ORDER}
STORED_FIELDS = {"next_intent": "next_wish"}
"""Fields of the tables that the version knows by another name."""
STORED = {
    "t": "t",
    "time": "time",
    "begun": "begun",
    "opened": "opened",
    "entries_allowed": "entries_allowed",
    "numbers": "numbers",
    "created": "decided_at",
    "told": "announced",
    "next_number": "next_number",
}
"""Keys of the JSON, and the attributes of `TraderState` that they hold."""
LATER_FIELDS = ("rest", "counted")
"""Fields of orders that snapshots of 0.1.0 do not have: stored where they say something."""
ORDER_FIELDS, INTENT_FIELDS, HELD_FIELDS = (tuple(one.name for one in fields(kind)) for kind in (VenueOrder, Intent, HeldOrder))


def compute_version() -> int:
    layouts = [[(STORED_FIELDS.get(name, name), *rest) for name, *rest in kind.descr] for kind in TABLES.values()]
    return zlib.crc32(repr([1, COLUMNS, *layouts]).encode())


VERSION = compute_version()
"""Changes with the tables, so that a state of other tables is not misread."""


def dump_trader_state(trader_state: TraderState, more: dict[str, Any]) -> bytes:
    totals, candles = trader_state.totals, trader_state.candles
    rows = {name: getattr(trader_state.book, name) for name in TABLES}
    rows |= {name: rows[name][: int(totals[name])] for name in ("lots", "working", "orders")}
    head = {key: getattr(trader_state, name) for key, name in STORED.items()} | {
        "version": VERSION,
        "symbols": trader_state.symbols,
        "rows": {name: len(table) for name, table in rows.items()},
        "targets": list(trader_state.targets.items()),
        "times": list(trader_state.times.items()),
        "more": more,
    }
    arrays = [*rows.values(), *(candles.columns[name][:, 0] for name in COLUMNS), candles.counts[:, 0]]
    return b"\n".join([json.dumps(head, separators=(",", ":")).encode(), b"".join(array.tobytes() for array in arrays)])


def load_trader_state(trader_state: TraderState, data: bytes) -> dict[str, Any]:
    """Fill `trader_state`, which is new, from `data`. Returns what was given to `dump_trader_state` as `more`.

    `Unreadable` where they are no snapshot or one of other tables; `Invalid` where it is of other symbols."""
    line, _, rest = data.partition(b"\n")
    try:
        head = json.loads(line)
        version, symbols = head["version"], tuple(head["symbols"])
    except (ValueError, KeyError, TypeError):
        raise Unreadable("The bot's stored state cannot be read. Start a new run.") from None
    if version != VERSION:
        raise Unreadable("The bot's state was stored by another version of the engine. Start a new run.")
    if symbols != trader_state.symbols:
        raise Invalid.at("symbols", f"The stored state is of {', '.join(symbols)}, not of {', '.join(trader_state.symbols)}.")
    for key, name in STORED.items():
        setattr(trader_state, name, head[key])
    trader_state.targets = {s: (number, time) for s, (number, time) in head["targets"]}
    trader_state.times = dict(head["times"])
    read_tables(trader_state, head["rows"], rest)
    return dict(head["more"])


def read_tables(trader_state: TraderState, rows: dict[str, int], data: bytes) -> None:
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
    trader_state.lengthen(length)
    trader_state.adopt(rungs=tables["rungs"].copy())
    for name in ("state", "symbols", "lots", "working", "orders"):
        getattr(trader_state.book, name)[: rows[name]] = tables[name]
    for name in COLUMNS:
        trader_state.candles.columns[name][:] = take(np.float64, len(trader_state.symbols)).reshape(-1, 1)
    trader_state.candles.counts[:] = take(np.int64, len(trader_state.symbols)).reshape(-1, 1)


def dump_venue_orders(venue_orders: VenueOrders) -> dict[str, Any]:
    """In JSON's own types."""
    exits = venue_orders.exits
    orders = {"out": venue_orders.sent, "past": venue_orders.past, "offers": exits.unsent}
    return {
        "due": venue_orders.due,
        "reached": exits.reached,
        "failed": [number for number, held in venue_orders.held.items() if held == HeldOrder()],
        "bare": exits.bare,
        "halted": exits.halted,
        "crumbs": venue_orders.crumbs,
        **{key: {number: dump_order(one) for number, one in each.items()} for key, each in orders.items()},
        **dump_held(venue_orders),
    }


def dump_held(venue_orders: VenueOrders) -> dict[str, Any]:
    """The orders that were refused, but for exits that just go out at the next price, and when they were tried; where there are
    any."""
    kinds = {"held": venue_orders.held, "held_lots": venue_orders.exits.held, "held_entries": venue_orders.held_entries}
    said = {key: {n: asdict(held) for n, held in each.items() if held != HeldOrder()} for key, each in kinds.items()}
    tries = venue_orders.tries
    tried = {"tries": [[*of, times] for of, times in tries.times.items()]}
    last = {"last": [[*of, asdict(held)] for of, held in tries.last.items() if of in tries.times]}
    return {key: each for key, each in (said | tried | last).items() if each}


def load_held(stored: Mapping[str, Any]) -> dict[int, HeldOrder]:
    return {int(number): load_held_order(one) for number, one in stored.items()}


def load_held_order(stored: Mapping[str, Any]) -> HeldOrder:
    return HeldOrder(**{name: stored[name] for name in HELD_FIELDS if name in stored})


def load_venue_orders(venue_orders: VenueOrders, stored: Mapping[str, Any]) -> None:
    """Fill `venue_orders`, which is new, from what `dump_venue_orders` gave."""
    exits = venue_orders.exits
    venue_orders.due = stored["due"]
    venue_orders.held = {number: HeldOrder() for number in stored["failed"]} | load_held(stored.get("held", {}))
    exits.held, venue_orders.held_entries = (load_held(stored.get(key, {})) for key in ("held_lots", "held_entries"))
    venue_orders.tries.times = {(s, kind): times for s, kind, times in stored.get("tries", ())}
    venue_orders.tries.last = {(s, kind): load_held_order(held) for s, kind, held in stored.get("last", ())}
    exits.reached, exits.halted = stored["reached"], stored["halted"]
    exits.bare = stored.get("bare", [])  # snapshots from before stops could rest at a venue do not have it
    venue_orders.crumbs = {int(s): quantity for s, quantity in stored["crumbs"].items()}
    venue_orders.sent, venue_orders.past, exits.unsent = (
        {int(number): load_order(one) for number, one in stored[key].items()} for key in ("out", "past", "offers")
    )


def dump_order(venue_order: VenueOrder) -> dict[str, Any]:
    """Written at each step of a bot, with dozens of orders that are over: hence no `asdict`, which copies."""
    stored = {name: value for name in ORDER_FIELDS if (value := getattr(venue_order, name)) or name not in LATER_FIELDS}
    return stored | {"order": {name: getattr(venue_order.order, name) for name in INTENT_FIELDS}}


def load_order(stored: Mapping[str, Any]) -> VenueOrder:
    return VenueOrder(**{**stored, "order": Intent(**stored["order"])})
