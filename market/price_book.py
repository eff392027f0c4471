"""What assets cost now, in any currency: by the prices that the streams of one environment have heard, of all its venues, and else
by the newest stored closes. Prices of another environment never come in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property

from django.db.models import F
from django.utils import timezone

from core.times import from_ms, to_ms
from core.venues import venue_key, venue_split
from engine.grid import find_close
from market.exchanges.registry import VENUES
from market.models import CandleSeries
from market.price_paths import HUBS, convert_amount, find_path
from market.prices import STALE_AFTER, prices_all

FRESH = timedelta(seconds=STALE_AFTER)
RECENT = timedelta(days=1)
LEAST, MOST = Decimal("1e-18"), Decimal(10) ** 15
"""A price beyond these is a fault of somebody's, and no price."""
STATES = ("live", "old", "stored", "missing")
"""Of a price: heard within a minute, heard before, the close of a stored candle, or none."""


@dataclass(frozen=True, slots=True)
class PairPrice:
    """Of a symbol, in its quote. `source`: live, from the stream of the venue, or stored, from its candles. `at`: when it was
    heard, or when its candle closed."""

    symbol: str
    price: Decimal
    venue: str
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AssetPrice:
    """What one of an asset costs in a currency; None where no path of prices leads there. `path` is empty for the currency itself.
    `age`: of the oldest price on the path."""

    asset: str
    currency: str
    price: Decimal | None
    state: str
    path: tuple[PairPrice, ...] = ()
    age: timedelta = timedelta(0)


class PriceBook:
    """The prices of one environment, read once: `assets` are those that will be asked for. One question to the price store, and one
    query where that does not price all."""

    def __init__(self, environment: str, assets: Iterable[str], now: datetime | None = None) -> None:
        self.environment, self.assets, self.now = environment, frozenset(assets), now or timezone.now()
        self.heard = pick_prices(read_heard(environment), self.now)
        self.fresh = {symbol: one for symbol, one in self.heard.items() if self.age_of(one) <= FRESH}
        self.found: dict[tuple[str, str], AssetPrice] = {}

    @cached_property
    def all(self) -> Mapping[str, PairPrice]:
        """What was heard and what is stored."""
        return pick_prices([*self.heard.values(), *read_stored(self.environment, self.assets)], self.now)

    @cached_property
    def recent(self) -> Mapping[str, PairPrice]:
        return {symbol: one for symbol, one in self.all.items() if self.age_of(one) <= RECENT}

    def price(self, asset: str, currency: str) -> AssetPrice:
        """By prices of now where these lead there, else by those of a day, else by any."""
        known = self.found.get((asset, currency))
        if known is None:
            known = self.found[asset, currency] = self.find_price(asset, currency)
        return known

    def list_levels(self) -> Iterator[Mapping[str, PairPrice]]:
        """From the best prices to all; what is stored is read when it is needed."""
        yield self.fresh
        yield self.recent
        yield self.all

    def find_price(self, asset: str, currency: str) -> AssetPrice:
        for known in self.list_levels():
            path = find_path(asset, currency, known)
            if path is not None:
                return self.follow_path(asset, currency, tuple(known[symbol] for symbol in path))
        return AssetPrice(asset, currency, None, "missing")

    def follow_path(self, asset: str, currency: str, path: tuple[PairPrice, ...]) -> AssetPrice:
        prices = {one.symbol: one.price for one in path}
        price = convert_amount(Decimal(1), asset, tuple(prices), prices)
        if not is_usable(price):
            return AssetPrice(asset, currency, None, "missing", path)
        ages = [self.age_of(one) for one in path]
        stored = any(one.source == "stored" for one in path)
        state = "stored" if stored else "live" if max(ages, default=FRESH) <= FRESH else "old"
        return AssetPrice(asset, currency, price, state, path, max(ages, default=timedelta(0)))

    def age_of(self, one: PairPrice) -> timedelta:
        return max(self.now - one.at, timedelta(0))


def pick_prices(found: Iterable[PairPrice], now: datetime) -> dict[str, PairPrice]:
    """One price for each symbol: of now, at the first venue that has one, so that two venues take no turns; else the newest."""

    def rank(one: PairPrice) -> tuple[timedelta, str]:
        age = now - one.at
        return (timedelta(0) if age <= FRESH and one.source == "live" else max(age, timedelta.resolution), one.venue)

    best: dict[str, PairPrice] = {}
    for one in found:
        known = best.get(one.symbol)
        if is_usable(one.price) and (known is None or rank(one) < rank(known)):
            best[one.symbol] = one
    return best


def is_usable(price: Decimal) -> bool:
    return price.is_finite() and LEAST <= price < MOST


def read_heard(environment: str) -> list[PairPrice]:
    known = prices_all((venue, environment) for venue in VENUES)
    return [
        PairPrice(symbol, one.price, venue, "live", from_ms(int(one.heard * 1000))) for (venue, _, symbol), one in known.items()
    ]


def read_stored(environment: str, assets: Iterable[str]) -> list[PairPrice]:
    """The newest stored closes of all pairs between these assets and the hubs."""
    ends = {*assets, *HUBS}
    rows = CandleSeries.objects.filter(instrument__base__in=ends, instrument__quote__in=ends, last_close__gt=0)
    rows = rows.filter(instrument__venue__in=[venue_key(venue, environment) for venue in VENUES]).order_by(F("last").desc())
    known = rows.values_list("instrument__symbol", "last_close", "instrument__venue", "interval", "last")
    return [
        PairPrice(symbol, close, venue_split(venue)[0], "stored", from_ms(int(find_close(interval, to_ms(last)))))
        for symbol, close, venue, interval, last in known
        if close is not None
    ]
