"""The made-up depth of one symbol: what everybody else seems to offer around the last trade.

It stands on a grid of prices. The quantity at each price is mixed from the seed, the price and, now and then, the number of trades,
so the same seed and the same trades give the same depth. What takers take is gone until the next trade of the tape.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from market.sandbox.instruments import ListedInstrument
from market.sandbox.orders import ZERO, SandboxOrder, Side

LEVELS = 100
"""Prices of the depth on each side."""
STEP = Decimal("0.00005")
"""Distance between two of them, as a share of the price; also the spread."""
LEVEL_VALUE = 2000
"""Average value at a price, in multiples of the smallest notional."""
MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Offer:
    """A quantity that a taker meets at a price: of an account's `order`, or of the made-up depth."""

    price: Decimal
    qty: Decimal
    order: SandboxOrder | None = None


class SeededDepth:
    """The depth around `bid` and `ask`, its best prices. Prices in quote, quantities in base."""

    def __init__(self, instrument: ListedInstrument, seed: int) -> None:
        self.seed = seed
        self.bid = self.ask = ZERO
        self._gone: dict[Decimal, Decimal] = {}
        self._trades = 0
        self._level_value = LEVEL_VALUE * instrument.min_notional
        self.set_filters(instrument)

    def set_filters(self, instrument: ListedInstrument) -> None:
        """The grid follows the filters of this instrument from now on."""
        self.instrument = instrument
        self._step = instrument.tick * max(1, round(instrument.price * STEP / instrument.tick))

    def rebuild(self, price: Decimal, *, buyer_is_maker: bool) -> None:
        """Forms the whole depth again around a trade of the tape."""
        tick = self.instrument.tick
        self.bid = price if buyer_is_maker else max(price - self._step, tick)
        self.ask = max(price, self.bid + tick) if not buyer_is_maker else price + self._step
        self._gone.clear()
        self._trades += 1

    def take(self, price: Decimal, qty: Decimal) -> None:
        """Removes a quantity at a price, until the depth is rebuilt."""
        self._gone[price] = self._gone.get(price, ZERO) + qty

    def offers(self, taker: Side) -> Iterator[Offer]:
        """What a taker of this side meets, the best price first."""
        for price in islice(self._prices(taker), LEVELS):
            qty = self.quantity(price) - self._gone.get(price, ZERO)
            if qty > 0:
                yield Offer(price, qty)

    def queue_share(self, order: SandboxOrder) -> Decimal:
        """The quantity that a resting order has to wait for at its price: a part, mixed from its id, of what lies there."""
        price = order.request.limit
        is_behind = price <= self.bid if order.side == "buy" else price >= self.ask
        return self.quantity(price) * (self._mix(order.id) % 101) / 100 if is_behind else ZERO

    def quantity(self, price: Decimal) -> Decimal:
        """What lies at a price before anybody takes from it."""
        index = int(price / self.instrument.tick)
        average = int(self._level_value / price / self.instrument.lot) + 1
        weight = 20 + self._mix(index, (self._trades + index) >> 4) % 180
        return self.instrument.lot * max(1, average * weight // 100)

    def _prices(self, taker: Side) -> Iterator[Decimal]:
        """The best price, then the grid behind it. Bids end above zero."""
        if taker == "buy":
            yield self.ask
            price, step = self.ask - self.ask % self._step + self._step, self._step
        else:
            yield self.bid
            price, step = self.bid - (self.bid % self._step or self._step), -self._step
        while price > 0:
            yield price
            price += step

    def _mix(self, one: int, two: int = 0) -> int:
        mixed = (one * 0x9E3779B97F4A7C15 + two * 0xBF58476D1CE4E5B9 + self.seed * 0x94D049BB133111EB) & MASK
        return (mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9 % MASK >> 32
