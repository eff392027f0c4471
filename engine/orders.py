"""Orders that wait: queued for the next open, or resting at a price."""

from __future__ import annotations

from engine.book import (
    BUY,
    CANCELLED,
    FILLED,
    MARKET,
    OK,
    OVER,
    REBALANCE,
    SELL,
    KernelBook,
    Terms,
    call_kernel,
    close_order,
    inline_kernel,
)


@inline_kernel
def queue_order(book: KernelBook, order: int, terms: Terms, left: float) -> int:
    """Put an order among those that wait; `left` is what it has still to get. Returns its row."""
    row = book.state[0].working
    book.state[0].working += 1
    w = book.working[row]
    w.order = order
    w.symbol = terms.symbol
    w.side = terms.side
    w.kind = terms.kind
    w.limit = terms.limit
    w.stop = terms.stop
    w.left = left
    w.weight = 1.0
    w.placed = terms.t
    w.fresh = 1
    w.triggered_at = -1
    w.held = 0.0
    w.reason = terms.reason
    w.rung = -1
    w.got = 0.0
    w.take = 0.0
    book.state[0].resting += terms.kind != MARKET
    return int(row)


@inline_kernel
def release_cash(book: KernelBook, row: int, amount: float) -> None:
    """Give back cash that was held for the order."""
    w = book.working[row]
    w.held -= amount
    book.state[0].held -= amount
    book.symbols[w.symbol].held -= amount


@inline_kernel
def finish_order(book: KernelBook, row: int, t: int, status: int, refusal: int) -> None:
    w = book.working[row]
    close_order(book, w.order, t, status, refusal)
    release_cash(book, row, w.held)
    if w.rung >= 0:
        book.rungs[w.rung].order = -1
    book.state[0].resting -= w.kind != MARKET
    w.order = OVER


@inline_kernel
def finish_short(book: KernelBook, row: int, t: int, status: int, refusal: int) -> None:
    """End an order that can get no more: it counts as filled if it got anything."""
    if book.working[row].got > 0.0:
        finish_order(book, row, t, FILLED, OK)
    else:
        finish_order(book, row, t, status, refusal)


@inline_kernel
def drop_over(book: KernelBook) -> None:
    """Close the ranks of the orders that still wait; what they hold is summed afresh, so that no rounding noise stays."""
    kept = 0
    book.state[0].held = 0.0
    for s in range(len(book.symbols)):
        book.symbols[s].held = 0.0
    for row in range(book.state[0].working):
        w = book.working[row]
        if w.order == OVER:
            continue
        book.state[0].held += w.held
        book.symbols[w.symbol].held += w.held
        if kept != row:
            book.working[kept] = w
        kept += 1
    book.state[0].working = kept


@inline_kernel
def is_waiting(book: KernelBook, row: int, s: int, side: int) -> bool:
    w = book.working[row]
    return bool(w.order != OVER and w.symbol == s and w.side == side)


@call_kernel
def cancel_entries(book: KernelBook, s: int, t: int, resting_only: bool) -> None:
    for row in range(book.state[0].working):
        if is_waiting(book, row, s, BUY) and not (resting_only and book.working[row].kind == MARKET):
            finish_order(book, row, t, CANCELLED, OK)


@call_kernel
def cancel_resting_exits(book: KernelBook, s: int, t: int) -> None:
    for row in range(book.state[0].working):
        if is_waiting(book, row, s, SELL) and book.working[row].kind != MARKET:
            finish_order(book, row, t, CANCELLED, OK)


@call_kernel
def cancel_rebalance(book: KernelBook, s: int, t: int) -> None:
    for row in range(book.state[0].working):
        w = book.working[row]
        if w.order != OVER and w.symbol == s and w.reason == REBALANCE:
            finish_order(book, row, t, CANCELLED, OK)


@inline_kernel
def has_entry(book: KernelBook, s: int, queued_only: bool) -> bool:
    for row in range(book.state[0].working):
        if is_waiting(book, row, s, BUY) and not (queued_only and book.working[row].kind != MARKET):
            return True
    return False


@inline_kernel
def no_place_left(book: KernelBook, s: int) -> bool:
    """Whether `max_open_positions` forbids one more symbol. A symbol that holds or waits to buy has its place."""
    return book.setup[0].max_open > 0 and book.symbols[s].lots == 0 and places_taken(book, s) >= book.setup[0].max_open


@call_kernel
def places_taken(book: KernelBook, s: int) -> int:
    """By the other symbols; -1 where `s` has a place already."""
    if has_entry(book, s, False):
        return -1
    taken = 0
    for other in range(len(book.symbols)):
        if book.symbols[other].lots > 0 or has_entry(book, other, False):
            taken += 1
    return taken
