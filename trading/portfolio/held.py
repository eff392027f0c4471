"""What bots hold, and what it costs now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from core.venues import venue_split
from market.prices import Price, prices_get
from trading.portfolio.rates import Rates

HELD = """
SELECT DISTINCT position.venue, symbol FROM trading_position AS position JOIN trading_bot AS bot ON bot.id = position.bot_id
WHERE bot.mode = %s AND quantity <> 0 ORDER BY position.venue, symbol
"""
PRICED = """
SELECT * FROM unnest(%(held_venues)s::text[], %(held_symbols)s::text[], %(held_prices)s::numeric[], %(held_kept)s::text[],
    %(held_rates)s::numeric[]) AS priced (venue, symbol, price, kept, rate)
"""


@dataclass(frozen=True, slots=True)
class HeldPrices:
    """The newest price of each (venue, symbol) that bots of a mode hold."""

    places: Sequence[tuple[str, str]]
    prices: Mapping[tuple[str, str], Price]

    @property
    def unpriced(self) -> list[str]:
        """Symbols without a price: nothing is unrealised in them."""
        return sorted({symbol for venue, symbol in self.places if (venue, symbol) not in self.prices})

    @property
    def old(self) -> list[str]:
        """Symbols whose price is not of now."""
        return sorted({symbol for (_, symbol), price in self.prices.items() if price.stale})

    @property
    def quotes(self) -> list[tuple[str, str]]:
        """(venue, currency) of each that has a price."""
        return [(venue, symbol.partition("-")[2]) for venue, symbol in self.prices]

    def columns(self, rates: Rates) -> dict[str, Any]:
        """For statements that have PRICED in them: prices in quote, and in which currency what comes of them is summed."""
        return {
            "held_venues": [venue for venue, _ in self.prices],
            "held_symbols": [symbol for _, symbol in self.prices],
            "held_prices": [one.price for one in self.prices.values()],
            "held_kept": [rates.target if place in rates.now else place[1] for place in self.quotes],
            "held_rates": [rates.now.get(place, Decimal(1)) for place in self.quotes],
        }


def find_held(mode: str) -> HeldPrices:
    """One query and one question to the price store, however much is held."""
    with connection.cursor() as cursor:
        cursor.execute(HELD, [mode])
        places = [(venue, symbol) for venue, symbol in cursor.fetchall()]
    known = prices_get((*venue_split(venue), symbol) for venue, symbol in places)
    found = ((place, known.get((*venue_split(place[0]), place[1]))) for place in places)
    return HeldPrices(places, {place: price for place, price in found if price})
