"""Binance's seven lists of movements: how each is asked for, and what its rows are.

Each takes a span of some length only, and tells of it in its own way: by offset, by page, or only its newest rows. Then the span is
halved until all rows of it fit into one answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from core.times import to_ms
from market.exchanges.base import MovementPage, UnreadRow
from market.exchanges.binance.frames import NAME
from market.exchanges.movements import Movement, MovementKind, MovementLeg
from market.exchanges.parsing import (
    LONGEST,
    Json,
    Malformed,
    from_milliseconds,
    parse_amount,
    parse_number,
    parse_optional_text,
    parse_positive,
    parse_text,
)
from market.exchanges.reading import Reader
from market.exchanges.vocabulary import binance as words

Ask = Callable[[str, Mapping[str, Any], Mapping[str, int]], Awaitable[Any]]
"""`(name of the library's method, parameters, costs)`."""
MOST_PAGES = 1000
SHORTEST = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class MovementList:
    """`days`: the longest span of one question. `size`: the rows of a full page, asked for as `size_name`. `place`: its paging.
    `cost`: which limit, and how much of it. `rows`: where they stand in the answer. `reach`: days that it goes back. `variants`:
    parameters that it must be asked with, one after the other."""

    ask: str
    parse: Callable[[Json], Movement]
    days: int
    size: int
    place: Literal["offset", "current", "page", ""] = ""
    cost: tuple[str, int] = ("wallet", 1)
    rows: tuple[str, ...] = ()
    size_name: str = "limit"
    reach: int = 0
    variants: Sequence[Mapping[str, Any]] = ({},)

    def span(self, since: datetime, now: datetime) -> tuple[datetime, datetime]:
        start = max(since, now - timedelta(days=self.reach)) if self.reach else since
        return start, min(now, start + timedelta(days=self.days))

    def ask_page(self, number: int) -> dict[str, Any]:
        sized = {self.size_name: self.size} if self.size_name else {}
        match self.place:
            case "offset":
                return sized | {"offset": number * self.size}
            case "current" | "page":
                return sized | {self.place: number + 1}
        return sized

    def take_rows(self, answer: Any) -> list[Any]:
        for name in self.rows:
            answer = answer[name]
        if not isinstance(answer, list):
            raise Malformed(f"{self.ask} is {answer!r:.100}")
        return answer


async def read_page(listed: MovementList, ask: Ask, since: datetime, now: datetime, reader: Reader) -> MovementPage:
    """The rows from `since` on, as long a span as one answer can tell of."""
    start, until = listed.span(since, now)
    found: dict[str, Movement | UnreadRow] = {}
    for variant in listed.variants:
        while (rows := await _read_span(listed, ask, variant, start, until)) is None:
            until = start + (until - start) / 2
        for row in reader.read_rows("movement", _number_twins(rows), listed.parse):
            found[row.raw if isinstance(row, UnreadRow) else row.reference] = row
    return MovementPage(tuple(found.values()), until, until >= now)


async def _read_span(listed: MovementList, ask: Ask, variant: Json, start: datetime, until: datetime) -> list[Any] | None:
    """All rows of a span; None where a list without pages has too many for one answer."""
    given = {**variant, "startTime": to_ms(start), "endTime": to_ms(until)}
    rows: list[Any] = []
    page: list[Any] = []
    for number in range(MOST_PAGES):
        before, page = page, listed.take_rows(await ask(listed.ask, given | listed.ask_page(number), dict([listed.cost])))
        rows += page
        if len(page) < listed.size:
            return rows
        if not listed.place and until - start > SHORTEST:
            return None
        if not listed.place or page == before:
            break
    raise Malformed(f"{listed.ask}: pages that lead no further")


def _number_twins(rows: list[Any]) -> list[Any]:
    """Rebates have no id: those that say the same are told apart by their number."""
    seen: Counter[str] = Counter()
    result = []
    for row in rows:
        seen[repr(row)] += 1
        result.append({**row, "twin": seen[repr(row)]} if isinstance(row, dict) and seen[repr(row)] > 1 else row)
    return result


def parse_deposit(row: Json) -> Movement:
    """What is pending may be credited later than it is listed. `completeTime` is missing in older rows."""
    asset, ended = parse_text(row["coin"], NAME), row.get("completeTime")
    state = words.DEPOSIT_STATUS.read_word(str(row["status"]))
    return Movement(
        f"deposit:{parse_text(row['id'])}",
        "deposit",
        state,
        from_milliseconds(row["insertTime"]),
        from_milliseconds(ended) if ended and state == "done" else None,
        (MovementLeg(asset, parse_positive(row["amount"])),),
        **_parse_chain(row),
        words=f"status {row['status']}",
        elsewhere=_name_wallet(row),
    )


def parse_withdrawal(row: Json) -> Movement:
    """The amount is without the fee. It leaves the account when it is asked for. Times are texts in UTC, without saying so."""
    asset, time = parse_text(row["coin"], NAME), from_milliseconds(row["applyTime"])
    fee = parse_amount(row.get("transactionFee") or 0)
    return Movement(
        f"withdrawal:{parse_text(row['id'])}",
        "withdrawal",
        words.WITHDRAWAL_STATUS.read_word(str(row["status"])),
        time,
        time,
        (MovementLeg(asset, -parse_positive(row["amount"])),),
        fee,
        asset if fee else "",
        **_parse_chain(row),
        words=f"status {row['status']}",
        elsewhere=_name_wallet(row),
    )


def _parse_chain(row: Json) -> dict[str, Any]:
    """A tag is a part of the address. Instead of a transaction of a chain there may be a sentence."""
    address, tag = parse_optional_text(row.get("address")), parse_optional_text(row.get("addressTag"))
    return {
        "network": parse_optional_text(row.get("network")),
        "address": f"{address}:{tag}" if tag else address,
        "txid": parse_optional_text(row.get("txId"), 2 * LONGEST),
    }


def _name_wallet(row: Json) -> str:
    """Older rows have none: then it was the spot wallet."""
    wallet = words.WALLET_TYPE.read_word(str(row.get("walletType", 0)))
    return "" if wallet == "spot" else wallet


def parse_conversion(row: Json) -> Movement:
    time = from_milliseconds(row["createTime"])
    given, got = parse_text(row["fromAsset"], NAME), parse_text(row["toAsset"], NAME)
    return Movement(
        f"conversion:{parse_text(row['orderId'])}",
        "conversion",
        words.CONVERSION_STATUS.read_word(row["orderStatus"]),
        time,
        time,
        (MovementLeg(given, -parse_positive(row["fromAmount"])), MovementLeg(got, parse_positive(row["toAmount"]))),
        words=parse_text(row["orderStatus"]),
    )


def parse_dust(row: Json) -> Movement:
    """Many small amounts for one of BNB. What came in is told without the fee, which was taken out of it before. Some rows have
    their time in their parts only, and there it may be a text."""
    details = row["userAssetDribbletDetails"]
    time = from_milliseconds(row.get("operateTime") or details[0]["operateTime"])
    fee = parse_amount(row["totalServiceChargeAmount"])
    got = parse_text(row.get("targetAsset") or details[0].get("targetAsset") or "BNB", NAME)
    given = [MovementLeg(parse_text(one["fromAsset"], NAME), -parse_positive(one["amount"])) for one in details]
    return Movement(
        f"dust:{parse_text(row['transId'])}",
        "dust",
        "done",
        time,
        time,
        (*given, MovementLeg(got, parse_amount(row["totalTransferedAmount"]) + fee)),
        fee,
        got if fee else "",
    )


def parse_dividend(row: Json) -> Movement:
    """A reward, an airdrop or the like; `enInfo` says which."""
    time = from_milliseconds(row["divTime"])
    kind: MovementKind = "reward" if row.get("direction") in (None, 1) else "other"
    legs, told = (
        (MovementLeg(parse_text(row["asset"], NAME), parse_positive(row["amount"])),),
        parse_optional_text(row.get("enInfo")),
    )
    return Movement(f"reward:{parse_text(row['id'])}", kind, "done", time, time, legs, words=told)


def parse_transfer(row: Json) -> Movement:
    time, word = from_milliseconds(row["timestamp"]), parse_text(row["type"])
    way, amount = words.TRANSFER.read_word(word), parse_positive(row["amount"])
    return Movement(
        f"transfer:{parse_text(row['tranId'])}",
        "other" if way == "elsewhere" else "transfer",
        words.TRANSFER_STATUS.read_word(row["status"]),
        time,
        time,
        (MovementLeg(parse_text(row["asset"], NAME), amount if way == "in" else -amount),),
        words=word,
    )


def parse_rebate(row: Json) -> Movement:
    """It has no id: what it says is its name."""
    time, amount, asset = from_milliseconds(row["updateTime"]), parse_number(row["amount"]), parse_text(row["asset"], NAME)
    kind, twin = words.REBATE.read_word(str(row["type"])), row.get("twin")
    reference = f"rebate:{to_ms(time)}:{asset}:{row['type']}:{amount}{f':{twin}' if twin else ''}"
    return Movement(reference, kind, "done", time, time, (MovementLeg(asset, amount),), words=f"type {row['type']}")


LISTS: dict[str, MovementList] = {
    "deposits": MovementList("get_deposit_history", parse_deposit, 89, 1000, "offset"),
    "withdrawals": MovementList("get_withdraw_history", parse_withdrawal, 89, 1000, "offset", ("wallet_key", 18_000)),
    "conversions": MovementList("get_convert_trade_history", parse_conversion, 29, 1000, "", ("wallet_key", 3_000), ("list",)),
    "dust": MovementList("get_dust_log", parse_dust, 89, 100, rows=("userAssetDribblets",), size_name=""),
    "rewards": MovementList("get_asset_dividend_history", parse_dividend, 89, 500, "", ("wallet", 10), ("rows",)),
    "transfers": MovementList(
        "query_universal_transfer_history",
        parse_transfer,
        29,
        100,
        "current",
        rows=("rows",),
        size_name="size",
        reach=179,
        variants=[{"type": word} for word in words.TRANSFER.find_words("out", "in") if word not in words.TRANSFER.unverified],
    ),
    "rebates": MovementList("get_spot_rebates", parse_rebate, 29, 1, "page", ("wallet_key", 12_000), ("data", "data"), ""),
}
"""By our name of each. The number of rows on a page of rebates is not told: the last page is an empty one."""
