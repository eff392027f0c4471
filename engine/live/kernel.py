"""The compiled parts of the live driver: the simulator's own steps, called from Python one at a time.

A trader's arrays of candles are two columns wide, for the candle before (t - 1) and the one at hand (t); `present_book` shifts them
to where the kernel's functions look for them. So these work as they are, time is counted without end, and a bot's memory does not
grow. Both columns hold what is known last: `mark` the close before at the open, and the candle's own once it has closed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from engine.book import (
    BUY,
    CANDLE_FIELDS,
    FILLED,
    MARKET,
    OK,
    OVER,
    SELL,
    UNSIZED,
    KernelBook,
    KernelFill,
    borrow_arrays,
    has_candle,
    inline_kernel,
    mark_equity,
    market_terms,
    new_order,
    open_array,
)
from engine.entries import size_market_entry
from engine.exits import raise_highest, stop_level, take_level
from engine.layout import IntentTable
from engine.lots import WHOLE, Origin, add_to_lot, claim_lots, drop_sold, lot_to_join, open_lot, queued_lots, sell_part
from engine.matching import dearest_price, round_down, round_lot, round_up
from engine.orders import drop_over, finish_order, queue_order, release_cash
from engine.rebalance import forget_target, next_target, queue_purchase, queue_sales
from engine.simulator import apply_intents, end_run, grow_old, run_inside, run_open
from engine.types import Floats

COMPILED: dict[str, Any] = {"cache": True, "error_model": "numpy"}


def _present_book(typing: Any, book: Any, t: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds, structs = signature.return_type, []
        for i, (name, kind) in enumerate(zip(kinds.fields, kinds.types, strict=True)):
            struct = open_array(context, builder, kind, builder.extract_value(arguments[0], i))
            if name in CANDLE_FIELDS:
                one = arguments[1].type(1)
                struct.data = builder.gep(struct.data, [builder.sub(one, arguments[1])])
            structs.append(struct)
        return context.make_tuple(builder, kinds, [struct._getvalue() for struct in structs])

    return book(book, types.int64), codegen


present_book: Any = intrinsic(_present_book)
"""`present_book(book, t)`: the book as the kernel's functions read it at candle `t`, without reference counts.

Its arrays of candles begin `t - 1` elements before their buffers. A buffer is (symbols, 2) and contiguous, so element (s, u) of the
shifted array, at 2 s + u from its beginning, lies at 2 s + 1 + (u - t) of the buffer: for u = t that is (s, 1), for u = t - 1 it is
(s, 0), and for any other u it would be another symbol's or nobody's. No function of the kernel looks at another u, nor at t - 1 in
the first candle. tests/engine/test_kernel_bounds.py proves it: it drives traders of one symbol, whose buffers lie between pages
that nobody may touch, and shows that a read of t - 2 or t + 1 there ends the process."""


@inline_kernel
def has_room(book: KernelBook) -> bool:
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
def step_open(managed: KernelBook, t: int, buying: bool) -> bool:
    """Steps 1 and 2. False: the tables are too short, and nothing was done."""
    book = present_book(managed, t)
    if not has_room(book):
        return False
    run_open(book, t, buying)
    return True


@njit(**COMPILED)
def step_inside(managed: KernelBook, t: int) -> bool:
    """Steps 3 and 4, where the kernel itself matches orders. False: as in `step_open`."""
    book = present_book(managed, t)
    if not has_room(book):
        return False
    run_inside(book, t)
    return True


@njit(**COMPILED)
def step_close(managed: KernelBook, table: IntentTable, t: int) -> bool:
    """Step 5. False: as in `step_open`."""
    book, intents = present_book(managed, t), borrow_arrays(table)
    if not has_room(book):
        return False
    grow_old(book, t)
    book.state[0].equity = mark_equity(book, t)
    apply_intents(book, intents, t)
    if book.setup[0].trailing > 0.0:
        raise_highest(book, t)
    if book.state[0].working > 0:
        drop_over(book)
    return True


@njit(**COMPILED)
def sell_everything(managed: KernelBook, t: int, reason: int) -> bool:
    """Cancel what waits and sell what is held, at the marks. False: as in `step_open`."""
    book = present_book(managed, t)
    if not has_room(book):
        return False
    end_run(book, t, reason)
    book.state[0].equity = mark_equity(book, t)
    drop_over(book)
    return True


@njit(**COMPILED)
def end_order(managed: KernelBook, row: int, t: int, status: int, refusal: int) -> None:
    """End the order that waits in `row`; lots that were queued for it are free again."""
    book = present_book(managed, t)
    order = book.working[row].order
    for i in range(book.state[0].lots):
        if book.lots[i].exit == order:
            book.lots[i].exit = -1
    finish_order(book, row, t, status, refusal)
    drop_over(book)


# For orders that a venue executes: the same decisions without the matching, and its reports.
@njit(**COMPILED)
def queue_target_sales(managed: KernelBook, t: int) -> bool:
    """Step 1 for targets: their sales wait, unsold. False: as in `step_open`."""
    book = present_book(managed, t)
    if not has_room(book):
        return False
    queue_sales(book, t)
    return True


@inline_kernel
def hold_cash(book: KernelBook, row: int, s: int, t: int) -> None:
    """Set aside the most that a market purchase may cost."""
    unit = dearest_price(book, s, book.open[s, t]) * (1.0 + book.setup[0].taker)
    release_cash(book, row, -book.working[row].left * unit)


@njit(**COMPILED)
def size_entries(managed: KernelBook, t: int) -> bool:
    """Step 2 without fills: queued entries, then targets, get their quantity, and cash is held. False: as in `step_open`."""
    book = present_book(managed, t)
    if not has_room(book):
        return False
    for row in range(book.state[0].working):
        w = book.working[row]
        if w.order == OVER or w.side != BUY or w.kind != MARKET or w.left != UNSIZED or not has_candle(book, w.symbol, t):
            continue
        if size_market_entry(book, row, w.symbol, t):
            hold_cash(book, row, w.symbol, t)
    s = next_target(book, t, -1, -1)
    while s >= 0:
        row = queue_purchase(book, s, t)
        if row >= 0:
            hold_cash(book, row, s, t)
        s = next_target(book, t, forget_target(book, s), s)
    drop_over(book)
    return True


@njit(**COMPILED)
def queue_exit(managed: KernelBook, s: int, lot_row: int, t: int, reason: int) -> bool:
    """A market exit of one lot, or (`lot_row` -1) of all that the symbol has and are not queued. False: as in `step_open`."""
    book = present_book(managed, t)
    if not has_room(book):
        return False
    terms = market_terms(s, SELL, reason, t)
    order = new_order(book, terms, 0.0)
    if lot_row >= 0:
        book.lots[lot_row].exit = order
        book.orders[order].quantity = book.lots[lot_row].quantity
    else:
        book.orders[order].quantity = claim_lots(book, order, queued_lots(s, -1))
    queue_order(book, order, terms, np.inf)
    return True


class PurchaseReport(NamedTuple):
    """A venue's report of a purchase. `row`: the order's among those that wait, -1 if it does no more; `received`: base that came
    in, less than `quantity` where `fee_base` was kept of it; `inside`: whether it was inside the candle; `rung` and `take` as in
    `Origin`."""

    symbol: int
    row: int
    price: float
    quantity: float
    received: float
    fee: float
    fee_base: float
    inside: bool
    reason: int
    rung: int
    take: float


class SaleReport(NamedTuple):
    """A venue's report of a sale. Its order's lots are those queued for `exit_order`, or `lot_id` where that is not -1."""

    symbol: int
    price: float
    quantity: float
    fee: float
    reason: int
    exit_order: int
    lot_id: int


@njit(**COMPILED)
def apply_purchase(managed: KernelBook, report: PurchaseReport, t: int) -> None:
    """Pay for what a venue bought, and put it into a lot."""
    book = present_book(managed, t)
    row, price, quantity, fee = report.row, report.price, report.quantity, report.fee
    order = -2  # of no lot
    book.state[0].cash -= quantity * price + fee
    if row >= 0:
        w = book.working[row]
        order = w.order
        release_cash(book, row, w.held * min(1.0, quantity / w.left))
        w.got += quantity
        w.left = max(0.0, w.left - quantity)
    lot_row = lot_to_join(book, report.symbol, order, report.rung)
    if lot_row < 0:
        lot_row = open_lot(book, report.symbol, t, Origin(max(order, -1), report.reason, report.rung, report.take))
        book.lots[lot_row].born_inside = False
    add_to_lot(book, lot_row, KernelFill(t, price, report.received, fee + report.fee_base * price, 0.0, False), report.inside)
    if row >= 0 and book.working[row].left <= book.working[row].got * WHOLE:
        finish_order(book, row, t, FILLED, OK)
    drop_over(book)


@inline_kernel
def is_of_order(book: KernelBook, row: int, report: SaleReport) -> bool:
    lot = book.lots[row]
    return bool(lot.id == report.lot_id) if report.lot_id >= 0 else bool(lot.exit == report.exit_order)


@inline_kernel
def drop_crumbs(book: KernelBook, s: int) -> float:
    """Take the rest of lots that is too small to be sold out of the symbol's lots. Returns its quantity."""
    crumbs = 0.0
    for row in range(book.state[0].lots):
        lot = book.lots[row]
        if lot.symbol == s and lot.quantity > 0.0 and round_lot(book, s, lot.quantity) <= 0.0:
            crumbs += lot.quantity
            book.symbols[s].position -= lot.quantity
            lot.quantity = 0.0
    return crumbs


@njit(**COMPILED)
def apply_sale(managed: KernelBook, report: SaleReport, t: int) -> float:
    """Sell what a venue sold. Its order's lots pay first, then any, oldest first.

    Returns what becomes crumbs: the rest of lots that is too small to be sold, and is no lot any more, less what no lot paid."""
    book = present_book(managed, t)
    s, quantity = report.symbol, report.quantity
    fill = KernelFill(t, report.price, quantity, report.fee, 0.0, False)
    book.state[0].cash += quantity * report.price - report.fee
    left = quantity
    for turn in range(2):
        for row in range(book.state[0].lots):
            held = book.lots[row].quantity
            if left <= 0.0 or book.lots[row].symbol != s or held <= 0.0:
                continue
            if turn == 0 and not is_of_order(book, row, report):
                continue
            part = held if left >= held * (1.0 - WHOLE) else left
            sell_part(book, row, fill, part, report.reason)
            book.symbols[s].position -= part
            left = left - part if left - part > quantity * WHOLE else 0.0
    crumbs = drop_crumbs(book, s)
    drop_sold(book, s)
    return crumbs - left


@njit(**COMPILED)
def drop_lots(managed: KernelBook, s: int, t: int) -> None:
    """What the symbol holds is in no lot any more."""
    book = present_book(managed, t)
    for row in range(book.state[0].lots):
        if book.lots[row].symbol == s:
            book.lots[row].quantity = 0.0
    drop_sold(book, s)


@njit(**COMPILED)
def write_levels(managed: KernelBook, t: int, levels: Floats) -> None:
    """Stop level, its reason and take-profit level of each lot, as rows of `levels`."""
    book = present_book(managed, t)
    for row in range(book.state[0].lots):
        level, reason = stop_level(book, row)
        levels[row, 0] = level
        levels[row, 1] = reason
        levels[row, 2] = take_level(book, row)


@njit(**COMPILED)
def round_to_step(value: float, step: float, up: bool) -> float:
    """To whole steps, as the kernel rounds."""
    return round_up(value, step) if up else round_down(value, step)
