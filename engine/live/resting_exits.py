"""Exits that rest at the venue, at most one a lot: its stop where it has one that the venue takes, else its take-profit.

A stop is in force at the venue or here, never at both and never at neither: here until the venue has said that it has the order,
and again as soon as that is given up, is over, or stands too low. `price_levels.level_in_force` is the other half."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from engine.book import LIMIT, MARKET, REBALANCE, SELL
from engine.live import kernel
from engine.live.held_orders import HeldOrder
from engine.live.trader_state import TraderState
from engine.live.types import Intent
from engine.live.venue_order import NEAR, VenueOrder
from engine.order_rules import OrderTerms, find_rule_fault, first_part
from engine.types import REASONS, Rules

THROUGH = 0.01
"""Share of its level that a stop at the venue may sell below it. Where the price falls through even that, it is sold from here."""
LAG = 0.001
"""Share of its level by which a stop at the venue may trail behind: it is replaced when it is further behind, not at each tick of
the market. Until then the level is watched here."""


class ExitChanges(NamedTuple):
    """What has to change for each lot that has an exit to rest to have just one, of its quantity and at its level."""

    place: list[VenueOrder]
    """Without a number yet."""
    give_up: list[VenueOrder]


@dataclass(slots=True)
class RestingExits:
    trader_state: TraderState
    stops: bool
    """Whether lots have stops. Where they have none, take-profits rest at the venue."""
    rules: dict[int, Rules]
    """The venue's, by symbol."""
    venue_stops: frozenset[str] = frozenset()
    """Symbols whose stops can rest at the venue."""
    unsent: dict[int, VenueOrder] = field(default_factory=dict)
    """Take-profit and stop orders that wait to go out."""
    reached: list[int] = field(default_factory=list)
    """Lots whose take-profit level the price has reached."""
    bare: list[int] = field(default_factory=list)
    """Lots whose stop the venue did not take, or ended unasked: it is watched here from then on."""
    told: set[int] = field(default_factory=set)
    """Symbols whose rules the venue has told since the bot was loaded."""
    held: dict[int, HeldOrder] = field(default_factory=dict)
    """Exits that the venue, or we, refused, by lot: watched here until they are tried again."""
    halted: bool = False
    """Nothing may rest at the venue, because everything was cancelled by hand."""

    def list_waiting(self, sent: Mapping[int, VenueOrder]) -> list[VenueOrder]:
        """Take-profit and stop orders that the venue has, or will get; those that were given up are left out."""
        return [one for one in (*sent.values(), *self.unsent.values()) if one.lot >= 0 and not one.given_up]

    def forget_lots(self) -> None:
        """Those that have been sold."""
        lots = {int(lot["id"]) for lot in self.trader_state.lots()}
        self.reached = [lot for lot in self.reached if lot in lots]
        self.bare = [lot for lot in self.bare if lot in lots]
        self.held = {lot: held for lot, held in self.held.items() if lot in lots}

    def symbol_of(self, lot: int) -> int:
        """The number of the symbol that the lot is of."""
        lots = self.trader_state.lots()
        return int(lots["symbol"][lots["id"] == lot][0])

    def find_changes(self, sent: Mapping[int, VenueOrder], crumbs: Mapping[int, float], waits: Collection[int]) -> ExitChanges:
        """`sent`: what the venue has; `crumbs`: base by symbol that an exit may take along; `waits`: lots whose exit was refused
        and may not be tried yet."""
        resting = {one.lot: one for one in self.list_waiting(sent)}
        levels = self.trader_state.levels()
        exits = [self.exit_of(row, levels[row]) for row in range(len(levels))]
        wanted = {one.lot: one for one in exits if one is not None}

        def is_right(lot: int) -> bool:
            there, should = resting.get(lot), wanted.get(lot)
            return there is not None and should is not None and rests_right(there, should, crumbs.get(self.place_of(should), 0.0))

        place = [one for lot, one in wanted.items() if not (is_right(lot) or lot in waits)]
        return ExitChanges(
            place=self.list_takeable(place, sent), give_up=[one for lot, one in resting.items() if not is_right(lot)]
        )

    def list_takeable(self, exits: list[VenueOrder], sent: Mapping[int, VenueOrder]) -> list[VenueOrder]:
        """Those of the exits that the venue takes at present, also for the number of stops that it has. The others are watched
        here."""
        stops = Counter(one.order.symbol for one in (*sent.values(), *self.unsent.values()) if one.is_stop)
        takeable = []
        for one in exits:
            rules, order = self.rules[self.place_of(one)], one.order
            last = float(self.trader_state.candles.columns["mark"][self.place_of(one), 0])
            full = one.is_stop and rules.max_stops and stops[order.symbol] >= rules.max_stops
            if not full and not find_rule_fault(rules, OrderTerms(False, order.quantity, order.limit or 0.0, last)):
                stops[order.symbol] += one.is_stop
                takeable.append(one)
        return takeable

    def place_of(self, venue_order: VenueOrder) -> int:
        return self.trader_state.symbols.index(venue_order.order.symbol)

    def exit_of(self, row: int, levels: Any) -> VenueOrder | None:
        """The order that the lot should have at the venue. `levels`: its stop, the reason of that, its take-profit."""
        trader_state = self.trader_state
        lot, (stop, reason, take) = trader_state.book.lots[row], levels
        s, symbol = int(lot["symbol"]), trader_state.book.symbols[int(lot["symbol"])]
        takes = np.isfinite(take) and self.rests_take(int(lot["id"]))
        stops = stop > 0.0 and self.rests_stop(s, int(lot["id"]))
        if not (takes or stops) or lot["exit"] >= 0 or is_busy(trader_state, s, int(lot["order"])):
            return None
        rules, lot_size, tick = self.rules[s], float(symbol["lot"]), float(symbol["tick"])
        quantity = kernel.round_to_step(float(lot["quantity"]), lot_size, False)
        trigger = None
        if takes:
            kind, why, limit = "limit", "take_profit", kernel.round_to_step(float(take), tick, True)
            quantity = kernel.round_to_step(first_part(rules, market=False, price=limit, quantity=quantity), lot_size, False)
        else:  # never for a part of the lot: what is too much for one stop is watched here
            kind, why, (limit, trigger) = "stop_limit", REASONS[int(reason)], stop_prices(float(stop), tick)
        if quantity <= 0.0 or limit <= 0.0:
            return None
        order = Intent(-1, trader_state.symbols[s], "sell", kind, why, quantity, limit, trigger, trader_state.now())
        return VenueOrder(order, 0.0, lot=int(lot["id"]))

    def rests_take(self, lot: int) -> bool:
        return (not self.stops and not self.halted) or lot in self.reached

    def rests_stop(self, s: int, lot: int) -> bool:
        return self.trader_state.symbols[s] in self.venue_stops and not self.halted and lot not in self.bare

    def watches_take(self, take: float, lot: int, resting: Collection[int]) -> bool:
        """Whether the take-profit level is watched here; `resting`: lots that have one at the venue, or will get it."""
        held = self.held.get(lot)
        waits = lot in self.reached and held is not None and not held.outside
        return bool(np.isfinite(take) and lot not in resting and not waits)

    def reach_take(self, lot: int, now: int) -> None:
        """The price has reached the lot's take-profit: one that others cancelled need not wait for its time any more, and the first
        time not for room among the tries either."""
        held, first = self.held.get(lot), lot not in self.reached
        if first:
            self.reached.append(lot)
        if held is not None and held.outside:
            held.until = min(held.until, now)
            if first:
                del self.held[lot]


def stop_prices(level: float, tick: float) -> tuple[float, float]:
    """The limit and the stop of the order that sells at `level`."""
    stop = kernel.round_to_step(level, tick, False)
    return kernel.round_to_step(stop * (1.0 - THROUGH), tick, False), stop


def rests_right(there: VenueOrder, should: VenueOrder, crumbs: float) -> bool:
    """Whether what rests is what should. It may take crumbs along."""
    most = should.remaining + crumbs
    if not should.remaining * (1.0 - NEAR) <= there.remaining <= most * (1.0 + NEAR):
        return False
    if there.order.stop is None or should.order.stop is None:
        return there.order.stop is should.order.stop and there.order.limit == should.order.limit
    return should.order.stop * (1.0 - LAG) <= there.order.stop <= should.order.stop


def is_busy(trader_state: TraderState, s: int, bought_by: int) -> bool:
    """Whether the lot is still being bought, or an order that knows no lots sells the symbol."""
    for row in trader_state.waiting_rows():
        w = trader_state.book.working[row]
        of_any_lot = w["kind"] == LIMIT or (w["kind"] == MARKET and w["reason"] == REBALANCE)
        if w["order"] == bought_by or (w["symbol"] == s and w["side"] == SELL and of_any_lot):
            return True
    return False
