"""What assets cost in the past, by stored candles: the close of the last candle that had closed by then, along the shortest path of
pairs that have one. Only candles of one environment count.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np

from core.errors import Conflict
from core.text import float_text
from core.times import to_ms
from core.venues import venue_key
from engine.grid import find_close, find_longest
from market.candles.reading import read_chunk
from market.exchanges.registry import VENUES
from market.models import CandleChunk, CandleSeries
from market.price_book import is_usable
from market.price_paths import HUBS, convert_amount, find_path

WITHIN = 24 * 3_600_000
"""Milliseconds that a close may lie back, where its own interval is not longer."""
MOST_CHUNKS = 12
"""Files of candles that are kept in memory: a year of minutes has 8 MB."""
Columns: TypeAlias = "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]"
"""Close times in ms, rising, and closes."""


class PriceHistory:
    """The past prices of these `assets` in a currency: two queries, and each file of candles that is needed once. Ask for one asset
    after the other in the order of time, as `prices_at` does: only a few files are kept. Not for several threads."""

    def __init__(self, environment: str, currency: str, assets: Iterable[str]) -> None:
        self.currency = currency
        self.series = read_series(environment, {*assets, currency, *HUBS})
        self.chunks: OrderedDict[int, Columns] = OrderedDict()

    def prices_at(self, moments: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Decimal | None]:
        """By (asset, ms): `price_at` of each."""
        return {(asset, ts): self.price_at(asset, ts) for asset, ts in sorted(set(moments))}

    def price_at(self, asset: str, ts: int) -> Decimal | None:
        """Of one of the asset at a time in ms; None where no path of closes leads from it then."""
        closes = ClosesAt(self, ts)
        path = find_path(asset, self.currency, closes)
        if path is None:
            return None
        price = convert_amount(Decimal(1), asset, path, closes.found)
        return price if is_usable(price) else None

    def close_at(self, symbol: str, ts: int) -> Decimal | None:
        """The newest close of the symbol at any venue by then."""
        found = [known for one in self.series.get(symbol, ()) if (known := self.last_close(one, ts))]
        if not found:
            return None
        close = Decimal(float_text(max(found)[1]))
        return close if is_usable(close) else None

    def last_close(self, series: CandleSeries, ts: int) -> tuple[int, float] | None:
        """When it was, and what."""
        within = max(WITHIN, find_longest(series.interval))
        for chunk in chunks_by(series, ts - 2 * within, ts):
            times, closes = self.read_columns(series, chunk)
            place = int(np.searchsorted(times, ts, side="right")) - 1
            if place >= 0:
                return (int(times[place]), float(closes[place])) if ts - int(times[place]) <= within else None
        return None

    def read_columns(self, series: CandleSeries, chunk: CandleChunk) -> Columns:
        if chunk.pk in self.chunks:
            self.chunks.move_to_end(chunk.pk)
            return self.chunks[chunk.pk]
        try:
            candles = read_chunk(series, chunk)
            found = (find_close(series.interval, candles.time), candles.close.copy())
        except (FileNotFoundError, Conflict):
            # A write has put other files in its place meanwhile, or it is damaged: it says nothing, this time.
            found = (np.empty(0, dtype=np.int64), np.empty(0))
        self.chunks[chunk.pk] = found
        if len(self.chunks) > MOST_CHUNKS:
            self.chunks.popitem(last=False)
        return found


@dataclass(slots=True)
class ClosesAt:
    """The symbols that have a close at one moment; `found` has those that were asked for."""

    history: PriceHistory
    ts: int
    found: dict[str, Decimal] = field(default_factory=dict)

    def __contains__(self, symbol: object) -> bool:
        close = self.history.close_at(str(symbol), self.ts)
        if close is not None:
            self.found[str(symbol)] = close
        return close is not None


def read_series(environment: str, ends: set[str]) -> dict[str, list[CandleSeries]]:
    """All series of pairs between these assets, with their chunks, by symbol."""
    venues = [venue_key(venue, environment) for venue in VENUES]
    rows = CandleSeries.objects.filter(instrument__venue__in=venues, instrument__base__in=ends, instrument__quote__in=ends)
    found: dict[str, list[CandleSeries]] = defaultdict(list)
    for series in rows.select_related("instrument").prefetch_related("chunks").order_by("instrument__venue", "interval"):
        found[series.instrument.symbol].append(series)
    return found


def chunks_by(series: CandleSeries, start: int, end: int) -> Sequence[CandleChunk]:
    """Its files with candles that opened between these times, the newest first."""
    chunks = [one for one in series.chunks.all() if to_ms(one.first) <= end and to_ms(one.last) >= start]
    return sorted(chunks, key=lambda one: one.first, reverse=True)
