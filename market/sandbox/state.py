"""A sandbox's accounts in a file, so that a restart keeps balances, orders and fills. Prices start again; ids go on. What happened
since the file was written stands in the journal beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from market.sandbox.accounts import AssetBalance, SandboxAccount
from market.sandbox.exchange import SandboxExchange
from market.sandbox.journal import SandboxJournal, dump_account, dump_counters, journal_path, merge_lines, read_journal
from market.sandbox.movements import MovementLeg, MovementTicket, SandboxMovement
from market.sandbox.orders import OrderTicket, RequestRefused, SandboxFill, SandboxOrder

Row = TypeVar("Row", SandboxFill, SandboxOrder, OrderTicket, AssetBalance, SandboxMovement, MovementTicket, MovementLeg)
VERSION = 1


class BadState(ValueError):
    """A file of accounts cannot be used. The message says why and what to do."""


def save_accounts(path: Path, journal: SandboxJournal, seed: int, *, last: bool = False) -> None:
    """Writes the whole file, or leaves the one that is there; the journal begins anew. If it is the `last` time, no trade id is set
    aside any more."""
    venues = {one.venue: _dump_exchange(one.exchange, {} if last else one.promised) for one in journal.venues}
    content = {"version": VERSION, "seed": seed, "line": journal.line, "venues": venues}
    new = path.with_name(path.name + ".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, default=str)
    os.replace(new, path)
    journal.empty()


def load_accounts(path: Path, exchanges: Mapping[str, SandboxExchange], seed: int) -> int:
    """Replaces the accounts by those of the file and its journal. Answers the journal's last line. Without a file nothing changes.
    `BadState`."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["version"] != VERSION or content["seed"] != seed:
            raise BadState(f"{path} was made with seed {content['seed']}: use that seed, or another file.")
        merge_lines(content, read_journal(journal_path(path)))
        for name, exchange in exchanges.items():
            _restore_exchange(exchange, content["venues"][name])
        return int(content.get("line", 0))
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise BadState(f"{path} cannot be read: {error.strerror}.") from None
    except BadState:
        raise
    except (ValueError, KeyError, RequestRefused, TypeError, AttributeError, ArithmeticError) as error:
        raise BadState(f"{path} is damaged ({type(error).__name__}). Delete it to start with new accounts.") from None


def _dump_exchange(exchange: SandboxExchange, promised: Mapping[str, int]) -> dict[str, Any]:
    """What of an exchange has to outlive a restart; fills stand within their orders."""
    next_trades = promised or {symbol: market.history.next_id for symbol, market in exchange.markets.items()}
    accounts = [
        dump_account(exchange, name, one.orders.values(), one.movements.values()) for name, one in exchange.accounts.items()
    ]
    return {**dump_counters(exchange, next_trades), "accounts": accounts}


def _restore_exchange(exchange: SandboxExchange, kept: Mapping[str, Any]) -> None:
    exchange.next_order, exchange.sequence = int(kept["next_order"]), int(kept["sequence"])
    exchange.next_movement = int(kept.get("next_movement", 1))
    exchange.fees, exchange.outside = ({k: Decimal(v) for k, v in kept[name].items()} for name in ("fees", "outside"))
    for symbol, next_id in kept["next_trades"].items():
        if symbol in exchange.markets:
            exchange.history(symbol).next_id = int(next_id)
    for row in kept["accounts"]:
        balances = {asset: _read_row(AssetBalance, balance) for asset, balance in row["balances"].items()}
        account = exchange.accounts[row["name"]] = SandboxAccount(row["name"], balances)
        account.movements = {one.id: one for one in map(_read_movement, row.get("movements", ()))}
        for order in map(_read_order, row["orders"]):
            exchange.restore_order(account, order)
        account.fills = sorted((fill for order in account.orders.values() for fill in order.fills), key=lambda fill: fill.time)


def _read_order(kept: Mapping[str, Any]) -> SandboxOrder:
    request = _read_row(OrderTicket, kept["request"])
    return _read_row(SandboxOrder, {**kept, "request": request, "fills": [_read_row(SandboxFill, fill) for fill in kept["fills"]]})


def _read_movement(kept: Mapping[str, Any]) -> SandboxMovement:
    legs = tuple(_read_row(MovementLeg, leg) for leg in kept["request"]["legs"])
    return _read_row(SandboxMovement, {**kept, "request": _read_row(MovementTicket, {**kept["request"], "legs": legs})})


def _read_row(kind: type[Row], kept: Mapping[str, Any]) -> Row:
    """An object from its JSON, in which money is text."""
    values: dict[str, Any] = {field.name: kept[field.name] for field in fields(kind)}
    money = [field.name for field in fields(kind) if field.type == "Decimal"]
    return kind(**values | {name: Decimal(values[name]) for name in money})
