"""Prices by REST while there is no socket."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from market.exchanges.base import Exchange, ExchangeError, Refused
from market.feed.intake import Intake
from market.feed.report import FeedReport
from market.feed.subscription import Subscription
from market.feed.timing import Timing


class ListedSymbols:
    """Which of the wanted symbols the venue lists."""

    def __init__(self, exchange: Exchange, wanted: Subscription) -> None:
        self._exchange, self._wanted = exchange, wanted
        self.unlisted: frozenset[str] = frozenset()

    def symbols(self) -> tuple[str, ...]:
        """The symbols to ask for. If the venue lists none of them, ask for all of them, and the venue will say so itself."""
        return tuple(symbol for symbol in self._wanted.symbols if symbol not in self.unlisted) or self._wanted.symbols

    async def find_unlisted(self) -> None:
        """A symbol that the venue no longer lists must not cost the others their stream."""
        with suppress(ExchangeError):
            listed = {rules.symbol for rules in await self._exchange.instruments(self._wanted.symbols)}
            self.unlisted = frozenset(self._wanted.symbols) - listed


class Polling:
    """Closed candles come by the gates, with or without a socket, and are not asked for here."""

    def __init__(self, exchange: Exchange, listing: ListedSymbols, intake: Intake, report: FeedReport, timing: Timing) -> None:
        self._exchange, self._listing, self._intake, self._report, self._timing = exchange, listing, intake, report, timing

    async def run(self) -> None:
        """Runs until it is cancelled."""
        while True:
            await asyncio.sleep(self._timing.poll)
            symbols = self._listing.symbols()
            if self._report.without_socket and symbols:
                await self._poll(symbols)

    async def _poll(self, symbols: tuple[str, ...]) -> None:
        try:
            ticks = await self._exchange.tickers(symbols)
        except ExchangeError as problem:
            self._note_failure(problem)
            if isinstance(problem, Refused):
                await self._listing.find_unlisted()
            return
        if not self._report.without_socket:
            return  # The socket was quicker, so these prices are old.
        self._intake.take_polled(ticks)
        if self._report.status.state == "stale":
            self._report.tell("polling", "no socket; prices by REST")

    def _note_failure(self, problem: ExchangeError) -> None:
        age = self._intake.price_age()
        if self._report.status.state == "polling" and age > self._timing.stale:
            self._report.tell("stale", f"no prices for {age:.0f} s: {problem}")
