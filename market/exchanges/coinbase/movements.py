"""Coinbase's movements: the transactions of each account, and there is an account for each asset.

Fills are among them; they are told elsewhere, and left out. A conversion is a transaction in each of two accounts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

from market.exchanges.base import NotFoundAtVenue, UnreadRow
from market.exchanges.coinbase.frames import NAME
from market.exchanges.movements import Movement, MovementKind, MovementLeg
from market.exchanges.parsing import LONGEST, Json, Malformed, from_iso, parse_amount, parse_number, parse_optional_text, parse_text
from market.exchanges.reading import UNREAD, Reader, describe_row, keep_read
from market.exchanges.vocabulary import coinbase as words

Ask = Callable[[str, Json], Awaitable[Json]]
"""`(path, parameters)` of a question to the app's API."""
LIST = "transactions"
PAGE = 100
MOST_PAGES = 4000


async def read_transactions(ask: Ask, since: datetime, reader: Reader) -> list[Movement | UnreadRow]:
    """All movements since then of all accounts that may have one."""
    accounts = [row async for row in _walk(ask, "accounts") if may_have_moved(row, since)]
    ids = reader.read_rows("account", accounts, parse_account)
    rows, unread = [], [row for row in ids if isinstance(row, UnreadRow)]
    for account in keep_read(ids):
        try:
            rows += await _read_account(ask, account, since)
        except NotFoundAtVenue as error:  # closed meanwhile: the others are there all the same
            unread.append(describe_row(reader.venue, "account", {"id": account}, str(error), {}))
    moved = reader.read_rows("movement", [row for row in rows if not is_fill(row)], parse_transaction)
    return [*unread, *join_legs(moved)]


def may_have_moved(account: object, since: datetime) -> bool:
    """There are hundreds of accounts, most of them without ever a coin: those that are empty and were not touched since then are
    not asked. Where that cannot be read, it is asked."""
    try:
        return parse_number(account["balance"]["amount"]) != 0 or from_iso(account["updated_at"]) >= since  # type: ignore[index]
    except UNREAD:
        return True


def parse_account(account: Json) -> str:
    return parse_text(account["id"])


async def _read_account(ask: Ask, account: str, since: datetime) -> list[Any]:
    """Newest first, up to the first page that is older throughout."""
    rows: list[Any] = []
    async for row in _walk(ask, f"accounts/{account}/transactions"):
        if (began := _read_begin(row)) is not None and began < since:
            break
        rows.append(row)
    return rows


def _read_begin(row: object) -> datetime | None:
    try:
        return from_iso(row["created_at"])  # type: ignore[index]
    except UNREAD:
        return None


async def _walk(ask: Ask, path: str) -> Any:
    """The rows of all pages. The next one's parameters stand in an address, which is not followed as it is: its query would be
    signed as a part of the path."""
    parameters: dict[str, Any] = {"limit": PAGE}
    seen = set()
    for _ in range(MOST_PAGES):
        answer = await ask(path, parameters)
        rows = answer["data"]
        if not isinstance(rows, list):
            raise Malformed(f"{path} is {rows!r:.100}")
        for row in rows:
            yield row
        following = (answer.get("pagination") or {}).get("next_uri")
        if not following:
            return
        last = parse_qs(urlsplit(parse_text(following, 1000)).query)["starting_after"][0]
        if last in seen:
            break
        seen.add(last)
        parameters = {"limit": PAGE, "starting_after": last}
    raise Malformed(f"{path}: the pages have no end")


def is_fill(row: object) -> bool:
    return isinstance(row, dict) and words.TRANSACTION.words.get(str(row.get("type"))) == "fill"


def parse_transaction(row: Json) -> Movement:
    """The amount is signed, and all that the account has more or less by it: the fee of a network is in it."""
    asset, amount = parse_text(row["amount"]["currency"], NAME), parse_number(row["amount"]["amount"])
    state, time = words.TRANSACTION_STATUS.read_word(row["status"]), from_iso(row["created_at"])
    kind, network, fee = _read_kind(row["type"], amount), row.get("network") or {}, Decimal(0)
    if kind == "withdrawal" and (charged := network.get("transaction_fee")):
        fee = parse_amount(charged["amount"]) if parse_text(charged["currency"], NAME) == asset else fee
    return Movement(
        _name_movement(row),
        kind,
        state,
        time,
        time if amount < 0 else None,
        (MovementLeg(asset, amount + fee),),
        fee,
        asset if fee else "",
        parse_optional_text(network.get("network_name")),
        _find_address(row, amount),
        parse_optional_text(network.get("hash"), 2 * LONGEST),
        f"{row['type']}, {row['status']}",
    )


def _read_kind(word: str, amount: Decimal) -> MovementKind:
    kind = words.TRANSACTION.read_word(word)
    if kind == "sent":
        return "deposit" if amount >= 0 else "withdrawal"
    return "other" if kind == "fill" else kind


def _name_movement(row: Json) -> str:
    """Both legs of a conversion bear the id of the trade."""
    trade = row.get("trade")
    return f"trade:{parse_text(trade['id'])}" if row["type"] == "trade" and trade else parse_text(row["id"])


def _find_address(row: Json, amount: Decimal) -> str:
    """Where a withdrawal went to; of a deposit the venue tells it now and then."""
    side = row.get("to") or {}
    return parse_optional_text(side.get("address") or (side.get("email") if amount < 0 else ""))


def join_legs(rows: Iterable[Movement | UnreadRow]) -> list[Movement | UnreadRow]:
    """The legs of each conversion in one. It waits as long as there is only one of them: the other must be on its way."""
    result: list[Movement | UnreadRow] = []
    trades: dict[str, list[Movement]] = {}
    for row in dict.fromkeys(rows):  # one may stand at the end of a page and at the beginning of the next
        if isinstance(row, Movement) and row.reference.startswith("trade:"):
            trades.setdefault(row.reference, []).append(row)
        else:
            result.append(row)
    return [*result, *(_join_trade(legs) for legs in trades.values())]


def _join_trade(parts: list[Movement]) -> Movement:
    legs = tuple(sorted((leg for part in parts for leg in part.legs), key=lambda leg: leg.amount))
    whole = legs[0].amount < 0 < legs[-1].amount
    states = {part.state for part in parts}
    state = parts[0].state if len(states) == 1 and whole else "pending" if states <= {"done", "pending"} else parts[0].state
    first = min(parts, key=lambda part: part.time)
    return replace(first, legs=legs, state=state, moved_at=first.time)
