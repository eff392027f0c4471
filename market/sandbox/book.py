"""The book of one symbol: a made-up depth around the last trade, and the accounts' resting orders within it.

The depth stands on a grid of prices; what lies at each is mixed from the seed, the price and, now and then, the number of trades:
the same seed and trades give the same book. What takers take from it is gone until the next trade of the tape.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from heapq import merge
from itertools import islice, takewhile

from market.sandbox.instruments import ListedInstrument
from market.sandbox.orders import ZERO, SandboxOrder, Side

LEVELS = 100
"""Of the made-up depth, on each side."""
STEP = Decimal("0.00005")
"""Between its levels, as a share of the price; also the spread."""
LEVEL_VALUE = 2000
"""What lies at a level on average, in multiples of the smallest notional."""
MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be taken at a price: from an account's `order`, or from the made-up depth."""

    price: Decimal
    qty: Decimal
    order: SandboxOrder | None = None


@dataclass(slots=True)
class PriceTimeQueue:
    """Orders by price and then by age; the best first. `sign` is -1 where the highest price is the best."""

    sign: int
    _rows: list[tuple[Decimal, int, SandboxOrder]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[SandboxOrder]:
        return (row[2] for row in self._rows)

    def add(self, price: Decimal, order: SandboxOrder) -> None:
        insort(self._rows, (price * self.sign, order.id, order))

    def remove(self, price: Decimal, order: SandboxOrder) -> None:
        """Without effect where it is not in the ladder."""
        index = bisect_left(self._rows, (price * self.sign, order.id))  # ids differ, so the prefix suffices
        if index < len(self._rows) and self._rows[index][2] is order:
            del self._rows[index]

    def best(self) -> Decimal | None:
        return self._rows[0][0] * self.sign if self._rows else None

    def beyond(self, price: Decimal) -> bool:
        """Whether all are worse than this price."""
        return not self._rows or self._rows[0][0] > price * self.sign

    def until(self, price: Decimal) -> list[SandboxOrder]:
        """The orders at this price or better."""
        end = price * self.sign
        return [row[2] for row in takewhile(lambda row: row[0] <= end, self._rows)]


class MatchingBook:
    """`sequence` grows with every change. Prices in quote, quantities in base."""

    def __init__(self, instrument: ListedInstrument, seed: int) -> None:
        self.seed = seed
        self.buys, self.sells = PriceTimeQueue(-1), PriceTimeQueue(1)
        self.rising, self.falling = PriceTimeQueue(1), PriceTimeQueue(-1)
        """Stops that wait for the price to rise, and to fall."""
        self.sequence = 1
        self.last = instrument.price
        self.bid = self.ask = ZERO
        self._taken: dict[Decimal, Decimal] = {}
        self._trades = 0
        self._level_value = LEVEL_VALUE * instrument.min_notional
        self.set_filters(instrument)
        self.refresh(instrument.price, buyer_is_maker=True)

    def set_filters(self, instrument: ListedInstrument) -> None:
        """Under these filters from now on."""
        self.instrument = instrument
        self._step = instrument.tick * max(1, round(instrument.price * STEP / instrument.tick))

    def refresh(self, price: Decimal, *, buyer_is_maker: bool) -> None:
        """A trade of the tape: the book forms anew around it."""
        tick = self.instrument.tick
        self.last = price
        self.bid = price if buyer_is_maker else max(price - self._step, tick)
        self.ask = max(price, self.bid + tick) if not buyer_is_maker else price + self._step
        self._taken.clear()
        self._trades += 1
        self.sequence += 1

    def resting(self, side: Side) -> PriceTimeQueue:
        return self.buys if side == "buy" else self.sells

    def stops(self, order: SandboxOrder) -> PriceTimeQueue:
        return self.rising if order.request.trigger == "up" else self.falling

    def place(self, order: SandboxOrder) -> None:
        """Into the book, behind a part of what lies at its price already."""
        price = order.request.limit
        behind = price <= self.bid if order.side == "buy" else price >= self.ask
        order.queue = self._made_up(price) * (self._mix(order.id) % 101) / 100 if behind else ZERO
        self.resting(order.side).add(price, order)
        self.sequence += 1

    def park(self, order: SandboxOrder) -> None:
        """A stop, until its price is reached."""
        self.stops(order).add(order.request.stop, order)

    def remove(self, order: SandboxOrder) -> None:
        if order.waiting:
            self.stops(order).remove(order.request.stop, order)
        elif order.request.limit:
            self.resting(order.side).remove(order.request.limit, order)
            self.sequence += 1

    def next_reached_stop(self) -> SandboxOrder | None:
        """The next stop that the last price has reached."""
        for ladder in (self.rising, self.falling):
            best = ladder.best()
            if best is not None and best * ladder.sign <= self.last * ladder.sign:
                return next(iter(ladder))
        return None

    def take(self, price: Decimal, qty: Decimal) -> None:
        """From the made-up depth."""
        self._taken[price] = self._taken.get(price, ZERO) + qty
        self.sequence += 1

    def list_crossed(self, price: Decimal, qty: Decimal, *, buyer_is_maker: bool) -> list[tuple[SandboxOrder, Decimal]]:
        """Which resting orders a trade of the tape fills, and with how much.

        Orders that the trade went past fill whole. Those at its price fill with what of its quantity comes after their queue.
        """
        passive, other = (self.buys, self.sells) if buyer_is_maker else (self.sells, self.buys)
        hit = [(order, order.remaining) for order in other.until(price)]
        ours = ZERO
        for order in passive.until(price):
            if order.request.limit != price:
                hit.append((order, order.remaining))
                continue
            share = min(order.remaining, self.instrument.floor(max(ZERO, qty - ours - order.queue)))
            order.queue = max(ZERO, order.queue - (qty - ours))
            ours += share
            if share:
                hit.append((order, share))
        return hit

    def offers(self, side: Side, limit: Decimal = ZERO) -> Iterator[Offer]:
        """What a taker of this side meets, best first, up to its limit (0: none). Ours come after others at one price."""
        sign = 1 if side == "buy" else -1
        ours = (Offer(o.request.limit, o.remaining, o) for o in self.resting("sell" if side == "buy" else "buy"))
        levels = merge(self._depth(side), ours, key=lambda level: level.price * sign)
        return takewhile(lambda level: not limit or level.price * sign <= limit * sign, levels)

    def best(self) -> tuple[tuple[Decimal, Decimal], tuple[Decimal, Decimal]]:
        """((bid, quantity), (ask, quantity))."""
        return self._best("sell"), self._best("buy")

    def depth(self, count: int) -> tuple[list[tuple[Decimal, Decimal]], list[tuple[Decimal, Decimal]]]:
        """(bids, asks), each [(price, quantity)] with the best first."""
        return self._merge_levels("sell", count), self._merge_levels("buy", count)

    def _best(self, taker: Side) -> tuple[Decimal, Decimal]:
        made_up, ladder = next(self._depth(taker)), self.buys if taker == "sell" else self.sells
        if not len(ladder) or ladder.beyond(made_up.price):
            return made_up.price, made_up.qty
        return self._merge_levels(taker, 1)[0]

    def _merge_levels(self, taker: Side, count: int) -> list[tuple[Decimal, Decimal]]:
        rows: dict[Decimal, Decimal] = {}
        for level in self.offers(taker):
            if level.price not in rows and len(rows) == count:
                break
            rows[level.price] = rows.get(level.price, ZERO) + level.qty
        return list(rows.items())

    def _depth(self, taker: Side) -> Iterator[Offer]:
        for price in islice(self._prices(taker), LEVELS):
            qty = self._made_up(price) - self._taken.get(price, ZERO)
            if qty > 0:
                yield Offer(price, qty)

    def _prices(self, taker: Side) -> Iterator[Decimal]:
        """The best price, then the grid behind it; bids end above zero."""
        if taker == "buy":
            yield self.ask
            price, step = self.ask - self.ask % self._step + self._step, self._step
        else:
            yield self.bid
            price, step = self.bid - (self.bid % self._step or self._step), -self._step
        while price > 0:
            yield price
            price += step

    def _made_up(self, price: Decimal) -> Decimal:
        index = int(price / self.instrument.tick)
        average = int(self._level_value / price / self.instrument.lot) + 1
        weight = 20 + self._mix(index, (self._trades + index) >> 4) % 180
        return self.instrument.lot * max(1, average * weight // 100)

    def _mix(self, one: int, two: int = 0) -> int:
        mixed = (one * 0x9E3779B97F4A7C15 + two * 0xBF58476D1CE4E5B9 + self.seed * 0x94D049BB133111EB) & MASK
        return (mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9 % MASK >> 32
