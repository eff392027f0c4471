"""A venue for tests of the trader: it keeps its own account of cash and base, and fills what the test says."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.live import HeldQuantity, Intent, Step, Trader
from engine.live.resting_exits import stop_prices

NOISE = 1e-7


@dataclass
class Venue:
    """`open`: orders that it has, with what is left of each. Its own books, and the promises that no order may break."""

    trader: Trader
    cash: float
    maker: float = 0.0
    taker: float = 0.0
    base_fees: bool = False
    held: dict[str, float] = field(default_factory=dict)
    open: dict[int, tuple[Intent, float]] = field(default_factory=dict)
    cancelling: list[int] = field(default_factory=list)
    seen: dict[int, float] = field(default_factory=dict)
    """Every order that came, and the price when it did."""
    prices: dict[str, float] = field(default_factory=dict)
    profit: float = 0.0
    most_lots: int = 0
    """Held at once, of all symbols."""
    standing: set[int] = field(default_factory=set)
    """Orders of which it has said that it has them."""

    def take(self, step: Step) -> None:
        """Orders that are wanted arrive; those that were given up wait to be cancelled."""
        assert not step.executed
        for wanted in step.wanted:
            assert wanted.number not in self.seen, "a number came twice"
            assert wanted.type in ("market", "limit", "stop_limit")
            assert wanted.quantity > 0
            rules = self.trader.account.rules[self.trader.symbols.index(wanted.symbol)]
            assert wanted.quantity <= (rules.max_quantity or np.inf) * (1.0 + NOISE)
            self.seen[wanted.number] = self.prices.get(wanted.symbol, 0.0)
            self.open[wanted.number] = wanted, wanted.quantity
        self.cancelling += [done.number for done in step.done if done.number in self.open]
        assert all(done.status in ("cancelled", "expired", "refused") for done in step.done)
        self.profit += sum(closed.profit for closed in step.closed)
        self.check()

    def check(self) -> None:
        """What is out never asks for more than there is, and the trader's books are the venue's."""
        for symbol in self.trader.symbols:
            selling = sum(left for order, left in self.open.values() if order.side == "sell" and order.symbol == symbol)
            assert selling <= self.held.get(symbol, 0.0) + NOISE
            assert abs(self.trader.positions()[symbol] - self.held.get(symbol, 0.0)) < NOISE
        holdings = self.trader.holdings()
        self.most_lots = max(self.most_lots, len(holdings))
        for holding in holdings:
            self.check_stop(holding)
        assert self.cash > -NOISE * 1_000
        assert abs(self.trader.cash - self.cash) < NOISE * 1_000

    def check_stop(self, holding: HeldQuantity) -> None:
        """A stop is in force at one place, the venue's or the trader's, unless the lot is being sold."""
        assert self.trader.venue_orders
        theirs = [
            self.open[number][0]
            for number, out in self.trader.venue_orders.sent.items()
            if out.lot == holding.lot and number in self.standing - set(self.cancelling)
        ]
        here = [level.stop for level in self.trader.levels() if level.lot == holding.lot]
        if holding.stop <= 0.0 or not here:
            return
        tick = self.trader.account.rules[self.trader.symbols.index(holding.symbol)].tick
        there = [order for order in theirs if order.stop == stop_prices(holding.stop, tick)[1]]
        assert len(here) == 1
        assert here == ([order.limit for order in there] or [holding.stop])

    def accept(self, number: int) -> None:
        self.standing.add(number)
        self.trader.apply_acceptance(number)
        self.check()

    def fill(self, number: int, price: float, quantity: float, time: int) -> None:
        order, left = self.open[number]
        maker = order.type == "limit"  # what a stop sets off takes
        fee = price * quantity * (self.maker if maker else self.taker)
        base_fee = fee / price if self.base_fees and order.side == "buy" else 0.0
        sign = 1 if order.side == "buy" else -1
        self.cash -= sign * price * quantity + (0.0 if base_fee else fee)
        self.held[order.symbol] = self.held.get(order.symbol, 0.0) + sign * quantity - base_fee
        if left - quantity <= 1e-12 * order.quantity:
            self.over(number)
        else:
            self.open[number] = order, left - quantity
        self.take(self.trader.apply_fill(number, price, quantity, 0.0 if base_fee else fee, maker, time, base_fee))

    def end(self, number: int, status: str) -> None:
        self.over(number)
        self.take(self.trader.apply_end(number, status))
        twice = self.trader.dump()
        assert self.trader.apply_end(number, status) == Step()
        assert self.trader.dump() == twice

    def price(self, number: int, random: np.random.Generator) -> float:
        """Where the order fills: at its limit, or up to the trader's reserve off the price at which it came."""
        order, _ = self.open[number]
        worse = self.trader.reserve * random.random() * (1 if order.side == "buy" else -1)
        return self.seen[number] * (1.0 + worse) if order.limit is None else order.limit

    def part_of(self, number: int, share: float) -> float:
        """Venues fill whole lots."""
        order, left = self.open[number]
        lot = self.trader.account.rules[self.trader.symbols.index(order.symbol)].lot
        return min(left, max(1.0, np.floor(left * share / lot)) * lot) if lot else left * share

    def over(self, number: int) -> None:
        del self.open[number]
        self.cancelling = [each for each in self.cancelling if each != number]
