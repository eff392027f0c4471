"""What a fee is worth in the quote currency at the time of its fill, whatever asset the venue took it in, and how that is known.

A price is taken from memory, or else by one statement from the newest stored candles; neither is asked where the fee is in one of
the traded pair's own assets. A fee that no direct pair and no pair of pairs leads to is named as unvalued: it is no zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol, TypeAlias

from core.prepared import execute_prepared
from core.text import decimal_text
from market.exchanges.base import Execution

NOTHING = Decimal(0)
PLACES = Decimal("1e-18")
HUBS = ("USDT", "USD", "USDC", "BTC", "ETH", "EUR", "FDUSD", "BNB")
"""Assets that venues list the others against: what one hop goes through."""
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

Path: TypeAlias = Sequence[str]
"""Symbols that lead from one asset to another, one after the other."""


class PriceMemory(Protocol):
    """Last prices at a venue, from any thread."""

    def find_price(self, symbol: str) -> tuple[Decimal, float] | None:
        """The last price and its age in seconds."""

    def note_missing(self, paths: Sequence[Path]) -> None:
        """None of these could be gone: what is not known now should be, the next time."""


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
        paths = list(list_paths(asset, quote, base))
        names = sorted({name for path in paths for name in path} - prices.keys())
        if self.memory and self.now - time <= FRESH:
            prices |= recall_prices(self.memory, names)
        found = best_path(paths, prices)
        if found is None and self.memory:
            self.memory.note_missing(paths)
        if found is None:
            prices |= self.read_stored(names, time)
            found = best_path(paths, prices)
        if found is None:
            return FeeWorth(None, how=f"unvalued: no price leads from {asset} to {quote}")
        worth, steps = fee, []
        for name in found:
            worth = worth * prices[name] if name.split("-")[0] == asset else worth / prices[name]
            asset = name.split("-")[1] if name.split("-")[0] == asset else name.split("-")[0]
            steps.append(f"{name} {decimal_text(prices[name])}")
        return FeeWorth(worth.quantize(PLACES), how=", ".join(steps)[:120])

    def read_stored(self, names: Sequence[str], time: datetime) -> Mapping[str, Decimal]:
        """The closes of the newest stored candles, where those lie near the fill."""
        values = [self.venue, list(names), time - STORED_WITHIN, time + STORED_WITHIN]
        with execute_prepared(STORED, values) as cursor:
            return dict(cursor.fetchall())


def recall_prices(memory: PriceMemory, names: Sequence[str]) -> dict[str, Decimal]:
    """Those that are known and fresh."""
    known = ((name, memory.find_price(name)) for name in names)
    return {name: one[0] for name, one in known if one and one[0] > 0 and one[1] <= FRESH.total_seconds()}


def list_paths(asset: str, quote: str, base: str) -> Iterator[Path]:
    """Ways from one asset to another, the most direct first; by way of the traded pair before any other."""
    for name in pair_names(asset, quote):
        yield (name,)
    for hub in (base, *(hub for hub in HUBS if hub not in (asset, quote, base))):
        for first in pair_names(asset, hub):
            for second in pair_names(hub, quote):
                yield (first, second)


def pair_names(one: str, other: str) -> tuple[str, str]:
    """A pair is listed one way or the other."""
    return f"{one}-{other}", f"{other}-{one}"


def best_path(paths: Sequence[Path], prices: Mapping[str, Decimal]) -> Path | None:
    return next((path for path in paths if all(name in prices for name in path)), None)
