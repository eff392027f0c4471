"""What becomes of orders that we refused, or that the venue did not take: see `held_orders` for when they are tried again."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from engine import order_rules
from engine.book import CANCELLED, REFUSED, SELL
from engine.layout import write_maxima
from engine.live import kernel
from engine.live.held_orders import ENTRY, HOUR, LONGEST, HeldOrder, find_next_try, hold_order, name_tries
from engine.live.trader_state import TraderState
from engine.live.types import BlockedOrder, Refusal, Step
from engine.live.venue_order import VenueOrder
from engine.live.venue_orders import RESTING, VenueOrders, find_kind, kind_of
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


def hold_exit(venue_orders: VenueOrders, row: int, refusal: Refusal, venue_order: VenueOrder | None) -> None:
    """The exit in `row` was refused, or ended unsold: a new order in its place waits for its time. `venue_order`: it as it went
    out, if it did."""
    before = venue_orders.held.pop(venue_orders.number_of(row), None)
    number = renumber_order(venue_orders.trader_state, row)
    of = name_tries(find_kind(venue_orders, number), refusal.kind)
    venue_orders.held[number] = venue_orders.tries.last[of] = hold_again(venue_orders, of, before, refusal, venue_order)


def hold_again(
    venue_orders: VenueOrders, of: tuple[int, str], before: HeldOrder | None, refusal: Refusal, venue_order: VenueOrder | None
) -> HeldOrder:
    """As `hold_order`, from the start where the venue had taken some of the order. That it is a try is counted once."""
    now = refusal.time or venue_orders.clock
    held = hold_order(None if venue_order and venue_order.got > 0.0 else before, refusal, now)
    if held.lasting and not (venue_order and venue_order.counted):
        venue_orders.tries.note(of, now)
    return held


def renumber_order(trader_state: TraderState, row: int) -> int:
    """The order in `row` is to go out anew, as another one."""
    order = int(trader_state.book.working[row]["order"])
    trader_state.numbers[order] = number = trader_state.take_number()
    trader_state.announced[order] = False
    return number


def hold_resting(venue_orders: VenueOrders, venue_order: VenueOrder, refusal: Refusal) -> None:
    """An exit that should rest at the venue does not: it is watched here until it is tried again."""
    exits, of = venue_orders.exits, name_tries((venue_orders.place_of(venue_order), RESTING), refusal.kind)
    held = hold_again(venue_orders, of, exits.held.get(venue_order.lot), refusal, venue_order)
    exits.held[venue_order.lot] = venue_orders.tries.last[of] = held


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
        hold_exit(venue_orders, row, refusal, venue_order)
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
    """The venue has taken the order. One that others cancel has to stand there for a while, or be filled."""
    s, resting = venue_orders.place_of(venue_order), venue_orders.exits.held
    if venue_order.buys:
        venue_orders.held_entries.pop(s, None)
        venue_orders.tries.forget((s, ENTRY))
        return
    for held, key in ((venue_orders.held, number), (resting, venue_order.lot)):
        if key in held and (venue_order.got > 0.0 or not held[key].outside):
            del held[key]
    venue_orders.tries.forget((s, kind_of(venue_order)))


def forget_stood(venue_orders: VenueOrders) -> None:
    """The cancellings by others after which the order has stood for an hour."""
    for held in (venue_orders.held, venue_orders.exits.held):
        for key in [key for key, one in held.items() if one.outside and venue_orders.clock - one.until > HOUR]:
            del held[key]


def retry_exits(venue_orders: VenueOrders, changed: Collection[str]) -> Step:
    """Exits that were refused go out again if it is their time; in symbols where something has `changed`, perhaps at once."""
    for of, held in list_held(venue_orders):
        if venue_orders.trader_state.symbols[of[0]] in changed and venue_orders.tries.may_hasten(of, held, venue_orders.clock):
            held.until = min(held.until, venue_orders.clock)
    forget_stood(venue_orders)
    venue_orders.make_exits_due(range(len(venue_orders.trader_state.symbols)))
    return venue_orders.settle()


def take_rules(venue_orders: VenueOrders, s: int, rules: Rules) -> None:
    """The venue's rules of a symbol as they are now. What it refused by others is tried at the next price: not where these are the
    first ones, after the bot was loaded."""
    exits = venue_orders.exits
    if exits.rules[s] != rules and s in exits.told:
        for of, held in list_held(venue_orders):
            held.until = 0 if of[0] == s else held.until
        venue_orders.held_entries.pop(s, None)
        venue_orders.tries.forget_symbol(s)
    exits.rules[s] = rules
    exits.told.add(s)
    book = venue_orders.trader_state.book
    row = book.symbols[s]
    row["tick"], row["lot"], row["min_notional"] = rules.tick, rules.lot, rules.min_notional
    write_maxima(book.maxima[s], rules)


def hold_entry(venue_orders: VenueOrders, venue_order: VenueOrder, refusal: Refusal) -> None:
    """The venue has refused a purchase: the next ones wait for their time."""
    s = venue_orders.place_of(venue_order)
    before = venue_orders.held_entries.get(s)
    venue_orders.held_entries[s] = hold_again(venue_orders, (s, ENTRY), before, refusal, venue_order)


def try_entry(venue_orders: VenueOrders, number: int) -> HeldOrder | None:
    """Why the purchase of that number, which is about to go out, has to wait; None: it may be tried, and the next one of its symbol
    waits until more is known of it."""
    venue_order = venue_orders.sent[number]
    s, now = venue_orders.place_of(venue_order), venue_orders.clock
    if (held := venue_orders.held_entries.get(s)) is None:
        return None
    if not venue_orders.tries.may_go((s, ENTRY), held, now):
        return held
    venue_order.counted = held.lasting or venue_orders.tries.count((s, ENTRY), now) > 0
    if venue_order.counted:
        venue_orders.tries.note((s, ENTRY), now)
    held.until = find_next_try(held.kind, held.count, now)
    return None


def put_clock(venue_orders: VenueOrders, now: int) -> None:
    """By our own clock, which a person or a time server may put back: nothing waits for what it said before."""
    if now < venue_orders.clock:
        venue_orders.tries.forget_future(now)
        for held in (*venue_orders.held.values(), *venue_orders.exits.held.values(), *venue_orders.held_entries.values()):
            held.until = min(held.until, now + LONGEST)
    venue_orders.clock = now


def find_market_holds(venue_orders: VenueOrders) -> dict[int, HeldOrder]:
    """How the market exits were refused that wait to be tried again, by the symbol's number."""
    return {of[0]: held for of, held in list_held(venue_orders) if of[1] == "market"}


def list_held(venue_orders: VenueOrders) -> list[tuple[tuple[int, str], HeldOrder]]:
    """Every exit that is held, with its symbol's number and its kind."""
    trader_state = venue_orders.trader_state
    found = [(find_kind(venue_orders, n), held) for n, held in venue_orders.held.items() if trader_state.row_of(n) is not None]
    lots = trader_state.lots() if venue_orders.exits.held else ()
    places = {int(lot["id"]): int(lot["symbol"]) for lot in lots}
    return found + [((places[lot], RESTING), held) for lot, held in venue_orders.exits.held.items() if lot in places]


def list_blocked(venue_orders: VenueOrders) -> dict[str, BlockedOrder]:
    """Of each symbol whose exit is blocked, one."""
    found = reversed(list_held(venue_orders))
    return tell_blocked(venue_orders, {of[0]: held for of, held in found if held.blocked})


def list_blocked_entries(venue_orders: VenueOrders) -> dict[str, BlockedOrder]:
    return tell_blocked(venue_orders, {s: held for s, held in [*venue_orders.held_entries.items()] if held.blocked})


def tell_blocked(venue_orders: VenueOrders, held: Mapping[int, HeldOrder]) -> dict[str, BlockedOrder]:
    symbols, now = venue_orders.trader_state.symbols, venue_orders.clock
    return {
        symbols[s]: BlockedOrder(
            symbols[s], one.code, one.cause or UNTOLD, one.count if one.outside else 0, one.until if one.until > now else 0
        )
        for s, one in held.items()
    }
