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
    Book,
    called,
    close_order,
    inlined,
)


@inlined
def wait(book: Book, order: int, s: int, side: int, kind: int, limit: float, stop: float, left: float, t: int, reason: int) -> int:
    """Put an order among those that wait. Returns its row."""
    row = book.state[0].working
    book.state[0].working += 1
    w = book.working[row]
    w.order = order
    w.symbol = s
    w.side = side
    w.kind = kind
    w.limit = limit
    w.stop = stop
    w.left = left
    w.weight = 1.0
    w.placed = t
    w.fresh = 1
    w.triggered_at = -1
    w.held = 0.0
    w.reason = reason
    w.rung = -1
    w.got = 0.0
    w.take = 0.0
    book.state[0].resting += kind != MARKET
    return int(row)


@inlined
def release(book: Book, row: int, amount: float) -> None:
    """Give back cash that was held for the order."""
    w = book.working[row]
    w.held -= amount
    book.state[0].held -= amount
    book.symbols[w.symbol].held -= amount


@inlined
def finish(book: Book, row: int, t: int, status: int, refusal: int) -> None:
    w = book.working[row]
    close_order(book, w.order, t, status, refusal)
    release(book, row, w.held)
    if w.rung >= 0:
        book.rungs[w.rung].order = -1
    book.state[0].resting -= w.kind != MARKET
    w.order = OVER


@inlined
def finish_short(book: Book, row: int, t: int, status: int, refusal: int) -> None:
    """End an order that can get no more: it counts as filled if it got anything."""
    if book.working[row].got > 0.0:
        finish(book, row, t, FILLED, OK)
    else:
        finish(book, row, t, status, refusal)


@inlined
def drop_over(book: Book) -> None:
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


@inlined
def waits(book: Book, row: int, s: int, side: int) -> bool:
    w = book.working[row]
    return bool(w.order != OVER and w.symbol == s and w.side == side)


@called
def cancel_entries(book: Book, s: int, t: int, resting_only: bool) -> None:
    for row in range(book.state[0].working):
        if waits(book, row, s, BUY) and not (resting_only and book.working[row].kind == MARKET):
            finish(book, row, t, CANCELLED, OK)


@called
def cancel_resting_exits(book: Book, s: int, t: int) -> None:
    for row in range(book.state[0].working):
        if waits(book, row, s, SELL) and book.working[row].kind != MARKET:
            finish(book, row, t, CANCELLED, OK)


@called
def cancel_rebalance(book: Book, s: int, t: int) -> None:
    for row in range(book.state[0].working):
        w = book.working[row]
        if w.order != OVER and w.symbol == s and w.reason == REBALANCE:
            finish(book, row, t, CANCELLED, OK)


@inlined
def has_entry(book: Book, s: int, queued_only: bool) -> bool:
    for row in range(book.state[0].working):
        if waits(book, row, s, BUY) and not (queued_only and book.working[row].kind != MARKET):
            return True
    return False


@inlined
def no_place_left(book: Book, s: int) -> bool:
    """Whether `max_open_positions` forbids one more symbol. A symbol that holds or waits to buy has its place."""
    return book.setup[0].max_open > 0 and book.symbols[s].lots == 0 and places_taken(book, s) >= book.setup[0].max_open


@called
def places_taken(book: Book, s: int) -> int:
    """By the other symbols; -1 where `s` has a place already."""
    if has_entry(book, s, False):
        return -1
    taken = 0
    for other in range(len(book.symbols)):
        if book.symbols[other].lots > 0 or has_entry(book, other, False):
            taken += 1
    return taken
