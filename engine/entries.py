"""Purchases: at the open, at a price, and as signals and ladders ask for them. See docs/reference/fill-rules.md, steps 2, 3, 5."""

from __future__ import annotations

import math

import numpy as np

from engine.book import (
    ABOVE_MAXIMUM,
    BAD_PRICE,
    BUY,
    ENTRY_SIGNAL,
    EXPIRED,
    FILLED,
    LADDER,
    LIMIT,
    MARKET,
    NO_CASH,
    OK,
    OVER,
    PROTECTION,
    REFUSED,
    SEPARATE,
    SINGLE,
    STOP,
    STOP_LIMIT,
    TOO_MANY,
    UNSIZED,
    KernelBook,
    Terms,
    call_kernel,
    close_order,
    free_cash,
    has_candle,
    inline_kernel,
    market_terms,
    new_order,
    ordinal_at,
)
from engine.lots import FillPrice, Origin, buy_lot
from engine.matching import dearest_price, round_down, round_lot, round_up, subtract_part, within_volume
from engine.orders import cancel_entries, finish_order, finish_short, has_entry, no_place_left, queue_order, release_cash
from engine.protections import is_barred
from engine.sizing import VOLATILITY, amount_to_spend, quantity_for, size_share

WHOLE = 1e-12


@inline_kernel
def fill_entry(book: KernelBook, row: int, s: int, fill_price: FillPrice) -> None:
    """Fill what cash and volume allow of a waiting entry; end it when nothing is left to get."""
    w, setup, t, raw = book.working[row], book.setup[0], fill_price.t, fill_price.raw
    dearest = raw if fill_price.maker else min(dearest_price(book, s, raw), fill_price.bound)
    unit = dearest * (1.0 + (setup.maker if fill_price.maker else setup.taker))
    affordable = w.held + free_cash(book)
    if w.left * unit > affordable + setup.dust:
        w.left = round_lot(book, s, affordable / unit) if affordable > setup.dust else 0.0
        if w.left <= 0.0:
            finish_short(book, row, t, REFUSED, NO_CASH)
            return
    quantity = within_volume(book, s, t, w.left)
    if quantity <= 0.0:
        return
    release_cash(book, row, w.held * quantity / w.left)
    buy_lot(book, s, fill_price, quantity, Origin(w.order, w.reason, w.rung, w.take))
    w.got += quantity
    w.left = subtract_part(w.left, quantity, book.symbols[s].lot)
    if w.left <= w.got * WHOLE:
        finish_order(book, row, t, FILLED, OK)


@call_kernel
def refuse_rest(book: KernelBook, terms: Terms, quantity: float) -> None:
    """Tell what an entry does not ask for, since it is above the instrument's maxima."""
    close_order(book, new_order(book, terms, quantity), terms.t, REFUSED, ABOVE_MAXIMUM)


@inline_kernel
def size_market_entry(book: KernelBook, row: int, s: int, t: int) -> bool:
    """Fix the quantity of a queued entry at the open; False where it ended refused."""
    w = book.working[row]
    amount, refusal = amount_to_spend(book, s, w.share, t - 1, w.weight, False)
    quantity, rest = 0.0, 0.0
    if refusal == OK:
        dearest = dearest_price(book, s, book.open[s, t])
        quantity, rest, refusal = quantity_for(book, s, amount, dearest, book.setup[0].taker, True)
    if refusal != OK:
        finish_order(book, row, t, REFUSED, refusal)
        return False
    w.left = quantity
    book.orders[w.order].quantity = quantity
    if rest > 0.0:
        refuse_rest(book, market_terms(s, BUY, w.reason, t), rest)
    return True


@inline_kernel
def market_entries(book: KernelBook, t: int) -> None:
    """Step 2: queued entries at the open, in the order they were queued."""
    for row in range(book.state[0].working):
        w = book.working[row]
        if w.order == OVER or w.side != BUY or w.kind != MARKET or not has_candle(book, w.symbol, t):
            continue
        s = w.symbol
        if w.left != UNSIZED or size_market_entry(book, row, s, t):
            fill_entry(book, row, s, FillPrice(t, book.open[s, t], np.inf, False, False))


@inline_kernel
def resting_price(book: KernelBook, row: int, s: int, t: int) -> tuple[float, bool, bool]:
    """Where a resting entry fills in this candle (NaN: it does not), whether as maker, and whether inside it."""
    w = book.working[row]
    opened, high, low = book.open[s, t], book.high[s, t], book.low[s, t]
    if w.kind == LIMIT and w.fresh == 1 and opened <= w.limit:
        return opened, False, False
    if w.kind == LIMIT or (w.kind == STOP_LIMIT and w.triggered_at >= 0):
        return (w.limit if low < w.limit and w.triggered_at < t else np.nan), True, True
    if w.triggered_at >= 0:
        return opened, False, False
    if opened < w.stop and high < w.stop:
        return np.nan, False, False
    w.triggered_at = t
    at_open = opened >= w.stop
    raw = opened if at_open else w.stop
    return (raw if w.kind == STOP or raw <= w.limit else np.nan), False, not at_open


@call_kernel
def resting_entries(book: KernelBook, t: int) -> None:
    """Step 3: resting entries inside the candle, in the order they were placed."""
    for row in range(book.state[0].working):
        w = book.working[row]
        if w.order == OVER or w.side != BUY or w.kind == MARKET or not has_candle(book, w.symbol, t):
            continue
        raw, maker, inside = resting_price(book, row, w.symbol, t)
        w.fresh = 0
        if not np.isnan(raw):
            ceiling = np.inf if w.kind == STOP else w.limit
            fill_entry(book, row, w.symbol, FillPrice(t, raw, ceiling, maker, inside))


@call_kernel
def expire_entries(book: KernelBook, t: int) -> None:
    """Step 5.2: entries that have rested too long."""
    for row in range(book.state[0].working):
        w = book.working[row]
        if w.order == OVER or w.side != BUY or w.kind == MARKET or not has_candle(book, w.symbol, t):
            continue
        if ordinal_at(book, w.symbol, t) - w.placed_ordinal >= book.setup[0].ttl:
            finish_order(book, row, t, EXPIRED, OK)


@call_kernel
def refuse_entry(book: KernelBook, terms: Terms, refusal: int) -> None:
    order = new_order(book, terms, np.nan)
    close_order(book, order, terms.t, REFUSED, refusal)


@inline_kernel
def queue_entry(book: KernelBook, terms: Terms, weight: float) -> None:
    """A market entry for the next open, where it gets its size."""
    s = terms.symbol
    if no_place_left(book, s):
        refuse_entry(book, terms, TOO_MANY)
        return
    row = queue_order(book, new_order(book, terms, np.nan), terms, UNSIZED)
    book.working[row].weight = weight
    book.working[row].share = size_share(book, s, terms.t)


@call_kernel
def rest_entry(book: KernelBook, terms: Terms, weight: float) -> tuple[int, int]:
    """Fix the quantity, hold the cash, and let the order rest. Returns its row, or -1, and OK or the refusal."""
    setup, s, t = book.setup[0], terms.symbol, terms.t
    price = terms.stop if terms.kind == STOP else terms.limit
    fee = setup.taker if terms.kind == STOP else max(setup.maker, setup.taker)
    if no_place_left(book, s):
        return -1, TOO_MANY
    if terms.limit <= 0.0 or terms.stop <= 0.0 or not math.isfinite(price):
        return -1, BAD_PRICE
    amount, refusal = amount_to_spend(book, s, size_share(book, s, t), t, weight, terms.reason == LADDER)
    if refusal != OK:
        return -1, refusal
    quantity, rest, refusal = quantity_for(book, s, amount, price, fee, terms.kind == STOP)
    if refusal != OK:
        return -1, refusal
    row = queue_order(book, new_order(book, terms, quantity), terms, quantity)
    book.working[row].placed_ordinal = ordinal_at(book, s, t)
    release_cash(book, row, -quantity * price * (1.0 + fee))
    if rest > 0.0:
        refuse_rest(book, terms, rest)
    return row, OK


@inline_kernel
def kind_of(limit: float, stop: float) -> int:
    if np.isnan(limit):
        return MARKET if np.isnan(stop) else STOP
    return LIMIT if np.isnan(stop) else STOP_LIMIT


@inline_kernel
def apply_entry_intent(book: KernelBook, s: int, t: int, limit: float, stop: float, weight: float) -> None:
    """Step 5.4, entry."""
    if not weight > 0.0 or (book.setup[0].size_kind == VOLATILITY and not book.size[s, t] > 0.0):
        return
    mode = book.setup[0].mode
    if mode == SINGLE and (book.symbols[s].lots > 0 or has_entry(book, s, True)):
        return
    limit = round_down(limit, book.symbols[s].tick) if not np.isnan(limit) else limit
    stop = round_up(stop, book.symbols[s].tick) if not np.isnan(stop) else stop
    terms = Terms(s, BUY, kind_of(limit, stop), ENTRY_SIGNAL, t, limit, stop)
    if is_barred(book, s, t):
        refuse_entry(book, terms, PROTECTION)
        return
    if mode != SEPARATE and book.state[0].resting > 0:
        cancel_entries(book, s, t, True)
    if terms.kind == MARKET:
        queue_entry(book, terms, weight)
        return
    _, refusal = rest_entry(book, terms, weight)
    if refusal != OK:
        refuse_entry(book, terms, refusal)


@call_kernel
def arm_ladder(book: KernelBook, s: int, t: int) -> None:
    """Step 5.4, ladders: each idle rung under the close becomes a resting limit order."""
    if book.setup[0].size_kind == VOLATILITY and not book.size[s, t] > 0.0:
        return
    barred = is_barred(book, s, t)
    for number in range(len(book.rungs)):
        rung = book.rungs[number]
        if rung.symbol != s or t < rung.start or rung.order >= 0 or rung.lot >= 0 or not rung.buy < book.close[s, t]:
            continue
        price = round_down(rung.buy, book.symbols[s].tick)
        terms = Terms(s, BUY, LIMIT, LADDER, t, price, np.nan)
        row, refusal = -1, PROTECTION
        if not barred:
            row, refusal = rest_entry(book, terms, rung.weight)
        if refusal == OK:
            w = book.working[row]
            w.rung = number
            w.take = rung.sell
            rung.order = w.order
            rung.refused = 0
        elif rung.refused == 0:
            rung.refused = 1
            refuse_entry(book, terms, refusal)
