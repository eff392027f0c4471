"""What changed since the accounts were last saved: a line for each call that changed them, written before the call returns. So
whatever a client has been told is still so after the sandbox was killed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from market.sandbox.events import BalanceUpdate, Event, MovementUpdate, OrderUpdate
from market.sandbox.exchange import SandboxExchange
from market.sandbox.movements import SandboxMovement
from market.sandbox.orders import SandboxOrder

AHEAD = 1_000
"""So many trade ids are set aside at a time: others trade too often to write each of theirs down."""


class VenueJournal:
    """The changes of one venue. `line` counts on over restarts."""

    def __init__(self, journal: SandboxJournal, venue: str, exchange: SandboxExchange) -> None:
        self.journal, self.venue, self.exchange = journal, venue, exchange
        self.orders: dict[int, SandboxOrder] = {}
        self.movements: dict[int, SandboxMovement] = {}
        self.accounts: set[str] = set()
        self.promised = set_aside(exchange)
        exchange.listen(self.note)
        exchange.record = self.write

    def note(self, event: Event) -> None:
        if isinstance(event, OrderUpdate):
            self.orders[event.order.id] = event.order
        if isinstance(event, MovementUpdate):
            self.movements[event.movement.id] = event.movement
        if isinstance(event, OrderUpdate | BalanceUpdate | MovementUpdate):
            self.accounts.add(event.account)

    def write(self) -> None:
        used_up = [symbol for symbol, market in self.exchange.markets.items() if market.history.next_id > self.promised[symbol]]
        if not self.accounts and not used_up:
            return
        if used_up:
            self.promised = set_aside(self.exchange)
        self.journal.append({"venue": self.venue, **dump_counters(self.exchange, self.promised), "accounts": self.changed()})
        self.orders.clear()
        self.movements.clear()
        self.accounts.clear()

    def changed(self) -> list[dict[str, Any]]:
        return [
            dump_account(self.exchange, name, list(self.orders.values()), list(self.movements.values()))
            for name in sorted(self.accounts)
        ]


class SandboxJournal:
    """The file. It is emptied whenever the accounts are saved."""

    def __init__(self, path: Path, exchanges: Mapping[str, SandboxExchange], line: int) -> None:
        self.line = line
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.venues = [VenueJournal(self, venue, exchange) for venue, exchange in exchanges.items()]

    def append(self, entry: dict[str, Any]) -> None:
        self.line += 1
        os.write(self._file, json.dumps({"line": self.line, **entry}, default=str).encode() + b"\n")

    def empty(self) -> None:
        os.ftruncate(self._file, 0)

    def close(self) -> None:
        os.close(self._file)


def journal_path(path: Path) -> Path:
    return path.with_name(path.name + ".journal")


def set_aside(exchange: SandboxExchange) -> dict[str, int]:
    return {symbol: market.history.next_id + AHEAD for symbol, market in exchange.markets.items()}


def dump_counters(exchange: SandboxExchange, next_trades: Mapping[str, int]) -> dict[str, Any]:
    counted = {"next_order": exchange.next_order, "next_movement": exchange.next_movement, "sequence": exchange.sequence}
    return {**counted, "fees": exchange.fees, "outside": exchange.outside, "next_trades": next_trades}


def dump_account(
    exchange: SandboxExchange, name: str, orders: Iterable[SandboxOrder], movements: Iterable[SandboxMovement]
) -> dict[str, Any]:
    """The account, with those of the orders and movements that are its own."""
    balances = {asset: asdict(balance) for asset, balance in exchange.accounts[name].balances.items()}
    return {
        "name": name,
        "balances": balances,
        "orders": [asdict(one) for one in orders if one.account == name],
        "movements": [asdict(one) for one in movements if one.account == name],
    }


def read_journal(path: Path) -> list[dict[str, Any]]:
    """The lines, without one that was cut off as it was written: nobody was told of that."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text.split(b"\n")[:-1]]


def merge_lines(content: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    """Brings what was saved up to date. Lines from before it was saved are in it already."""
    for entry in lines:
        if entry["line"] <= content.get("line", 0):
            continue
        content["line"] = entry["line"]
        venue = content["venues"][entry["venue"]]
        venue.update({name: value for name, value in entry.items() if name not in ("line", "venue", "accounts")})
        for changed in entry["accounts"]:
            kept = next((one for one in venue["accounts"] if one["name"] == changed["name"]), None)
            if kept is None:
                venue["accounts"].append(changed)
                continue
            kept["balances"] = changed["balances"]
            for kind in ("orders", "movements"):
                kept[kind] = list({one["id"]: one for one in [*kept.get(kind, ()), *changed.get(kind, ())]}.values())
