"""The book of one symbol: the accounts' resting orders within the made-up depth, and the stops that wait for a price."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from heapq import merge
from itertools import takewhile

from market.sandbox.depth import Offer, SeededDepth
from market.sandbox.instruments import ListedInstrument
from market.sandbox.orders import ZERO, SandboxOrder, Side


@dataclass(slots=True)
class PriceTimeQueue:
    """Orders by price and then by age, the best first. `sign` is -1 where the highest price is the best."""

    sign: int
    _rows: list[tuple[Decimal, int, SandboxOrder]] = field(default_factory=list)

    def __iter__(self) -> Iterator[SandboxOrder]:
        return (row[2] for row in self._rows)

    def add(self, price: Decimal, order: SandboxOrder) -> None:
        insort(self._rows, (price * self.sign, order.id, order))

    def remove(self, price: Decimal, order: SandboxOrder) -> None:
        """Does nothing where the order is not in the queue."""
        index = bisect_left(self._rows, (price * self.sign, order.id))  # ids differ, so the prefix suffices
        if index < len(self._rows) and self._rows[index][2] is order:
            del self._rows[index]

    def first_within(self, price: Decimal) -> SandboxOrder | None:
        """The best order, if its price is this one or better."""
        return self._rows[0][2] if self._rows and self._rows[0][0] <= price * self.sign else None

    def list_within(self, price: Decimal) -> list[SandboxOrder]:
        """The orders at this price or better."""
        end = price * self.sign
        return [row[2] for row in takewhile(lambda row: row[0] <= end, self._rows)]


class WaitingStops:
    """Stop orders by the price that triggers them: those that wait for a rise, and those that wait for a fall."""

    def __init__(self) -> None:
        self._rising, self._falling = PriceTimeQueue(1), PriceTimeQueue(-1)

    def add(self, order: SandboxOrder) -> None:
        self._queue(order).add(order.request.stop, order)

    def remove(self, order: SandboxOrder) -> None:
        self._queue(order).remove(order.request.stop, order)

    def find_next(self, last: Decimal) -> SandboxOrder | None:
        """The next stop that the last price has reached."""
        return self._rising.first_within(last) or self._falling.first_within(last)

    def _queue(self, order: SandboxOrder) -> PriceTimeQueue:
        return self._rising if order.request.trigger == "up" else self._falling


class MatchingBook:
    """What can be traded in one symbol now. `last` is the last price, `sequence` grows with every change of the book.

    Prices in quote, quantities in base.
    """

    def __init__(self, instrument: ListedInstrument, seed: int) -> None:
        self.buys, self.sells = PriceTimeQueue(-1), PriceTimeQueue(1)
        self.stops = WaitingStops()
        self.sequence, self.last = 1, instrument.price
        self.instrument, self.made_up = instrument, SeededDepth(instrument, seed)
        self.refresh(instrument.price, buyer_is_maker=True)

    def set_filters(self, instrument: ListedInstrument) -> None:
        """The book follows the filters of this instrument from now on."""
        self.instrument = instrument
        self.made_up.set_filters(instrument)

    def refresh(self, price: Decimal, *, buyer_is_maker: bool) -> None:
        """A trade of the tape: the depth forms again around it."""
        self.last = price
        self.made_up.rebuild(price, buyer_is_maker=buyer_is_maker)
        self.sequence += 1

    def place(self, order: SandboxOrder) -> None:
        """Puts an order into the book, behind a part of the depth at its price."""
        order.queue = self.made_up.queue_share(order)
        self._resting(order.side).add(order.request.limit, order)
        self.sequence += 1

    def remove(self, order: SandboxOrder) -> None:
        """Takes an order out, whether it rests or waits for its stop price."""
        if order.waiting:
            self.stops.remove(order)
        elif order.request.limit:
            self._resting(order.side).remove(order.request.limit, order)
            self.sequence += 1

    def take(self, price: Decimal, qty: Decimal) -> None:
        """Takes a quantity from the made-up depth at a price."""
        self.made_up.take(price, qty)
        self.sequence += 1

    def list_crossed(self, price: Decimal, qty: Decimal, *, buyer_is_maker: bool) -> list[tuple[SandboxOrder, Decimal]]:
        """Which resting orders a trade of the tape fills, and with which quantity.

        Orders that the trade went past fill whole. Those at its price share what is left of its quantity after their queue.
        """
        passive, other = (self.buys, self.sells) if buyer_is_maker else (self.sells, self.buys)
        hit = [(order, order.remaining) for order in other.list_within(price)]
        ours = ZERO
        for order in passive.list_within(price):
            if order.request.limit != price:
                hit.append((order, order.remaining))
                continue
            share = min(order.remaining, self.instrument.floor(max(ZERO, qty - ours - order.queue)))
            order.queue = max(ZERO, order.queue - (qty - ours))
            ours += share
            if share:
                hit.append((order, share))
        return hit

    def offers(self, taker: Side, limit: Decimal = ZERO) -> Iterator[Offer]:
        """What a taker of this side meets up to its limit (0: no limit), the best price first.

        At the same price the depth comes before the accounts' orders.
        """
        sign = 1 if taker == "buy" else -1
        ours = (Offer(o.request.limit, o.remaining, o) for o in self._resting("sell" if taker == "buy" else "buy"))
        offers = merge(self.made_up.offers(taker), ours, key=lambda offer: offer.price * sign)
        return takewhile(lambda offer: not limit or offer.price * sign <= limit * sign, offers)

    def best(self) -> tuple[tuple[Decimal, Decimal], tuple[Decimal, Decimal]]:
        """((bid, quantity), (ask, quantity))."""
        return self._best("sell"), self._best("buy")

    def depth(self, count: int) -> tuple[list[tuple[Decimal, Decimal]], list[tuple[Decimal, Decimal]]]:
        """(bids, asks), each [(price, quantity)] with the best first."""
        return self._merge_levels("sell", count), self._merge_levels("buy", count)

    def _resting(self, side: Side) -> PriceTimeQueue:
        return self.buys if side == "buy" else self.sells

    def _best(self, taker: Side) -> tuple[Decimal, Decimal]:
        made_up, queue = next(self.made_up.offers(taker)), self.buys if taker == "sell" else self.sells
        if queue.first_within(made_up.price) is None:
            return made_up.price, made_up.qty
        return self._merge_levels(taker, 1)[0]

    def _merge_levels(self, taker: Side, count: int) -> list[tuple[Decimal, Decimal]]:
        rows: dict[Decimal, Decimal] = {}
        for offer in self.offers(taker):
            if offer.price not in rows and len(rows) == count:
                break
            rows[offer.price] = rows.get(offer.price, ZERO) + offer.qty
        return list(rows.items())
