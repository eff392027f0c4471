"""What a venue lists, and by what rules: asked for again every few minutes, since both change, and soon after an order was refused
that keeps them, by what is known here.

Called on the loop; what is halted may be asked from any thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import partial

from market.exchanges.base import Exchange, InstrumentRules
from market.services import instruments_note, products_unread_note
from trading.live.market_state import MarketState
from trading.live.pools import InThread
from trading.live.running_bots import RunningBots
from trading.live.threads import ANY, LOOP, called_from

REFRESH_EVERY, DOUBTED_EVERY = 300.0, 10.0


@called_from(LOOP)
class VenueListing:
    def __init__(self, exchange: Exchange, market: MarketState, bots: RunningBots, in_thread: InThread) -> None:
        self.exchange, self.market, self.bots, self.in_thread = exchange, market, bots, in_thread
        self.listed: Sequence[InstrumentRules] = ()
        self.refreshed_at = 0.0
        self.doubted = False
        """Whether the venue has refused an order since, for what the order is."""

    def doubt(self) -> None:
        """Asks for the list at the next turn, every ten seconds at most."""
        self.doubted = True

    async def refresh(self, symbols: Iterable[str] = ()) -> None:
        """Asks the venue where that is due, or where one of `symbols` is not known. All bots take in the new rules."""
        known, age = {one.symbol for one in self.listed}, time.monotonic() - self.refreshed_at
        due = age >= REFRESH_EVERY or not known.issuperset(symbols)
        if not due and not (self.doubted and age >= DOUBTED_EVERY):
            return
        listed = await self.exchange.instruments()
        if due or listed != self.listed:
            await self.take(listed)
        self.refreshed_at, self.doubted = time.monotonic(), False

    async def take(self, listed: Sequence[InstrumentRules]) -> None:
        """Writes what the venue lists, and has all bots take it in."""
        await self.in_thread(partial(instruments_note, key=self.market.key, listed=listed))
        await self.in_thread(partial(products_unread_note, key=self.market.key, products=self.exchange.unread_products))
        self.listed = listed
        self.market.tradable = frozenset(one.symbol for one in listed if one.trading)
        for runner in self.bots.list_all():
            runner.submit(runner.steps.reload_rules)

    @called_from(*ANY)
    def describe_halts(self) -> str:
        """Which symbols of bots here the venue itself does not trade, for a person; empty: none."""
        tradable = self.market.tradable
        if tradable is None:
            return ""
        halted = {symbol for runner in list(self.bots.runners.values()) for symbol in runner.symbols} - tradable
        return f"The venue does not trade {', '.join(sorted(halted))} at present." if halted else ""
