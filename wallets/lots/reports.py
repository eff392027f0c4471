"""Open lots and disposals for people and programs: rows of plain JSON, pages of them, and CSV."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from core.errors import Invalid
from core.sheets import csv_line
from core.text import decimal_text, utc_text
from wallets.lots.basis import CostBasis
from wallets.lots.holding import find_day, name_term
from wallets.lots.moments import from_microseconds
from wallets.lots.types import UNIT, Disposal, Lot, from_units, share_of

Row: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[int, int, int]
"""Its moment, its transaction, and its number within that: what orders rows."""
CURSOR = "[0-9]{1,17}-[0-9]{1,18}-[0-9]{1,9}"
COLUMNS = (
    *("wallet_name", "asset", "quantity", "acquired_at", "disposed_at", "days", "term", "proceeds", "basis", "gain", "currency"),
    *("kind", "note", "transaction"),
)
COVERED, SHORT, NO_COST, NO_PRICE = "covered", "short", "cost_unknown", "price_unknown"
HERE, ELSEWHERE, IN_TRANSIT = "wallet", "elsewhere", "in_transit"
NOTES = ("", COVERED, SHORT, NO_COST, NO_PRICE)


def list_open_lots(basis: CostBasis, *, wallet: int, asset: str = "") -> list[Row]:
    """The open lots of a wallet, the oldest first; where all wallets have theirs together, all of the assets that it has."""
    store = basis.inventory.store
    mine = {name for (owner, name), amount in store.held.items() if owner == wallet and amount > 0}
    found = [
        (lot, link)
        for owner, link, lot in store.list_lots()
        if (lot.wallet == wallet if owner or link else lot.asset in mine) and asset in ("", lot.asset)
    ]
    found.sort(key=lambda item: (item[0].acquired, item[0].transaction, item[0].asset, item[1]))
    return number_rows((lot.acquired, lot.transaction, lot_row(basis, lot, link)) for lot, link in found)


def lot_row(basis: CostBasis, lot: Lot, link: str) -> Row:
    unit_cost = None if lot.basis is None else share_of(lot.basis, UNIT, lot.quantity)
    return {
        "wallet": basis.wallets[lot.wallet].wallet_id,
        "wallet_name": basis.wallets[lot.wallet].name,
        "asset": lot.asset,
        "quantity": decimal_text(from_units(lot.quantity)),
        "acquired_at": utc_text(from_microseconds(lot.acquired)),
        "basis": money_text(lot.basis),
        "unit_cost": money_text(unit_cost),
        "currency": basis.currency,
        "kind": lot.kind,
        "transaction": lot.transaction,
        "place": name_place(link),
    }


def name_place(link: str) -> str:
    """Where a lot is: parked ones are elsewhere at the venue, or on their way to another wallet."""
    return HERE if not link else ELSEWHERE if link.startswith(ELSEWHERE) else IN_TRANSIT


def list_disposals(parts: Iterable[CostBasis], zone: ZoneInfo) -> list[Row]:
    """The disposals of a tax year, in the order of time."""
    found = [(one, basis) for basis in parts for one in basis.disposals]
    found.sort(key=lambda item: (item[0].disposed, item[0].transaction))
    return number_rows((one.disposed, one.transaction, disposal_row(basis, one, zone)) for one, basis in found)


def disposal_row(basis: CostBasis, one: Disposal, zone: ZoneInfo) -> Row:
    """`days` and `term` by the days of the tax year's zone; null where nobody knows when it was acquired, or for how much."""
    sold = find_day(one.disposed, zone)
    bought = None if one.acquired is None or one.basis is None else find_day(one.acquired, zone)
    return {
        "wallet": basis.wallets[one.wallet].wallet_id,
        "wallet_name": basis.wallets[one.wallet].name,
        "asset": one.asset,
        "quantity": decimal_text(from_units(one.quantity)),
        "acquired_at": None if one.acquired is None else utc_text(from_microseconds(one.acquired)),
        "disposed_at": utc_text(from_microseconds(one.disposed)),
        "days": None if bought is None else max(0, (sold - bought).days),
        "term": None if bought is None else name_term(bought, sold),
        "proceeds": money_text(one.proceeds),
        "basis": money_text(one.basis),
        "gain": money_text(one.gain),
        "currency": basis.currency,
        "kind": one.kind,
        "note": name_note(one),
        "transaction": one.transaction,
    }


def name_note(one: Disposal) -> str:
    """What is odd about it, or why it has no gain."""
    if one.acquired is None:
        return SHORT
    if one.basis is None:
        return NO_COST
    return NO_PRICE if one.proceeds is None else COVERED if one.covered else ""


def sum_disposals(parts: Iterable[CostBasis], zone: ZoneInfo) -> Row:
    """The sums of those with a known gain, and how many have none."""
    sums, unknown = dict.fromkeys(("proceeds", "basis", "gain", "short_term_gain", "long_term_gain"), 0), 0
    for one in (one for basis in parts for one in basis.disposals):
        if one.gain is None or one.basis is None or one.proceeds is None or one.acquired is None:
            unknown += 1
            continue
        term = name_term(find_day(one.acquired, zone), find_day(one.disposed, zone))
        for name, units in (("proceeds", one.proceeds), ("basis", one.basis), ("gain", one.gain), (f"{term}_term_gain", one.gain)):
            sums[name] += units
    return {name: money_text(units) for name, units in sums.items()} | {"unknown": unknown}


def number_rows(found: Iterable[tuple[int, int, Row]]) -> list[Row]:
    """Gives each its key."""
    rows: list[Row] = []
    last, number = (0, 0), 0
    for ts, transaction, row in found:
        number = number + 1 if (ts, transaction) == last else 0
        last = ts, transaction
        rows.append({"key": f"{ts}-{transaction}-{number}", **row})
    return rows


def page_rows(rows: Sequence[Row], *, cursor: str = "", limit: int = 100) -> tuple[list[Row], str | None]:
    """Up to `limit` rows after the one that the cursor names, and the cursor of the next page. `Invalid` at `cursor`."""
    if cursor and not re.fullmatch(CURSOR, cursor):
        raise Invalid.at("cursor", "This cursor is not one of ours. Start again from the first page.")
    after = read_key(cursor) if cursor else None
    left = [row for row in rows if after is None or read_key(row["key"]) > after]
    return left[:limit], left[limit - 1]["key"] if len(left) > limit else None


def read_key(text: str) -> Key:
    ts, transaction, number = map(int, text.split("-"))
    return ts, transaction, number


def write_csv(rows: Iterable[Row]) -> Iterator[str]:
    """A piece at a time. What is unknown is empty."""
    yield csv_line(COLUMNS)
    for row in rows:
        yield csv_line(["" if row[name] is None else row[name] for name in COLUMNS])


def money_text(units: int | None) -> str | None:
    return None if units is None else decimal_text(from_units(units))
