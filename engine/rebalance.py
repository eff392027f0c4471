"""Target weights: hold a share of equity. See docs/reference/fill-rules.md, step 5.4, "Target"."""

from __future__ import annotations

import numpy as np

from engine.book import (
    BUY,
    NO_CASH,
    OK,
    PROTECTION,
    REBALANCE,
    REFUSED,
    SELL,
    TOO_MANY,
    KernelBook,
    call_kernel,
    close_order,
    free_cash,
    has_candle,
    inline_kernel,
    market_terms,
    new_order,
)
from engine.entries import fill_entry, refuse_rest
from engine.lots import FillPrice, for_sale, queued_lots
from engine.matching import dearest_price, round_lot
from engine.orders import no_place_left, queue_order
from engine.sizing import quantity_for

LEAST_CHANGE = 0.01
"""Share of equity under which a difference is left alone, so that fees are not paid for noise."""


@inline_kernel
def wanted_value(book: KernelBook, s: int) -> float:
    weight = max(0.0, book.symbols[s].target)
    if book.setup[0].symbol_cap > 0.0:
        weight = min(weight, book.setup[0].symbol_cap)
    return weight * book.state[0].equity


@call_kernel
def queue_sale(book: KernelBook, s: int, t: int) -> None:
    """Step 1: a target below what is held sells the difference with the queued exits of this open."""
    opened, equity = book.open[s, t], book.state[0].equity
    wanted = wanted_value(book, s)
    excess = book.symbols[s].position * opened - wanted
    if wanted > 0.0 and not excess >= LEAST_CHANGE * equity:
        return
    available = for_sale(book, queued_lots(s, -1))
    quantity = available if wanted == 0.0 else min(available, round_lot(book, s, excess / opened))
    if quantity <= 0.0:
        return
    terms = market_terms(s, SELL, REBALANCE, book.symbols[s].target_at)
    queue_order(book, new_order(book, terms, quantity), terms, quantity)


@call_kernel
def queue_purchase(book: KernelBook, s: int, t: int) -> int:
    """Step 2: a target above what is held buys the difference with the queued entries of this open. Returns its row, or -1."""
    opened, equity, dust = book.open[s, t], book.state[0].equity, book.setup[0].dust
    wanted = wanted_value(book, s)
    short = wanted - book.symbols[s].position * opened
    if wanted == 0.0 or not short >= LEAST_CHANGE * equity:
        return -1
    free = free_cash(book)
    quantity, rest, refusal = 0.0, 0.0, OK
    if book.symbols[s].target_barred:
        refusal = PROTECTION
    elif no_place_left(book, s):
        refusal = TOO_MANY
    elif free <= dust:
        refusal = NO_CASH
    else:
        dearest = dearest_price(book, s, opened)
        quantity, rest, refusal = quantity_for(book, s, min(short, free), dearest, book.setup[0].taker, True)
    terms = market_terms(s, BUY, REBALANCE, book.symbols[s].target_at)
    order = new_order(book, terms, quantity)
    if refusal != OK:
        close_order(book, order, t, REFUSED, refusal)
        return -1
    row = queue_order(book, order, terms, quantity)
    if rest > 0.0:
        refuse_rest(book, market_terms(s, BUY, REBALANCE, t), rest)
    return row


@call_kernel
def next_target(book: KernelBook, t: int, decided: int, symbol: int) -> int:
    """The symbol whose target comes after `symbol`'s, decided at `decided`, in the order they were queued; -1 for none."""
    best = -1
    for s in range(len(book.symbols)):
        at = book.symbols[s].target_at
        later = at > decided or (at == decided and s > symbol)
        if at >= 0 and later and has_candle(book, s, t) and (best < 0 or at < book.symbols[best].target_at):
            best = s
    return best


@call_kernel
def queue_sales(book: KernelBook, t: int) -> None:
    s = next_target(book, t, -1, -1)
    while s >= 0:
        if book.symbols[s].lots > 0:
            queue_sale(book, s, t)
        s = next_target(book, t, book.symbols[s].target_at, s)


@inline_kernel
def forget_target(book: KernelBook, s: int) -> int:
    """Returns when it was decided."""
    decided = book.symbols[s].target_at
    book.symbols[s].target_at = -1
    book.state[0].targets -= 1
    return int(decided)


@call_kernel
def rebalance_purchases(book: KernelBook, t: int, buying: bool) -> None:
    s = next_target(book, t, -1, -1)
    while s >= 0:
        row = queue_purchase(book, s, t) if buying else -1
        if row >= 0:
            fill_entry(book, row, s, FillPrice(t, book.open[s, t], np.inf, False, False))
        decided = forget_target(book, s)
        s = next_target(book, t, decided, s)
