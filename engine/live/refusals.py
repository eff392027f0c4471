"""What becomes of exits that we refused, or that the venue ended unsold: see `held_exits` for when they are tried again."""

from __future__ import annotations

from collections.abc import Collection

from engine import order_rules
from engine.book import CANCELLED, REFUSED, SELL
from engine.live import kernel
from engine.live.held_exits import HeldExit, hold_exit
from engine.live.trader_state import TraderState
from engine.live.types import BlockedExit, Refusal, Step
from engine.live.venue_order import VenueOrder
from engine.live.venue_orders import VenueOrders
from engine.types import Rules

UNTOLD = "The venue did not say why."
HOPE = 1.25
"""What a rise to so many times its price would let a venue take is not given up."""


def stays_wanted(trader_state: TraderState, row: int, status: str) -> bool:
    """Whether the order in `row`, which the venue has ended, is an exit that still has to be sold. A limit that somebody cancelled
    there is not."""
    if trader_state.book.working[row]["side"] != SELL or status == "filled":
        return False
    return trader_state.is_queued(row, SELL) or status != "cancelled"


def hold_order(venue_orders: VenueOrders, row: int, refusal: Refusal, *, sold: bool = False) -> None:
    """The exit in `row` was refused, or ended unsold: a new order in its place waits for its time. `sold`: a part of it was."""
    before = venue_orders.held.pop(venue_orders.number_of(row), None)
    number = renumber_order(venue_orders.trader_state, row)
    venue_orders.held[number] = hold_exit(None if sold else before, refusal, refusal.time or venue_orders.clock)


def renumber_order(trader_state: TraderState, row: int) -> int:
    """The order in `row` is to go out anew, as another one."""
    order = int(trader_state.book.working[row]["order"])
    trader_state.numbers[order] = number = trader_state.take_number()
    trader_state.announced[order] = False
    return number


def hold_resting(venue_orders: VenueOrders, venue_order: VenueOrder, refusal: Refusal) -> None:
    """An exit that should rest at the venue does not: it is watched here until it is tried again."""
    exits, lot = venue_orders.exits, venue_order.lot
    before = None if venue_order.got > 0.0 else exits.held.get(lot)
    exits.held[lot] = hold_exit(before, refusal, refusal.time or venue_orders.clock)


def end_resting(venue_orders: VenueOrders, venue_order: VenueOrder, refusal: Refusal) -> None:
    """The venue has ended an exit that rested there. A stop that it did not take, or ended unasked, is watched here for good."""
    if venue_order.is_stop:
        venue_orders.exits.bare.append(venue_order.lot)
    else:
        hold_resting(venue_orders, venue_order, refusal)


def block_order(venue_orders: VenueOrders, number: int, refusal: Refusal) -> Step:
    """We refused an order before it was sent. An exit stays wanted; anything else is forgotten."""
    venue_order, row = venue_orders.sent.pop(number, None), venue_orders.trader_state.row_of(number)
    resting = venue_orders.exits.unsent.pop(number, venue_order)
    if number in venue_orders.due:
        venue_orders.due.remove(number)
    if row is not None and venue_orders.trader_state.book.working[row]["side"] == SELL:
        s = int(venue_orders.trader_state.book.working[row]["symbol"])
        hold_order(venue_orders, row, refusal)
        sweep_dust(venue_orders, s)
    elif row is not None:
        venue_orders.trader_state.end_order(row, REFUSED)
    elif resting is not None and resting.lot >= 0:
        hold_resting(venue_orders, resting, refusal)
    return venue_orders.settle(placing=False, silent=number)


def sweep_dust(venue_orders: VenueOrders, s: int) -> None:
    """What is left of a symbol, with none of its orders at the venue, and is too little for one, keeps nobody from buying: it
    becomes crumbs, and nothing is wanted of it."""
    trader_state = venue_orders.trader_state
    held, mark = float(trader_state.book.symbols[s]["position"]), float(trader_state.candles.columns["mark"][s, 0])
    if not order_rules.is_dust(venue_orders.exits.rules[s], held, mark * HOPE):
        return
    if any(venue_orders.place_of(one) == s for one in venue_orders.sent.values()):
        return
    venue_orders.crumbs[s] = venue_orders.crumbs.get(s, 0.0) + held
    kernel.drop_lots(trader_state.book, s, trader_state.t)
    for row in reversed(trader_state.waiting_rows()):
        w = trader_state.book.working[row]
        if w["symbol"] == s and w["side"] == SELL:
            trader_state.end_order(row, CANCELLED)


def forget_refusals(venue_orders: VenueOrders, number: int, venue_order: VenueOrder) -> None:
    """The venue has taken the exit."""
    venue_orders.held.pop(number, None)
    venue_orders.exits.held.pop(venue_order.lot, None)


def retry_exits(venue_orders: VenueOrders, changed: Collection[str]) -> Step:
    """Exits that were refused go out again if it is their time; in symbols where something has `changed`, perhaps at once."""
    for symbol, held in list_held(venue_orders):
        if symbol in changed:
            held.hasten(venue_orders.clock)
    venue_orders.make_exits_due(range(len(venue_orders.trader_state.symbols)))
    return venue_orders.settle()


def take_rules(venue_orders: VenueOrders, s: int, rules: Rules) -> None:
    """The venue's rules of a symbol as they are now. Exits that it refused by others are tried at the next price: not where these
    are the first ones, after the bot was loaded."""
    trader_state, symbol = venue_orders.trader_state, venue_orders.trader_state.symbols[s]
    exits = venue_orders.exits
    if exits.rules[s] != rules and s in exits.told:
        for of, held in list_held(venue_orders):
            if of == symbol:
                held.renew()
    exits.rules[s] = rules
    exits.told.add(s)
    row = trader_state.book.symbols[s]
    row["tick"], row["lot"], row["min_notional"] = rules.tick, rules.lot, rules.min_notional


def list_held(venue_orders: VenueOrders) -> list[tuple[str, HeldExit]]:
    """Every exit that is held, with its symbol."""
    trader_state = venue_orders.trader_state
    found = []
    for number, held in venue_orders.held.items():
        row = trader_state.row_of(number)
        if row is not None:
            found.append((trader_state.symbols[trader_state.book.working[row]["symbol"]], held))
    lots = trader_state.lots() if venue_orders.exits.held else ()
    symbols = {int(lot["id"]): trader_state.symbols[lot["symbol"]] for lot in lots}
    return found + [(symbols[lot], held) for lot, held in venue_orders.exits.held.items() if lot in symbols]


def find_held(venue_orders: VenueOrders, number: int) -> HeldExit | None:
    """How the exit of that number was refused before, if it was."""
    resting = venue_orders.sent.get(number) or venue_orders.exits.unsent.get(number)
    return venue_orders.held.get(number) or (venue_orders.exits.held.get(resting.lot) if resting is not None else None)


def list_blocked(venue_orders: VenueOrders) -> dict[str, BlockedExit]:
    """Of each symbol whose exit is blocked, one."""
    return {
        symbol: BlockedExit(symbol, held.code, held.cause or UNTOLD)
        for symbol, held in reversed(list_held(venue_orders))
        if held.blocked
    }
