"""What a fee is worth in the quote currency at the time of its fill, whatever asset the venue took it in, and how that is known.

A price is taken from memory, or else by one statement from the newest stored candles; neither is asked where the fee is in one of
the traded pair's own assets. A fee that no path of pairs leads from (`market.price_paths`) is named as unvalued: it is no zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from core.prepared import execute_prepared
from core.text import decimal_text
from market.exchanges.base import Execution
from market.price_paths import convert_amount, find_path, list_symbols

NOTHING = Decimal(0)
PLACES = Decimal("1e-18")
FRESH = timedelta(hours=1)
"""How old a price in memory, or a fill that it values, may be."""
STORED_WITHIN = timedelta(days=1)
"""How far from the fill a stored candle may have closed."""
STORED = """
SELECT DISTINCT ON (instrument.symbol) instrument.symbol, series.last_close FROM market_candleseries AS series
JOIN market_instrument AS instrument ON instrument.id = series.instrument_id
WHERE instrument.venue = %s::text AND instrument.symbol = ANY(%s::text[])
AND series.last BETWEEN %s::timestamptz AND %s::timestamptz AND series.last_close > 0
ORDER BY instrument.symbol, series.last DESC
"""


class PriceMemory(Protocol):
    """Last prices at a venue, from any thread."""

    def find_price(self, symbol: str) -> tuple[Decimal, float] | None:
        """The last price and its age in seconds."""

    def note_missing(self, asset: str, quote: str, via: Sequence[str]) -> None:
        """No price led from one to the other: what is not known now should be, the next time."""


@dataclass(frozen=True, slots=True)
class FeeWorth:
    """`value` in quote; None: not known. `base`: the part that made the base smaller, in base. `how` it was valued; empty where the
    venue took it in quote."""

    value: Decimal | None
    base: Decimal = NOTHING
    how: str = ""


@dataclass(frozen=True, slots=True)
class FeeValuation:
    """Values fees at one venue. `memory`: None where there is none. `now`: the market's time."""

    venue: str
    now: datetime
    memory: PriceMemory | None = None

    def value_fee(self, symbol: str, execution: Execution) -> FeeWorth:
        """Of an execution in `symbol`."""
        base, quote = symbol.split("-")
        fee, asset = execution.fee, execution.fee_asset
        if asset == quote or not fee:
            return FeeWorth(fee)
        if asset == base:
            return FeeWorth(
                (fee * execution.price).quantize(PLACES), fee, f"{symbol} {decimal_text(execution.price)}, the fill's own price"
            )
        prices = {symbol: execution.price}
        return self.value_other(asset, quote, base, fee, prices, execution.time)

    def value_other(self, asset: str, quote: str, base: str, fee: Decimal, prices: dict[str, Decimal], time: datetime) -> FeeWorth:
        """A fee in an asset that is not traded here. `prices`: what is known for certain."""
        names = [name for name in list_symbols(asset, quote, via=(base,)) if name not in prices]
        if self.memory and self.now - time <= FRESH:
            prices |= recall_prices(self.memory, names)
        path = find_path(asset, quote, prices, via=(base,))
        if path is None and self.memory:
            self.memory.note_missing(asset, quote, (base,))
        if path is None:
            prices |= self.read_stored(names, time)
            path = find_path(asset, quote, prices, via=(base,))
        if path is None:
            return FeeWorth(None, how=f"unvalued: no price leads from {asset} to {quote}")
        how = ", ".join(f"{name} {decimal_text(prices[name])}" for name in path)
        return FeeWorth(convert_amount(fee, asset, path, prices).quantize(PLACES), how=how[:120])

    def read_stored(self, names: Sequence[str], time: datetime) -> Mapping[str, Decimal]:
        """The closes of the newest stored candles, where those lie near the fill."""
        values = [self.venue, list(names), time - STORED_WITHIN, time + STORED_WITHIN]
        with execute_prepared(STORED, values) as cursor:
            return dict(cursor.fetchall())


def recall_prices(memory: PriceMemory, names: Sequence[str]) -> dict[str, Decimal]:
    """Those that are known and fresh."""
    known = ((name, memory.find_price(name)) for name in names)
    return {name: one[0] for name, one in known if one and one[0] > 0 and one[1] <= FRESH.total_seconds()}
