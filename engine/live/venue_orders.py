"""What a venue has of a trader's orders: which went out, which wait, and what its reports do to the book.

Three promises: cash is held for whatever may still be bought; no more of a symbol is out for sale than it holds; an order that the
trader gave up stays in the account until the venue says that it is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.book import (
    BELOW_LOT,
    BUY,
    CANCELLED,
    LIMIT,
    MARKET,
    NO_CASH,
    REBALANCE,
    REFUSED,
    SELL,
    UNSIZED,
)
from engine.live import kernel
from engine.live.resting_exits import tend_offers
from engine.live.trader_state import TraderState
from engine.live.types import Ended, Intent, Step
from engine.live.venue_order import NEAR, VenueOrder, revived, told


@dataclass(slots=True)
class VenueOrders:
    brain: TraderState
    stops: bool
    """Whether lots have stops. Where they have none, take-profits rest at the venue."""
    venue_stops: frozenset[str] = frozenset()
    """Symbols whose stops can rest at the venue."""
    out: dict[int, VenueOrder] = field(default_factory=dict)
    past: dict[int, VenueOrder] = field(default_factory=dict)
    """Orders that are over, for reports that come late."""
    due: list[int] = field(default_factory=list)
    """Orders that go out as soon as they may, in this order."""
    offers: dict[int, VenueOrder] = field(default_factory=dict)
    """Take-profit and stop orders that are due."""
    reached: list[int] = field(default_factory=list)
    """Lots whose take-profit level the price has reached."""
    failed: list[int] = field(default_factory=list)
    """Exits that the venue ended unsold: due again at the next price."""
    bare: list[int] = field(default_factory=list)
    """Lots whose stop the venue did not take, or ended unasked: it is watched here from then on."""
    crumbs: dict[int, float] = field(default_factory=dict)
    """Base by symbol that is too little to be sold: the next purchase takes it in."""
    halted: bool = False
    """Nothing rests at the venue: a person cancelled everything."""

    # State.
    def dumped(self) -> dict[str, Any]:
        state: dict[str, Any] = {name: getattr(self, name) for name in ("due", "reached", "failed", "bare", "halted", "crumbs")}
        orders = {name: getattr(self, name) for name in ("out", "past", "offers")}
        return state | {name: {number: told(out) for number, out in each.items()} for name, each in orders.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        for name in ("due", "reached", "failed", "halted"):
            setattr(self, name, state[name])
        self.bare = state.get("bare", [])  # unknown to memories of before stops could rest at a venue
        self.crumbs = {int(s): quantity for s, quantity in state["crumbs"].items()}
        for name in ("out", "past", "offers"):
            setattr(self, name, {int(number): revived(each) for number, each in state[name].items()})

    def symbol(self, out: VenueOrder) -> int:
        return self.brain.symbols.index(out.order.symbol)

    def apart(self) -> float:
        """Cash that orders given up may still spend."""
        return sum(out.left * out.unit for out in self.out.values() if out.given_up)

    def selling(self, s: int) -> list[VenueOrder]:
        return [out for out in self.out.values() if not out.buys and self.symbol(out) == s]

    def resting_offers(self) -> list[Intent]:
        """Take-profit and stop orders that the venue has, or will get."""
        orders = (*self.out.values(), *self.offers.values())
        return [out.order for out in orders if out.lot >= 0 and not out.given_up]

    def exits_market(self) -> bool:
        """Whether a market exit is on its way, or waits to be."""
        if any(not out.buys and out.order.type == "market" for out in self.out.values()):
            return True
        return any((row := self.brain.row_of(number)) is not None and self.brain.is_queued(row, SELL) for number in self.due)

    # The candle.
    def open(self, symbols: Iterable[int]) -> Step:
        brain = self.brain
        if brain.state["targets"] > 0:
            brain.run(kernel.selling, brain.t)
            brain.number_new_orders(brain.now())
            for row in brain.rows():
                w = brain.book.working[row]
                if w["reason"] == REBALANCE and w["side"] == SELL:
                    brain.forget_target(int(w["symbol"]))
        self.exits_due(symbols)
        return self.settle()

    def entries(self, prices: Mapping[int, float]) -> Step:
        brain = self.brain
        ready = {s: price for s, price in prices.items() if brain.opened[s]}
        if not ready or not brain.has_queued() or self.exits_market() or any(o.given_up and o.buys for o in self.out.values()):
            return Step()
        if not brain.entries_allowed:
            for s in ready:
                brain.forget_target(s)
            return Step()
        brain.show_prices(ready)
        brain.run(kernel.sizing, brain.t)
        brain.number_new_orders(brain.now())
        for row in brain.buys():
            if brain.is_queued(row, BUY) and brain.book.working[row]["left"] != UNSIZED:
                self.make_due(row)
        return self.settle()

    def exits_due(self, symbols: Iterable[int]) -> None:
        """The market exits of these symbols go out."""
        for row in self.brain.rows():
            if self.brain.is_queued(row, SELL) and self.brain.book.working[row]["symbol"] in symbols:
                self.make_due(row)

    def make_due(self, row: int) -> None:
        order = int(self.brain.book.working[row]["order"])
        number = self.brain.numbers[order]
        if not self.brain.told[order] and number not in self.due:
            self.due.append(number)
        if number in self.failed:
            self.failed.remove(number)

    # After every change of the book.
    def settle(self, equity: float | None = None, *, offering: bool = True, silent: int = -1) -> Step:
        """Tell what ended, and let out what may go. `silent`: an order whose end is the venue's own word."""
        brain = self.brain
        step = brain.settle(brain.now(), executed=False, equity=equity)
        step.done[:] = [done for done in step.done if done.number != silent and self.is_news(done)]
        for row in brain.rows():
            if brain.book.working[row]["kind"] == LIMIT:
                self.make_due(row)
        tend_offers(self, step, offering)
        for number in list(self.due):
            self.let_out(number, step)
        return step

    def is_news(self, done: Ended) -> bool:
        """Whether an end is to be told: all but that of an order filled by the venue. What is out is given up."""
        if done.number in self.due:
            self.due.remove(done.number)
        if done.number in self.failed:
            self.failed.remove(done.number)
        out = self.out.get(done.number)
        if out is not None and done.status != "filled":
            out.given_up = True
        return done.status != "filled"

    def let_out(self, number: int, step: Step) -> None:
        row, offer = self.brain.row_of(number), self.offers.get(number)
        if number not in self.due or (row is None and offer is None):
            return
        if row is not None and self.brain.book.working[row]["side"] == BUY:
            out = self.purchase(row)
        else:
            out = self.sale(number, -1 if row is None else row, offer, step)
        if out is None:
            self.tell_ended(step)
            return
        self.due.remove(number)
        self.offers.pop(number, None)
        self.out[number] = out
        if row is not None:
            self.brain.told[int(self.brain.book.working[row]["order"])] = True
        step.wanted.append(out.order)

    def tell_ended(self, step: Step) -> None:
        """What was ended on the way out."""
        more = self.brain.settle(self.brain.now(), executed=False)
        step.done.extend(done for done in more.done if self.is_news(done))

    def purchase(self, row: int) -> VenueOrder | None:
        """The order as it goes out; None where it has to wait for the end of one that was given up, or ends for want of cash."""
        brain, w = self.brain, self.brain.book.working[row]
        if any(out.given_up and out.buys for out in self.out.values()):
            return None
        if w["left"] <= 0.0:  # what was set off at a price that left nothing to pay
            brain.end(row, REFUSED, NO_CASH)
            return None
        unit = float(w["held"] / w["left"])
        committed = sum(out.left * out.unit for out in self.out.values() if out.buys)
        if brain.state["cash"] - committed < w["left"] * unit - brain.book.setup[0]["dust"]:
            brain.end(row, REFUSED, NO_CASH)
            return None
        order = replace(self.as_sent(row), quantity=float(w["left"]))
        return VenueOrder(order, unit, rung=int(w["rung"]), take=float(w["take"]))

    def sale(self, number: int, row: int, offer: VenueOrder | None, step: Step) -> VenueOrder | None:
        """As `purchase`, of the order in `row` or of an `offer`; the base that other orders may sell is not sold twice."""
        brain = self.brain
        order = offer.order if offer is not None else self.as_sent(row)
        s = brain.symbols.index(order.symbol)
        others = self.selling(s)
        wanted = order.quantity if offer is not None else self.for_sale(row)
        free = float(brain.book.symbols[s]["position"]) - sum(out.left for out in others)
        if free < wanted * (1.0 - NEAR) and others:
            if order.type == "market":
                self.clear_the_way(others, wanted - free, step)
            return None
        everything = not others and wanted >= float(brain.book.symbols[s]["position"]) * (1.0 - NEAR)
        more = self.crumbs.get(s, 0.0) if everything else 0.0
        quantity = kernel.rounded(min(wanted, free) + more, float(brain.book.symbols[s]["lot"]), False)
        if quantity <= 0.0:
            self.due.remove(number)
            if offer is None:
                brain.end(row, REFUSED, BELOW_LOT)
            self.offers.pop(number, None)
            return None
        order = replace(order, quantity=quantity)
        return replace(offer, order=order) if offer is not None else VenueOrder(order, 0.0)

    def clear_the_way(self, others: Iterable[VenueOrder], missing: float, step: Step) -> None:
        """A market exit comes before what rests: of that, as much is given up as it needs."""
        missing -= sum(out.left for out in others if out.given_up)
        for out in others:
            if out.order.type == "market" or out.given_up:
                continue
            if missing <= NEAR * out.left:
                return
            missing -= out.left
            row = self.brain.row_of(out.order.number)
            if row is not None:
                self.brain.end(row, CANCELLED)
            else:
                self.give_up(out, step)

    def give_up(self, out: VenueOrder, step: Step) -> None:
        out.given_up = True
        step.done.append(Ended(out.order, "cancelled", "", self.brain.now()))

    def as_sent(self, row: int) -> Intent:
        """A stop order of the strategy's is watched here: what goes out is what it sets off."""
        w = self.brain.book.working[row]
        order = self.brain.order(int(w["order"]))
        if w["kind"] == MARKET:
            return replace(order, type="market", limit=None, stop=None)
        return replace(order, type="limit", stop=None)

    def for_sale(self, row: int) -> float:
        """What the sale in `row` may take."""
        w = self.brain.book.working[row]
        lots = self.brain.lots()
        queued_for = w["order"] if w["kind"] == MARKET and w["reason"] != REBALANCE else -1
        total = float(lots["quantity"][(lots["symbol"] == w["symbol"]) & (lots["exit"] == queued_for)].sum())
        return min(total, float(w["left"]))

    # By a person's word, and the strategy's.
    def want_out(self, step: Step, symbols: Iterable[str]) -> None:
        """The strategy wants out of these symbols: entries that were given up for it are not wanted even if they come."""
        for done in step.done:
            if done.number in self.out and done.side == "buy" and done.symbol in symbols:
                self.out[done.number].unwanted = True

    def sell_all(self, reason: int) -> Step:
        brain = self.brain
        held = [s for s in range(len(brain.symbols)) if brain.book.symbols[s]["lots"] > 0]
        for s in held:
            brain.run(kernel.exiting, s, -1, brain.t, reason)
        brain.number_new_orders(brain.now())
        self.exits_due(held)
        return self.settle()

    def block(self, number: int) -> Step:
        self.out.pop(number, None)
        if self.offers.pop(number, None) is not None:
            self.due.remove(number)
        row = self.brain.row_of(number)
        if row is not None:
            self.brain.end(row, REFUSED)
        return self.settle(offering=False, silent=number)
