"""The compiled parts of the live driver: the simulator's own steps, entered from Python one at a time.

A trader's arrays of candles are two columns wide, for the candle before (t - 1) and the one at hand (t); `present` shifts them to
where the kernel's functions look for them. So these work as they are, time is counted without end, and a bot's memory does not
grow. Both columns hold what is known last: `mark` the close before at the open, and the candle's own once it has closed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from engine.book import (
    BUY,
    FILLED,
    MARKET,
    OK,
    OVER,
    SELL,
    UNSIZED,
    Book,
    borrowed,
    has_candle,
    inlined,
    mark_equity,
    new_order,
)
from engine.entries import size_market_entry
from engine.exits import raise_highest, stop_level, take_level
from engine.layout import Plan
from engine.lots import WHOLE, add_to_lot, claim_lots, close_part, drop_sold, lot_to_join, open_lot
from engine.matching import dearest_price, round_down, round_lot, round_up
from engine.orders import drop_over, finish, release, wait
from engine.rebalance import forget_target, next_target, queue_purchase, queue_sales
from engine.simulator import at_the_open, end, grow_old, inside, unmanaged_plan, wishes
from engine.types import Floats

COMPILED: dict[str, Any] = {"cache": True, "error_model": "numpy"}


def _shifted(typing: Any, array: Any, t: Any) -> Any:
    """The array, two columns wide, without its owner (see `book.borrowed`) and with `t` as the index of its second column."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        struct = context.make_array(signature.args[0])(context, builder, arguments[0])
        struct.meminfo = cgutils.get_null_value(struct.meminfo.type)
        struct.parent = cgutils.get_null_value(struct.parent.type)
        # Element (s, t) of two columns lies at 2 s + t: with the data begun t - 1 earlier it is (s, 1).
        struct.data = builder.gep(struct.data, [builder.sub(arguments[1].type(1), arguments[1])])
        return struct._getvalue()

    return array(array, types.int64), codegen


shifted: Any = intrinsic(_shifted)


@inlined
def present(book: Book, t: int) -> Book:
    """The book as the kernel's functions read it at candle `t`. None of them looks further back than the candle before."""
    return Book(
        borrowed(book.setup),
        borrowed(book.state),
        borrowed(book.symbols),
        borrowed(book.rungs),
        borrowed(book.lots),
        borrowed(book.working),
        borrowed(book.orders),
        borrowed(book.fills),
        borrowed(book.trades),
        borrowed(book.equity),
        shifted(book.open, t),
        shifted(book.high, t),
        shifted(book.low, t),
        shifted(book.close, t),
        shifted(book.volume, t),
        shifted(book.mark, t),
        shifted(book.size, t),
        shifted(book.ordinal, t),
    )


@inlined
def has_room(book: Book) -> bool:
    """Whether every table can take the most that one step can add."""
    state = book.state[0]
    most = 3 * (state.lots + state.working) + 2 * len(book.rungs) + 4 * len(book.symbols) + 8
    return bool(
        state.lots + most <= len(book.lots)
        and state.working + most <= len(book.working)
        and state.orders + most <= len(book.orders)
        and state.fills + most <= len(book.fills)
        and state.trades + most <= len(book.trades)
    )


@njit(**COMPILED)
def opening(managed: Book, t: int, buying: bool) -> bool:
    """Steps 1 and 2. False: the tables are too short, and nothing was done."""
    book = present(managed, t)
    if not has_room(book):
        return False
    at_the_open(book, t, buying)
    return True


@njit(**COMPILED)
def matching(managed: Book, t: int) -> bool:
    """Steps 3 and 4, where the kernel itself matches orders. False: as in `opening`."""
    book = present(managed, t)
    if not has_room(book):
        return False
    inside(book, t)
    return True


@njit(**COMPILED)
def closing(managed: Book, schedule: Plan, t: int) -> bool:
    """Step 5. False: as in `opening`."""
    book, plan = present(managed, t), unmanaged_plan(schedule)
    if not has_room(book):
        return False
    grow_old(book, t)
    book.state[0].equity = mark_equity(book, t)
    wishes(book, plan, t)
    if book.setup[0].trailing > 0.0:
        raise_highest(book, t)
    if book.state[0].working > 0:
        drop_over(book)
    return True


@njit(**COMPILED)
def selling_out(managed: Book, t: int, reason: int) -> bool:
    """Cancel what waits and sell what is held, at the marks. False: as in `opening`."""
    book = present(managed, t)
    if not has_room(book):
        return False
    end(book, t, reason)
    book.state[0].equity = mark_equity(book, t)
    drop_over(book)
    return True


@njit(**COMPILED)
def ending(managed: Book, row: int, t: int, status: int, refusal: int) -> None:
    """End the order that waits in `row`; lots that were queued for it are free again."""
    book = present(managed, t)
    order = book.working[row].order
    for i in range(book.state[0].lots):
        if book.lots[i].exit == order:
            book.lots[i].exit = -1
    finish(book, row, t, status, refusal)
    drop_over(book)


# For orders that a venue executes: the same decisions without the matching, and its reports.
@njit(**COMPILED)
def selling(managed: Book, t: int) -> bool:
    """Step 1 for targets: their sales wait, unsold. False: as in `opening`."""
    book = present(managed, t)
    if not has_room(book):
        return False
    queue_sales(book, t)
    return True


@inlined
def hold(book: Book, row: int, s: int, t: int) -> None:
    """Set aside the most that a market purchase may cost."""
    unit = dearest_price(book, s, book.open[s, t]) * (1.0 + book.setup[0].taker)
    release(book, row, -book.working[row].left * unit)


@njit(**COMPILED)
def sizing(managed: Book, t: int) -> bool:
    """Step 2 without fills: queued entries, then targets, get their quantity, and cash is held. False: as in `opening`."""
    book = present(managed, t)
    if not has_room(book):
        return False
    for row in range(book.state[0].working):
        w = book.working[row]
        if w.order == OVER or w.side != BUY or w.kind != MARKET or w.left != UNSIZED or not has_candle(book, w.symbol, t):
            continue
        if size_market_entry(book, row, w.symbol, t):
            hold(book, row, w.symbol, t)
    s = next_target(book, t, -1, -1)
    while s >= 0:
        row = queue_purchase(book, s, t)
        if row >= 0:
            hold(book, row, s, t)
        s = next_target(book, t, forget_target(book, s), s)
    drop_over(book)
    return True


@njit(**COMPILED)
def exiting(managed: Book, s: int, lot_row: int, t: int, reason: int) -> bool:
    """A market exit of one lot, or (`lot_row` -1) of all that the symbol has and are not queued. False: as in `opening`."""
    book = present(managed, t)
    if not has_room(book):
        return False
    order = new_order(book, s, SELL, MARKET, reason, t, np.nan, np.nan, 0.0)
    if lot_row >= 0:
        book.lots[lot_row].exit = order
        book.orders[order].quantity = book.lots[lot_row].quantity
    else:
        book.orders[order].quantity = claim_lots(book, s, order, -1)
    wait(book, order, s, SELL, MARKET, np.nan, np.nan, np.inf, t, reason)
    return True


@njit(**COMPILED)
def bought(
    managed: Book,
    s: int,
    t: int,
    row: int,
    price: float,
    quantity: float,
    received: float,
    fee: float,
    fee_base: float,
    inside_candle: bool,
    reason: int,
    rung: int,
    take: float,
) -> None:
    """A venue's report of a purchase. `row`: the order's among those that wait, -1 if it does no more; `received`: base that came
    in, less than `quantity` where `fee_base` was kept of it."""
    book = present(managed, t)
    order = -2  # of no lot
    book.state[0].cash -= quantity * price + fee
    if row >= 0:
        w = book.working[row]
        order = w.order
        release(book, row, w.held * min(1.0, quantity / w.left))
        w.got += quantity
        w.left = max(0.0, w.left - quantity)
    lot_row = lot_to_join(book, s, order, rung)
    if lot_row < 0:
        lot_row = open_lot(book, s, t, max(order, -1), take, rung, reason)
        book.lots[lot_row].born_inside = False
    add_to_lot(book, lot_row, t, price, received, fee + fee_base * price, 0.0, inside_candle)
    if row >= 0 and book.working[row].left <= book.working[row].got * WHOLE:
        finish(book, row, t, FILLED, OK)
    drop_over(book)


@inlined
def is_of_order(book: Book, row: int, exit_order: int, lot_id: int) -> bool:
    lot = book.lots[row]
    return bool(lot.id == lot_id) if lot_id >= 0 else bool(lot.exit == exit_order)


@njit(**COMPILED)
def sold(
    managed: Book, s: int, t: int, price: float, quantity: float, fee: float, reason: int, exit_order: int, lot_id: int
) -> float:
    """A venue's report of a sale. Its order's lots (those queued for `exit_order`, or `lot_id`) pay first, then any, oldest first.
    Returns what becomes crumbs: the rest of lots that is too small to be sold, and is no lot any more, less what no lot paid."""
    book = present(managed, t)
    book.state[0].cash += quantity * price - fee
    left = quantity
    for turn in range(2):
        for row in range(book.state[0].lots):
            held = book.lots[row].quantity
            if left <= 0.0 or book.lots[row].symbol != s or held <= 0.0:
                continue
            if turn == 0 and not is_of_order(book, row, exit_order, lot_id):
                continue
            part = held if left >= held * (1.0 - WHOLE) else left
            close_part(book, row, t, price, part, fee * part / quantity, 0.0, reason)
            book.symbols[s].position -= part
            left = left - part if left - part > quantity * WHOLE else 0.0
    crumbs = 0.0
    for row in range(book.state[0].lots):
        lot = book.lots[row]
        if lot.symbol == s and lot.quantity > 0.0 and round_lot(book, s, lot.quantity) <= 0.0:
            crumbs += lot.quantity
            book.symbols[s].position -= lot.quantity
            lot.quantity = 0.0
    drop_sold(book, s)
    return crumbs - left


@njit(**COMPILED)
def protection(managed: Book, t: int, levels: Floats) -> None:
    """Stop level, its reason and take-profit level of each lot, as rows of `levels`."""
    book = present(managed, t)
    for row in range(book.state[0].lots):
        level, reason = stop_level(book, row)
        levels[row, 0] = level
        levels[row, 1] = reason
        levels[row, 2] = take_level(book, row)


@njit(**COMPILED)
def rounded(value: float, step: float, up: bool) -> float:
    """To whole steps, as the kernel rounds."""
    return round_up(value, step) if up else round_down(value, step)
