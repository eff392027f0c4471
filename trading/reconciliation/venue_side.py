"""The venue's side of one account: what a run asks it, each question with what came of it. Called on a loop.

Questions go through the account's cache and the rate budget that all processes share. An answer that fails, or of which a row
could not be read, is named in `not_asked`, and nothing is concluded from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from redis.exceptions import RedisError

from market.exchanges.account_cache import AccountCache
from market.exchanges.base import Balance, Exchange, ExchangeError, Execution, NotOffered, Report, UnreadRow
from market.exchanges.movements import Movement
from trading.reconciliation.compare import RestingOrder

T = TypeVar("T")
Listed = tuple[str, str, Execution]
"""Symbol, the venue's number of the order, execution."""
QUESTION_SECONDS = 20.0
AT_ONCE = 4
MOST_SYMBOLS = 40
"""Whose fills one run asks for; each is a question of its own, and a venue counts them."""
MOST_PAGES = 10
"""Of one list of movements."""
FAULTS = (ExchangeError, TimeoutError, OSError)


@dataclass(slots=True)
class AccountQuestions:
    exchange: Exchange
    cache: AccountCache
    not_asked: list[str] = field(default_factory=list)
    whole_balances: bool = True
    """Whether each row of the newest list of balances could be read. Of an asset that is missing from another one nothing is
    known."""

    async def ask_balances(self) -> dict[str, Balance]:
        """As they are now, and not as the cache had them. Raises what the venue raises."""
        with suppress(RedisError, OSError):
            await self.cache.drop()
        skipped = self.exchange.skipped_frames
        async with asyncio.timeout(QUESTION_SECONDS):
            found = await self.cache.balances()
        self.whole_balances = self.exchange.skipped_frames == skipped
        if not self.whole_balances:
            self.note("balances", "a row of them could not be read")
        return {one.asset: one for one in found}

    async def ask_orders(self) -> list[RestingOrder] | None:
        """None where the list, or a row of it, is not known."""
        rows = await self.ask("open orders", self.exchange.open_orders)
        if rows is None:
            return None
        unread = [row for row in rows if isinstance(row, UnreadRow)]
        for row in unread:
            self.note(f"order {row.venue_order_id or 'without a number'}", row.reason)
        return None if unread else [read_order(row) for row in rows if isinstance(row, Report)]

    async def ask_fills(self, symbols: Sequence[str], since: datetime) -> tuple[list[str], list[Listed]]:
        """The symbols that the venue has told all fills of, and these."""
        turns = asyncio.Semaphore(AT_ONCE)
        if left_out := symbols[MOST_SYMBOLS:]:
            self.note(f"fills of {len(left_out)} more symbols", f"one run asks for {MOST_SYMBOLS}")
        skipped = self.exchange.skipped_frames

        async def ask_symbol(symbol: str) -> list[tuple[str, Execution]] | None:
            async with turns:
                return await self.ask(f"fills of {symbol}", lambda: self.exchange.fills(symbol, since))

        told = dict(zip(symbols, await asyncio.gather(*map(ask_symbol, symbols[:MOST_SYMBOLS])), strict=False))
        if self.exchange.skipped_frames != skipped:
            self.note("fills", "a row of them could not be read")
            return [], []
        listed = [(symbol, number, one) for symbol, rows in told.items() for number, one in rows or ()]
        return [symbol for symbol, rows in told.items() if rows is not None], listed

    async def ask_pairs(self, assets: Collection[str]) -> list[str]:
        """The symbols of two of these assets that the venue lists."""
        listed = await self.ask("its symbols", self.exchange.instruments) if len(assets) > 1 else ()
        return sorted(one.symbol for one in listed or () if {one.base, one.quote} <= set(assets))

    async def ask_order(self, symbol: str, number: str) -> Report | None:
        """By the venue's number, for what its fills do not tell."""
        return await self.ask(f"order {number}", lambda: self.exchange.order(symbol, "", number))

    async def ask_movements(self, since: datetime) -> dict[str, list[Movement | UnreadRow]]:
        """What the venue tells of movements since then, by its lists. One that this environment does not have is no failure."""
        return {listed: await self.ask_list(listed, since) for listed in self.exchange.movement_lists}

    async def ask_list(self, listed: str, since: datetime) -> list[Movement | UnreadRow]:
        rows: list[Movement | UnreadRow] = []
        for _ in range(MOST_PAGES):
            page = await self.ask(f"its {listed}", partial(self.exchange.movements, listed, since))
            rows += page.rows if page else ()
            if page is None or page.whole:
                return rows
            since = page.until
        self.note(f"its {listed}", f"there is more than {MOST_PAGES} pages of it")
        return rows

    async def ask_time(self) -> datetime:
        """The venue's, or ours where it does not tell."""
        offset = await self.ask("its clock", self.exchange.clock_offset)
        return datetime.now(UTC) + timedelta(seconds=offset or 0.0)

    async def ask(self, what: str, question: Callable[[], Awaitable[T]]) -> T | None:
        """None, and a note, where there is no answer."""
        try:
            async with asyncio.timeout(QUESTION_SECONDS):
                return await question()
        except NotOffered:
            return None
        except FAULTS as error:
            self.note(what, explain_silence(error))
            return None

    def note(self, what: str, why: str) -> None:
        if (line := f"{what}: {why}") not in self.not_asked:
            self.not_asked.append(line)


def read_order(report: Report) -> RestingOrder:
    price = report.limit if report.limit is not None else report.stop
    return RestingOrder(
        report.venue_order_id, report.client_order_id, report.symbol, report.side, report.quantity - report.filled, price
    )


def explain_silence(error: BaseException) -> str:
    return str(error) or f"no answer within {QUESTION_SECONDS:g} s"


def list_numbers(listed: Iterable[Listed]) -> dict[str, str]:
    """The symbol of each order that the executions are of."""
    return {number: symbol for symbol, number, _ in listed}
