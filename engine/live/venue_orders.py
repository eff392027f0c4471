"""What a venue has of a trader's orders: which went out, which wait, and which may go.

Three promises: cash is held for whatever may still be bought; no more of a symbol is out for sale than it holds; an order that the
trader gave up stays in the account until the venue says that it is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from engine.book import BELOW_LOT, BUY, CANCELLED, LIMIT, MARKET, REFUSED, SELL
from engine.live.held_orders import HeldOrder, RefusedTries, name_tries
from engine.live.outgoing import build_order, build_purchase, cut_sale, quantity_for_sale
from engine.live.resting_exits import RestingExits
from engine.live.settling import settle_book
from engine.live.trader_state import TraderState
from engine.live.types import Ended, Step
from engine.live.venue_order import NEAR, VenueOrder

RESTING = "resting"
"""The kind of all take-profits and stops of lots: see `RefusedTries`."""


@dataclass(slots=True)
class VenueOrders:
    trader_state: TraderState
    exits: RestingExits
    sent: dict[int, VenueOrder] = field(default_factory=dict)
    """Orders that went out and are not over, by number."""
    past: dict[int, VenueOrder] = field(default_factory=dict)
    """Orders that are over, for reports that come late."""
    due: list[int] = field(default_factory=list)
    """Orders that go out as soon as they may, in this order."""
    held: dict[int, HeldOrder] = field(default_factory=dict)
    """Exits that were refused, or ended unsold, by number."""
    held_entries: dict[int, HeldOrder] = field(default_factory=dict)
    """Purchases that the venue refused, by the symbol's number: the next ones wait."""
    tries: RefusedTries = field(default_factory=RefusedTries)
    clock: int = 0
    """The latest time that the trader was told."""
    crumbs: dict[int, float] = field(default_factory=dict)
    """Base by symbol that is too little to be sold: the next purchase takes it in."""

    def place_of(self, venue_order: VenueOrder) -> int:
        """The number of its symbol."""
        return self.trader_state.symbols.index(venue_order.order.symbol)

    def cash_apart(self) -> float:
        """Cash that orders given up may still spend."""
        return sum(one.remaining * one.unit for one in self.sent.values() if one.given_up)

    def list_sales(self, s: int) -> list[VenueOrder]:
        """Those of the symbol's that went out."""
        return [one for one in self.sent.values() if not one.buys and self.place_of(one) == s]

    def make_exits_due(self, symbols: Iterable[int]) -> None:
        """The market exits of these symbols go out, and those that were refused, once it is their time."""
        for row in self.trader_state.waiting_rows():
            is_exit = self.trader_state.is_queued(row, SELL) or self.number_of(row) in self.held
            if is_exit and self.trader_state.book.working[row]["symbol"] in symbols:
                self.make_due(row)

    def number_of(self, row: int) -> int:
        return self.trader_state.numbers[int(self.trader_state.book.working[row]["order"])]

    def make_due(self, row: int) -> None:
        number = self.number_of(row)
        announced = self.trader_state.announced[int(self.trader_state.book.working[row]["order"])]
        held = self.held.get(number)
        if not announced and number not in self.due and (held is None or may_try(self, find_kind(self, number), held)):
            self.due.append(number)

    # After every change of the book.
    def settle(self, equity: float | None = None, *, placing: bool = True, silent: int = -1) -> Step:
        """Report what ended, and send what may go. `placing`: whether exits that should rest are placed; `silent`: an order whose
        end is not reported, since the caller knows it."""
        step = settle_book(self.trader_state, executed=False, equity=equity)
        step.done[:] = [done for done in step.done if done.number != silent and self.is_news(done)]
        for row in self.trader_state.waiting_rows():
            if self.trader_state.book.working[row]["kind"] == LIMIT and self.number_of(row) not in self.held:
                self.make_due(row)
        self.change_exits(step, placing)
        for number in list(self.due):
            self.send_order(number, step)
        return step

    def change_exits(self, step: Step, placing: bool) -> None:
        """Each lot that has an exit to rest gets just one, of its quantity and at its level."""
        self.exits.forget_lots()
        kinds = {lot: (self.exits.symbol_of(lot), RESTING) for lot in self.exits.held}
        waits = {lot for lot, held in self.exits.held.items() if not may_try(self, kinds[lot], held)}
        changes = self.exits.find_changes(self.sent, self.crumbs, waits)
        for one in changes.give_up:
            if self.exits.unsent.pop(one.order.number, None) is not None:
                self.due.remove(one.order.number)
            else:
                self.give_up(one, step)
        for one in changes.place if placing else ():
            number = self.trader_state.take_number()
            self.exits.unsent[number] = replace(one, order=replace(one.order, number=number))
            self.due.append(number)

    def is_news(self, done: Ended) -> bool:
        """Whether this end is reported: it is, unless the venue filled the order. An order at the venue is given up."""
        if done.number in self.due:
            self.due.remove(done.number)
        self.held.pop(done.number, None)
        venue_order = self.sent.get(done.number)
        if venue_order is not None and done.status != "filled":
            venue_order.given_up = True
        return done.status != "filled"

    def send_order(self, number: int, step: Step) -> None:
        """The order goes out if it may."""
        row, resting = self.trader_state.row_of(number), self.exits.unsent.get(number)
        if number not in self.due or (row is None and resting is None):
            return
        buys = row is not None and self.trader_state.book.working[row]["side"] == BUY
        held = None if buys else self.find_held(number) or join_refused(self, number)
        if held is not None and not may_try(self, find_kind(self, number), held):
            self.due.remove(number)
            self.exits.unsent.pop(number, None)
            return
        if row is not None and buys:
            rules = self.exits.rules[int(self.trader_state.book.working[row]["symbol"])]
            venue_order = build_purchase(self.trader_state, row, rules, self.sent.values(), step)
        else:
            venue_order = self.build_sale(number, -1 if row is None else row, resting, step)
        if venue_order is None:
            self.tell_ended(step)
            return
        if held is not None and (held.lasting or held.outside):
            venue_order.counted = True
            self.tries.note(name_tries(find_kind(self, number), held.kind), self.clock)
        self.due.remove(number)
        self.exits.unsent.pop(number, None)
        self.sent[number] = venue_order
        if row is not None:
            self.trader_state.announced[int(self.trader_state.book.working[row]["order"])] = True
        step.wanted.append(venue_order.order)

    def find_held(self, number: int) -> HeldOrder | None:
        """How the exit of that number was refused before, if it was."""
        resting = self.sent.get(number) or self.exits.unsent.get(number)
        return self.held.get(number) or (self.exits.held.get(resting.lot) if resting is not None else None)

    def tell_ended(self, step: Step) -> None:
        """What was ended on the way out."""
        more = settle_book(self.trader_state, executed=False)
        step.done.extend(done for done in more.done if self.is_news(done))

    def build_sale(self, number: int, row: int, resting: VenueOrder | None, step: Step) -> VenueOrder | None:
        """As `build_purchase`, of the order in `row` or of a `resting` exit; base that other orders may sell is not sold twice."""
        trader_state = self.trader_state
        order = resting.order if resting is not None else build_order(trader_state, row)
        s = trader_state.symbols.index(order.symbol)
        others, position = self.list_sales(s), float(trader_state.book.symbols[s]["position"])
        wanted = order.quantity if resting is not None else quantity_for_sale(trader_state, row)
        free = position - sum(one.remaining for one in others)
        if free < wanted * (1.0 - NEAR) and others:
            if order.type == "market":
                self.clear_the_way(others, wanted - free, step)
            return None
        everything = not others and wanted >= position * (1.0 - NEAR)
        more = self.crumbs.get(s, 0.0) if everything else 0.0
        last = float(trader_state.candles.columns["mark"][s, 0])
        quantity, rest = cut_sale(order, min(wanted, free) + more, self.exits.rules[s], last)
        if quantity <= 0.0:
            self.due.remove(number)
            if resting is None:
                trader_state.end_order(row, REFUSED, BELOW_LOT)
            self.exits.unsent.pop(number, None)
            return None
        order = replace(order, quantity=quantity)
        return replace(resting, order=order) if resting is not None else VenueOrder(order, 0.0, rest=rest)

    def clear_the_way(self, others: Iterable[VenueOrder], missing: float, step: Step) -> None:
        """A market exit comes before what rests: of that, as much is given up as it needs."""
        missing -= sum(one.remaining for one in others if one.given_up)
        for one in others:
            if one.order.type == "market" or one.given_up:
                continue
            if missing <= NEAR * one.remaining:
                return
            missing -= one.remaining
            row = self.trader_state.row_of(one.order.number)
            if row is not None:
                self.trader_state.end_order(row, CANCELLED)
            else:
                self.give_up(one, step)

    def give_up(self, venue_order: VenueOrder, step: Step) -> None:
        venue_order.given_up = True
        step.done.append(Ended(venue_order.order, "cancelled", "", self.trader_state.now()))


def join_refused(venue_orders: VenueOrders, number: int) -> HeldOrder | None:
    """An exit that is new waits from its start where the venue has refused others of its kind for good: a first try of each would
    come on top of theirs. Returns as what it waits."""
    exits = venue_orders.exits
    if (held := venue_orders.tries.find_last(find_kind(venue_orders, number), venue_orders.clock)) is None:
        return None
    if number in exits.unsent:
        exits.held[exits.unsent[number].lot] = held
    else:
        venue_orders.held[number] = held
    return held


def may_try(venue_orders: VenueOrders, of: tuple[int, str], held: HeldOrder) -> bool:
    """Whether an exit of that kind, which was refused, may be tried again now."""
    of = name_tries(of, held.kind)
    return venue_orders.tries.may_go(of, held, venue_orders.clock, count_on_way(venue_orders, of))


def count_on_way(venue_orders: VenueOrders, of: tuple[int, str]) -> int:
    """The exits of that kind that went out, which the venue may still refuse for good, and which are not counted yet."""
    return sum(kind_of(one) == of[1] and not (one.answered or one.counted) for one in venue_orders.list_sales(of[0]))


def kind_of(venue_order: VenueOrder) -> str:
    """What kind of exit it is for `tries`."""
    return RESTING if venue_order.lot >= 0 else venue_order.order.type


def find_kind(venue_orders: VenueOrders, number: int) -> tuple[int, str]:
    """The symbol's number, and what kind of order it is for `tries`, of an exit that waits."""
    trader_state = venue_orders.trader_state
    if (row := trader_state.row_of(number)) is None:
        return venue_orders.place_of(venue_orders.exits.unsent[number]), RESTING
    w = trader_state.book.working[row]
    return int(w["symbol"]), "market" if w["kind"] == MARKET else "limit"
