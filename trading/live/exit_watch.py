"""What exits that were refused wait for: has anything changed since they were, so that another try is worth it?

Everything is called in the bot's thread.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from market.exchanges.base import Balance
from trading.live.threads import BOT, called_from
from trading.services.loaded_bot import LoadedBot, MarketNow

MOVED = Decimal("0.01")
"""Share by which the price must have moved."""


class Circumstances(NamedTuple):
    """What an exit depends on, beside the venue's rules. `balance`: of the base at the venue."""

    balance: Balance | None
    price: Decimal | None

    def differ(self, before: Circumstances) -> bool:
        if self.balance != before.balance:
            return True
        if not self.price or not before.price:
            return self.price != before.price
        return abs(self.price / before.price - 1) >= MOVED


@called_from(BOT)
class ExitWatch:
    """Kept in memory alone: after a restart, the exits just wait for their time."""

    def __init__(self) -> None:
        self.seen: dict[str, Circumstances] = {}

    def find_changed(self, loaded_bot: LoadedBot, market: MarketNow) -> set[str]:
        """Symbols where something has changed since this was last asked, or since the change that was last told."""
        now = {symbol: find_circumstances(market, symbol) for symbol in loaded_bot.trader.symbols}
        changed = {symbol for symbol, one in now.items() if symbol in self.seen and one.differ(self.seen[symbol])}
        self.seen |= {symbol: now[symbol] for symbol in now if symbol in changed or symbol not in self.seen}
        return changed


def find_circumstances(market: MarketNow, symbol: str) -> Circumstances:
    balances = market.balances or {}
    price, _ = market.prices.get(symbol, (None, None))
    return Circumstances(balances.get(symbol.split("-")[0]), price)
