"""What an account at Binance has outside of spot trading: in its funding wallet, lent out in Simple Earn, with sub-accounts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from market.exchanges.base import HeldElsewhere, Refused
from market.exchanges.binance.client import BinanceClient
from market.exchanges.binance.frames import NAME
from market.exchanges.parsing import Json, parse_amount, parse_text
from market.exchanges.reading import Reader

Ask = Callable[[Callable[[BinanceClient], Awaitable[Any]], int], Awaitable[Any]]
"""Asks the client something, at a weight."""
MOST_PAGES = 50
SETTLED_IN = "BTC"
"""What Binance adds up sub-accounts in."""


@dataclass(frozen=True, slots=True)
class PagedList:
    """A list in pages. `rows`: under which name it stands in an answer."""

    method: str
    weight: int
    page: str
    size: int
    rows: str
    parse: Callable[[Json], HeldElsewhere]


def parse_funding(row: Json) -> HeldElsewhere:
    parts = (parse_amount(row.get(part) or "0") for part in ("free", "locked", "freeze", "withdrawing"))
    return HeldElsewhere("funding", "Funding wallet", parse_text(row["asset"], NAME), sum(parts, Decimal(0)))


def parse_flexible(row: Json) -> HeldElsewhere:
    return HeldElsewhere("earn", "Simple Earn, flexible", parse_text(row["asset"], NAME), parse_amount(row["totalAmount"]))


def parse_locked(row: Json) -> HeldElsewhere:
    return HeldElsewhere("earn", "Simple Earn, locked", parse_text(row["asset"], NAME), parse_amount(row["amount"]))


def parse_sub_account(row: Json) -> HeldElsewhere:
    return HeldElsewhere("sub_account", f"Sub-account {parse_text(row['email'])}", SETTLED_IN, parse_amount(row["totalAsset"]))


PAGED = (
    PagedList("get_simple_earn_flexible_product_position", 150, "current", 100, "rows", parse_flexible),
    PagedList("get_simple_earn_locked_product_position", 150, "current", 100, "rows", parse_locked),
    PagedList("query_subaccount_spot_summary", 1, "page", 20, "spotSubUserAssetBtcVoList", parse_sub_account),
)


async def read_elsewhere(ask: Ask, reader: Reader) -> list[HeldElsewhere]:
    """Lists that the venue refuses are left out: not each account has sub-accounts, and not each key may look at them."""
    found = await read_funding(ask, reader)
    for each in PAGED:
        found += await read_pages(ask, reader, each)
    return [one for one in found if one.amount]


async def read_funding(ask: Ask, reader: Reader) -> list[HeldElsewhere]:
    try:
        rows = await ask(lambda client: client.funding_wallet(), 1)
    except Refused:
        return []
    return reader.read_list("funding", rows, parse_funding)


async def read_pages(ask: Ask, reader: Reader, each: PagedList) -> list[HeldElsewhere]:
    found: list[HeldElsewhere] = []
    for number in range(1, MOST_PAGES + 1):
        given = {each.page: number, "size": each.size}
        try:
            answer = await ask(lambda client, given=given: getattr(client, each.method)(**given), each.weight)  # type: ignore[misc]
        except Refused:
            return found
        rows = answer[each.rows]
        found += reader.read_list(each.rows, rows, each.parse)
        if len(rows) < each.size:
            break
    return found
