"""Purchases: at the open, at a price, and as signals and ladders ask for them. See docs/reference/fill-rules.md, steps 2, 3, 5."""

from __future__ import annotations

import math

import numpy as np

from engine.book import (
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
    Book,
    called,
    close_order,
    free_cash,
    has_candle,
    inlined,
    new_order,
    ordinal,
)
from engine.lots import buy
from engine.matching import dearest_price, round_down, round_lot, round_up, within_volume
from engine.orders import cancel_entries, finish, finish_short, has_entry, no_place_left, release, wait
from engine.protections import is_barred
from engine.sizing import VOLATILITY, amount_to_spend, quantity_for, size_share

WHOLE = 1e-12


@inlined
def fill_entry(book: Book, row: int, s: int, t: int, raw: float, ceiling: float, maker: bool, inside: bool) -> None:
    """Fill what cash and volume allow of a waiting entry; end it when nothing is left to get."""
    w, setup = book.working[row], book.setup[0]
    dearest = raw if maker else min(dearest_price(book, s, raw), ceiling)
    unit = dearest * (1.0 + (setup.maker if maker else setup.taker))
    affordable = w.held + free_cash(book)
    if w.left * unit > affordable + setup.dust:
        w.left = round_lot(book, s, affordable / unit) if affordable > setup.dust else 0.0
        if w.left <= 0.0:
            finish_short(book, row, t, REFUSED, NO_CASH)
            return
    quantity = within_volume(book, s, t, w.left)
    if quantity <= 0.0:
        return
    release(book, row, w.held * quantity / w.left)
    buy(book, s, t, raw, ceiling, quantity, maker, inside, w.order, w.reason, w.rung, w.take)
    w.got += quantity
    w.left -= quantity
    if w.left <= w.got * WHOLE:
        finish(book, row, t, FILLED, OK)


@inlined
def size_market_entry(book: Book, row: int, s: int, t: int) -> bool:
    """Fix the quantity of a queued entry at the open; False where it ended refused."""
    w = book.working[row]
    amount, refusal = amount_to_spend(book, s, w.share, t - 1, w.weight, False)
    quantity = 0.0
    if refusal == OK:
        quantity, refusal = quantity_for(book, s, amount, dearest_price(book, s, book.open[s, t]), book.setup[0].taker)
    if refusal != OK:
        finish(book, row, t, REFUSED, refusal)
        return False
    w.left = quantity
    book.orders[w.order].quantity = quantity
    return True


@inlined
def market_entries(book: Book, t: int) -> None:
    """Step 2: queued entries at the open, in the order they were queued."""
    for row in range(book.state[0].working):
        w = book.working[row]
        if w.order == OVER or w.side != BUY or w.kind != MARKET or not has_candle(book, w.symbol, t):
            continue
        s = w.symbol
        if w.left != UNSIZED or size_market_entry(book, row, s, t):
            fill_entry(book, row, s, t, book.open[s, t], np.inf, False, False)


@inlined
def resting_price(book: Book, row: int, s: int, t: int) -> tuple[float, bool, bool]:
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


@called
def resting_entries(book: Book, t: int) -> None:
    """Step 3: resting entries inside the candle, in the order they were placed."""
    for row in range(book.state[0].working):
        w = book.working[row]
        if w.order == OVER or w.side != BUY or w.kind == MARKET or not has_candle(book, w.symbol, t):
            continue
        raw, maker, inside = resting_price(book, row, w.symbol, t)
        w.fresh = 0
        if not np.isnan(raw):
            fill_entry(book, row, w.symbol, t, raw, np.inf if w.kind == STOP else w.limit, maker, inside)


@called
def expire(book: Book, t: int) -> None:
    """Step 5.2: entries that have rested too long."""
    for row in range(book.state[0].working):
        w = book.working[row]
        if w.order == OVER or w.side != BUY or w.kind == MARKET or not has_candle(book, w.symbol, t):
            continue
        if ordinal(book, w.symbol, t) - w.placed_ordinal >= book.setup[0].ttl:
            finish(book, row, t, EXPIRED, OK)


@called
def refuse(book: Book, s: int, kind: int, reason: int, t: int, limit: float, stop: float, refusal: int) -> None:
    order = new_order(book, s, BUY, kind, reason, t, limit, stop, np.nan)
    close_order(book, order, t, REFUSED, refusal)


@inlined
def queue_entry(book: Book, s: int, t: int, weight: float) -> None:
    """A market entry for the next open, where it gets its size."""
    if no_place_left(book, s):
        refuse(book, s, MARKET, ENTRY_SIGNAL, t, np.nan, np.nan, TOO_MANY)
        return
    order = new_order(book, s, BUY, MARKET, ENTRY_SIGNAL, t, np.nan, np.nan, np.nan)
    row = wait(book, order, s, BUY, MARKET, np.nan, np.nan, UNSIZED, t, ENTRY_SIGNAL)
    book.working[row].weight = weight
    book.working[row].share = size_share(book, s, t)


@called
def rest_entry(book: Book, s: int, t: int, limit: float, stop: float, weight: float, reason: int) -> tuple[int, int]:
    """Fix the quantity, hold the cash, and let the order rest. Returns its row, or -1, and OK or the refusal."""
    setup = book.setup[0]
    kind = kind_of(limit, stop)
    price = stop if kind == STOP else limit
    fee = setup.taker if kind == STOP else max(setup.maker, setup.taker)
    if no_place_left(book, s):
        return -1, TOO_MANY
    if limit <= 0.0 or stop <= 0.0 or not math.isfinite(price):
        return -1, BAD_PRICE
    amount, refusal = amount_to_spend(book, s, size_share(book, s, t), t, weight, reason == LADDER)
    if refusal != OK:
        return -1, refusal
    quantity, refusal = quantity_for(book, s, amount, price, fee)
    if refusal != OK:
        return -1, refusal
    order = new_order(book, s, BUY, kind, reason, t, limit, stop, quantity)
    row = wait(book, order, s, BUY, kind, limit, stop, quantity, t, reason)
    book.working[row].placed_ordinal = ordinal(book, s, t)
    release(book, row, -quantity * price * (1.0 + fee))
    return row, OK


@inlined
def kind_of(limit: float, stop: float) -> int:
    if np.isnan(limit):
        return MARKET if np.isnan(stop) else STOP
    return LIMIT if np.isnan(stop) else STOP_LIMIT


@inlined
def wish_entry(book: Book, s: int, t: int, limit: float, stop: float, weight: float) -> None:
    """Step 5.4, entry."""
    if not weight > 0.0 or (book.setup[0].size_kind == VOLATILITY and not book.size[s, t] > 0.0):
        return
    mode = book.setup[0].mode
    if mode == SINGLE and (book.symbols[s].lots > 0 or has_entry(book, s, True)):
        return
    limit = round_down(limit, book.symbols[s].tick) if not np.isnan(limit) else limit
    stop = round_up(stop, book.symbols[s].tick) if not np.isnan(stop) else stop
    kind = kind_of(limit, stop)
    if is_barred(book, s, t):
        refuse(book, s, kind, ENTRY_SIGNAL, t, limit, stop, PROTECTION)
        return
    if mode != SEPARATE and book.state[0].resting > 0:
        cancel_entries(book, s, t, True)
    if kind == MARKET:
        queue_entry(book, s, t, weight)
        return
    _, refusal = rest_entry(book, s, t, limit, stop, weight, ENTRY_SIGNAL)
    if refusal != OK:
        refuse(book, s, kind, ENTRY_SIGNAL, t, limit, stop, refusal)


@called
def arm_ladder(book: Book, s: int, t: int) -> None:
    """Step 5.4, ladders: each idle rung under the close becomes a resting limit order."""
    if book.setup[0].size_kind == VOLATILITY and not book.size[s, t] > 0.0:
        return
    barred = is_barred(book, s, t)
    for number in range(len(book.rungs)):
        rung = book.rungs[number]
        if rung.symbol != s or t < rung.start or rung.order >= 0 or rung.lot >= 0 or not rung.buy < book.close[s, t]:
            continue
        price = round_down(rung.buy, book.symbols[s].tick)
        row, refusal = -1, PROTECTION
        if not barred:
            row, refusal = rest_entry(book, s, t, price, np.nan, rung.weight, LADDER)
        if refusal == OK:
            w = book.working[row]
            w.rung = number
            w.take = rung.sell
            rung.order = w.order
            rung.refused = 0
        elif rung.refused == 0:
            rung.refused = 1
            refuse(book, s, LIMIT, LADDER, t, price, np.nan, refusal)
