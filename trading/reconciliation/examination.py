"""One account examined: both sides read and compared, what differs explained, and asked again where it may have moved meanwhile.

No balance is changed here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Concatenate, ParamSpec, TypeVar

from asgiref.sync import sync_to_async

from trading.reconciliation import own_side
from trading.reconciliation.causes import Cause, EvidenceRow, Part, explain_differences
from trading.reconciliation.compare import About, Difference, OwnSide, VenueSide, compare_sides
from trading.reconciliation.evidence import VenueTrade, list_trade_rows
from trading.reconciliation.venue_side import AccountQuestions, Listed, list_numbers
from wallets.models import Wallet

P = ParamSpec("P")
T = TypeVar("T")
ROUNDS = 4
SETTLE_SECONDS = 0.5
"""Until what may have moved is asked again."""
MOST_UNDERWAY = timedelta(days=1)
"""A venue lists a movement by when it began; it counts from when it was done."""
MOST_LOOKED_UP = 20
"""Orders that are asked for one by one, because their fills do not tell whose they are."""


@dataclass(frozen=True, slots=True)
class Look:
    """Both sides at one moment. `moved`: something changed while they were read."""

    own: OwnSide
    venue: VenueSide
    differences: Sequence[Difference]
    moved: bool


@dataclass(slots=True)
class Findings:
    """What an examination came to. `unsure`: (about, asset) of which nothing can be said; an empty asset stands for all."""

    asked_at: datetime
    differences: list[Difference] = field(default_factory=list)
    parts: dict[str, list[Part]] = field(default_factory=dict)
    """Of balances, by asset."""
    unsure: set[tuple[str, str]] = field(default_factory=set)

    def explain(self, one: Difference) -> list[Part]:
        if one.about == About.BALANCE:
            return self.parts.get(one.asset, [])
        return [Part(name_cause(one), one.amount)]


def name_cause(one: Difference) -> Cause:
    if one.about != About.ORDER:
        return Cause.UNKNOWN
    return Cause.ORDER_GONE if one.ours else Cause.ORDER_UNKNOWN


async def read_rows(read: Callable[Concatenate[Wallet, P], T], wallet: Wallet, *args: P.args, **kwargs: P.kwargs) -> T:
    """In the thread of the database."""
    return await sync_to_async(read)(wallet, *args, **kwargs)


async def examine_account(wallet: Wallet, questions: AccountQuestions) -> Findings:
    """Raises what the venue raises where not even the balances can be had."""
    findings = Findings(await questions.ask_time())
    before: Look | None = None
    for turn in range(ROUNDS):
        look = await take_look(wallet, questions)
        if not look.differences:
            break
        rows = await gather_evidence(wallet, questions, look)
        findings.parts = explain_differences(list_amounts(look.differences), rows)
        if is_settled(look, before, findings.parts, rows):
            findings.differences = list(look.differences)
            break
        if turn == ROUNDS - 1:
            findings.differences = keep_steady(look, before, findings, questions)
            break
        before = look
        await asyncio.sleep(SETTLE_SECONDS)
    note_unknown(look, questions, findings)
    return findings


async def take_look(wallet: Wallet, questions: AccountQuestions) -> Look:
    """Ours is read before and after theirs: what changed in between may be in one of them only."""
    first = await read_rows(own_side.read_own_side, wallet)
    balances = await questions.ask_balances()
    age = await questions.cache.read_age()
    venue = VenueSide(balances, await questions.ask_orders())
    own = await read_rows(own_side.read_own_side, wallet)
    moved = own != first or await questions.cache.read_age() != age
    differences = compare_sides(own, venue)
    if not questions.whole_balances:
        differences = [one for one in differences if one.asset in balances]
    busy = find_busy_assets(own)
    return Look(own, venue, [one for one in differences if one.about == About.ORDER or one.asset not in busy], moved)


def find_busy_assets(own: OwnSide) -> set[str]:
    """Of orders that the venue has not answered yet: whether they were filled is not known, and asked by the stream worker."""
    return {asset for symbol in own.pending.values() for asset in symbol.split("-")}


def list_amounts(differences: Sequence[Difference]) -> dict[str, Decimal]:
    return {one.asset: one.amount for one in differences if one.about == About.BALANCE}


async def gather_evidence(wallet: Wallet, questions: AccountQuestions, look: Look) -> list[EvidenceRow]:
    """What one side has on record since the clean point, and the other has not: fills, and movements where fills do not explain all
    of it."""
    amounts = list_amounts(look.differences)
    if not amounts:
        return []
    since = await read_rows(own_side.find_clean_point, wallet)
    rows = await gather_trades(wallet, questions, amounts.keys(), since)
    if any(not part.rows for parts in explain_differences(amounts, rows).values() for part in parts):
        told = await questions.ask_movements(since - MOST_UNDERWAY)
        rows += await read_rows(own_side.keep_movements, wallet, told)
    return [row for row in rows if row.legs.keys() & amounts.keys()]


async def gather_trades(wallet: Wallet, questions: AccountQuestions, assets: Collection[str], since: datetime) -> list[EvidenceRow]:
    symbols = await read_rows(own_side.find_symbols, wallet, assets, since)
    if set(assets) - {asset for symbol in symbols for asset in symbol.split("-")}:
        symbols = sorted({*symbols, *await questions.ask_pairs(assets)})
    told, listed = await questions.ask_fills(symbols, since)
    theirs = await name_owners(wallet, questions, await read_rows(own_side.name_trades, wallet, listed), listed)
    booked = await read_rows(own_side.read_booked_trades, wallet, told, since)
    return list(list_trade_rows(theirs, booked))


async def name_owners(
    wallet: Wallet, questions: AccountQuestions, trades: Sequence[VenueTrade], listed: Sequence[Listed]
) -> list[VenueTrade]:
    """Trades of orders whose numbers we do not know may be of ours all the same, where the answer to the order was lost. The venue
    is asked for our id. A trade of which that fails explains nothing."""
    strange = {number: symbol for number, symbol in list_numbers(listed).items() if is_strange(number, trades)}
    reports = {}
    for number, symbol in list(strange.items())[:MOST_LOOKED_UP]:
        reports[number] = await questions.ask_order(symbol, number)
    if len(strange) > MOST_LOOKED_UP:
        questions.note(f"{len(strange) - MOST_LOOKED_UP} more orders", f"one run asks for {MOST_LOOKED_UP}")
    known = [one for one in trades if one.venue_order_id not in strange or reports.get(one.venue_order_id)]
    return await read_rows(own_side.name_by_reports, wallet, known, {key: one for key, one in reports.items() if one})


def is_strange(number: str, trades: Sequence[VenueTrade]) -> bool:
    return any(one.venue_order_id == number and not one.order_id for one in trades)


def is_settled(look: Look, before: Look | None, parts: Mapping[str, Sequence[Part]], rows: Collection[EvidenceRow]) -> bool:
    """Whether the differences can be called so. Those that rows explain to the last unit need no second look; others must be the
    same in two looks, and nothing may have moved."""
    if look.moved:
        return False
    used = {row.key for some in parts.values() for part in some for row in part.rows}
    explained = all(one.about == About.BALANCE for one in look.differences) and all(
        part.rows for some in parts.values() for part in some
    )
    if explained and used == {row.key for row in rows}:
        return True
    return before is not None and list(look.differences) == list(before.differences)


def keep_steady(look: Look, before: Look | None, findings: Findings, questions: AccountQuestions) -> list[Difference]:
    """Of an account that does not rest: the differences that were the same in the last two looks."""
    steady = [one for one in look.differences if before is not None and one in before.differences]
    for one in look.differences:
        if one not in steady:
            findings.unsure.add((str(one.about), one.asset))
            questions.note(one.asset, "it moved while it was compared")
    return steady


def note_unknown(look: Look, questions: AccountQuestions, findings: Findings) -> None:
    """Of what nothing can be said, nothing is gone either."""
    for asset in find_busy_assets(look.own):
        findings.unsure |= {(str(about), asset) for about in (About.BALANCE, About.HELD, About.POSITION)}
        questions.note(asset, "an order has not been answered by the venue yet")
    if look.venue.orders is None:
        findings.unsure |= {(str(About.ORDER), ""), (str(About.HELD), "")}
    if not questions.whole_balances:
        findings.unsure |= {(str(about), "") for about in (About.BALANCE, About.HELD, About.POSITION)}
