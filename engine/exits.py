"""Sales: queued for the open, protective, and the strategy's own exit orders. See docs/reference/fill-rules.md, steps 1 and 4."""

from __future__ import annotations

import numpy as np

from engine.book import (
    BAD_PRICE,
    CANCELLED,
    EXIT_SIGNAL,
    FILLED,
    LIMIT,
    MARKET,
    OK,
    OVER,
    REBALANCE,
    REFUSED,
    SELL,
    STOP,
    STOP_LIMIT,
    STOP_LOSS,
    TAKE_PROFIT,
    TIME_LIMIT,
    TRAILING_STOP,
    KernelBook,
    Terms,
    call_kernel,
    close_order,
    has_candle,
    inline_kernel,
    market_terms,
    new_order,
    ordinal_at,
)
from engine.lots import FillPrice, LotChoice, Sale, claim_lots, for_sale, queued_lots, sell_lots, settled_lots
from engine.matching import round_down, round_up, subtract_part
from engine.orders import cancel_resting_exits, finish_order, finish_short, queue_order

WHOLE = 1e-12


@inline_kernel
def take_at(t: int, raw: float) -> FillPrice:
    """A taker's sale in candle `t` at `raw` less slippage."""
    return FillPrice(t, raw, 0.0, False, True)


@inline_kernel
def drop_orphan_exits(book: KernelBook, s: int, t: int) -> None:
    """An exit order has nothing to wait for once the symbol holds nothing."""
    if book.symbols[s].lots == 0 and book.state[0].resting > 0:
        cancel_resting_exits(book, s, t)


@inline_kernel
def market_exits(book: KernelBook, t: int) -> None:
    """Step 1: queued market exits at the open, in the order they were queued."""
    for row in range(book.state[0].working):
        w = book.working[row]
        if w.order == OVER or w.side != SELL or w.kind != MARKET or not has_candle(book, w.symbol, t):
            continue
        s = w.symbol
        queued_for = -1 if w.reason == REBALANCE else w.order
        chosen = queued_lots(s, queued_for)
        sold = sell_lots(book, chosen, take_at(t, book.open[s, t]), Sale(w.order, w.reason, w.left, True))
        w.got += sold
        if w.reason == REBALANCE:
            w.left = subtract_part(w.left, sold, book.symbols[s].lot)
        if w.left <= w.got * WHOLE or for_sale(book, chosen) == 0.0:
            finish_short(book, row, t, CANCELLED, OK)
        drop_orphan_exits(book, s, t)


@inline_kernel
def stop_level(book: KernelBook, row: int) -> tuple[float, int]:
    """The higher of stop-loss and trailing stop, on the tick below, and which it is; 0 for none."""
    lot, setup = book.lots[row], book.setup[0]
    fixed, trailing = 0.0, 0.0
    if setup.stop_loss > 0.0:
        fixed = lot.price * (1.0 - setup.stop_loss)
    if setup.trailing > 0.0:
        trailing = lot.highest * (1.0 - setup.trailing)
    level = round_down(max(fixed, trailing), book.symbols[lot.symbol].tick)
    return level, TRAILING_STOP if trailing > fixed else STOP_LOSS


@inline_kernel
def queue_rest(book: KernelBook, order: int, s: int, t: int, reason: int, got: float) -> None:
    """What a stop could not sell goes at the next opens, after what was queued before it."""
    row = queue_order(book, order, market_terms(s, SELL, reason, t), np.inf)
    book.working[row].got = got


@call_kernel
def stop_out(book: KernelBook, row: int, s: int, t: int, level: float, reason: int) -> None:
    lot = book.lots[row]
    # What a stop bought inside the candle cannot have been stopped at its open; slippage may put its level over the high.
    reached = book.high[s, t] if lot.entry == t and lot.born_inside else book.open[s, t]
    raw = min(reached, level)
    order = new_order(book, Terms(s, SELL, STOP, reason, t, np.nan, level), lot.quantity)
    lot.exit = order
    chosen = queued_lots(s, order)
    sold = sell_lots(book, chosen, take_at(t, raw), Sale(order, reason, np.inf, True))
    if for_sale(book, chosen) == 0.0:
        close_order(book, order, t, FILLED, OK)
    else:
        queue_rest(book, order, s, t, reason, sold)


@call_kernel
def take_profit(book: KernelBook, row: int, s: int, t: int, level: float) -> None:
    order = new_order(book, Terms(s, SELL, LIMIT, TAKE_PROFIT, t, level, np.nan), 0.0)
    chosen = LotChoice(s, -1, -1, book.lots[row].id)
    sold = sell_lots(book, chosen, FillPrice(t, level, 0.0, True, True), Sale(order, TAKE_PROFIT, np.inf, True))
    if sold > 0.0:
        book.orders[order].quantity = sold
        close_order(book, order, t, FILLED, OK)
    else:
        book.state[0].orders -= 1  # no volume was left: as if it had not been reached


@inline_kernel
def take_level(book: KernelBook, row: int) -> float:
    """The rung's own price, or the take-profit, on the tick above; infinite for none."""
    lot, tick = book.lots[row], book.symbols[book.lots[row].symbol].tick
    if lot.take > 0.0:
        return round_up(lot.take, tick)
    if book.setup[0].take_profit > 0.0:
        return round_up(lot.price * (1.0 + book.setup[0].take_profit), tick)
    return np.inf


@inline_kernel
def protect_lots(book: KernelBook, s: int, t: int) -> None:
    """Stops, then take-profits, lot by lot: where one candle reaches both, the stop is assumed to have come first."""
    row = 0
    while row < book.state[0].lots:
        lot_id = book.lots[row].id
        if book.lots[row].symbol == s and book.lots[row].exit < 0:
            level, reason = stop_level(book, row)
            target = take_level(book, row)
            if level > 0.0 and book.low[s, t] <= level:
                stop_out(book, row, s, t, level, reason)
            elif book.high[s, t] > target and book.lots[row].inside_at != t:
                take_profit(book, row, s, t, target)
        if row < book.state[0].lots and book.lots[row].id == lot_id:
            row += 1


@inline_kernel
def exit_price(book: KernelBook, row: int, s: int, t: int) -> tuple[float, bool]:
    """Where a resting exit order fills in this candle (NaN: it does not), and whether as maker."""
    w = book.working[row]
    opened, high, low = book.open[s, t], book.high[s, t], book.low[s, t]
    if w.kind == LIMIT and w.fresh == 1 and opened >= w.limit:
        return opened, False
    if w.kind == LIMIT or (w.kind == STOP_LIMIT and w.triggered_at >= 0):
        return (w.limit if high > w.limit and w.triggered_at < t else np.nan), True
    if low > w.stop:
        return np.nan, False
    w.triggered_at = t
    raw = min(opened, w.stop)
    return (raw if w.kind == STOP or raw >= w.limit else np.nan), False


@call_kernel
def exit_order(book: KernelBook, row: int, s: int, t: int) -> None:
    """One resting exit order inside the candle. A stop queues what it sells, so that a rest goes at the next opens."""
    w = book.working[row]
    raw, maker = exit_price(book, row, s, t)
    if np.isnan(raw):
        return
    if w.kind == STOP:
        claim_lots(book, w.order, settled_lots(s, t))
        chosen = queued_lots(s, w.order)
        w.got += sell_lots(book, chosen, take_at(t, raw), Sale(w.order, w.reason, np.inf, True))
        if for_sale(book, chosen) == 0.0:
            finish_order(book, row, t, FILLED, OK)
        else:
            queue_rest(book, w.order, s, t, w.reason, w.got)
            book.state[0].resting -= 1
            w.order = OVER  # this row is over; the order goes on in its new one
        return
    settled = settled_lots(s, t)
    w.got += sell_lots(book, settled, FillPrice(t, raw, w.limit, maker, True), Sale(w.order, w.reason, np.inf, True))
    if w.got > 0.0 and for_sale(book, settled) == 0.0:
        finish_order(book, row, t, FILLED, OK)


@inline_kernel
def exit_orders(book: KernelBook, s: int, t: int) -> None:
    """The strategy's own limit, stop and stop-limit exits."""
    for row in range(book.state[0].working):
        w = book.working[row]
        if w.order == OVER or w.side != SELL or w.kind == MARKET or w.symbol != s:
            continue
        if for_sale(book, settled_lots(s, t)) > 0.0:
            exit_order(book, row, s, t)
        w.fresh = 0


@inline_kernel
def inside_exits(book: KernelBook, t: int) -> None:
    """Step 4."""
    for s in range(len(book.symbols)):
        if book.symbols[s].lots > 0 and has_candle(book, s, t):
            protect_lots(book, s, t)
            exit_orders(book, s, t)
            drop_orphan_exits(book, s, t)


@call_kernel
def time_limits(book: KernelBook, t: int) -> None:
    """Step 5.1: queue what has been held long enough for the next open."""
    for row in range(book.state[0].lots):
        lot = book.lots[row]
        s = lot.symbol
        if lot.exit >= 0 or not has_candle(book, s, t):
            continue
        if ordinal_at(book, s, t) - lot.entry_ordinal + 1 >= book.setup[0].max_candles:
            terms = market_terms(s, SELL, TIME_LIMIT, t)
            order = new_order(book, terms, lot.quantity)
            lot.exit = order
            queue_order(book, order, terms, np.inf)


@call_kernel
def raise_highest(book: KernelBook, t: int) -> None:
    """Step 5.5: the trailing stop's mark, once the candle is over."""
    for row in range(book.state[0].lots):
        lot = book.lots[row]
        if lot.inside_at != t and has_candle(book, lot.symbol, t):
            lot.highest = max(lot.highest, book.high[lot.symbol, t])


@inline_kernel
def apply_exit_intent(book: KernelBook, s: int, t: int, limit: float, stop: float) -> None:
    """Step 5.4, exit: a market exit at the next open, or an exit order in place of an earlier one."""
    unqueued = for_sale(book, queued_lots(s, -1))
    if unqueued == 0.0:
        return
    limit = round_up(limit, book.symbols[s].tick) if not np.isnan(limit) else limit
    stop = round_down(stop, book.symbols[s].tick) if not np.isnan(stop) else stop
    kind = MARKET
    if not np.isnan(limit):
        kind = LIMIT if np.isnan(stop) else STOP_LIMIT
    elif not np.isnan(stop):
        kind = STOP
    terms = Terms(s, SELL, kind, EXIT_SIGNAL, t, limit, stop)
    order = new_order(book, terms, unqueued)
    if limit <= 0.0 or stop <= 0.0:
        close_order(book, order, t, REFUSED, BAD_PRICE)
        return
    if book.state[0].resting > 0:
        cancel_resting_exits(book, s, t)
    if kind == MARKET:
        claim_lots(book, order, queued_lots(s, -1))
    queue_order(book, order, terms, np.inf)


@call_kernel
def sell_out(book: KernelBook, t: int, reason: int) -> None:
    """The end: every lot at its symbol's last close."""
    while book.state[0].lots > 0:
        lot = book.lots[0]
        s, lot_id, queued_for = lot.symbol, lot.id, lot.exit
        order = new_order(book, market_terms(s, SELL, reason, t), lot.quantity)
        chosen = LotChoice(s, queued_for, -1, lot_id)
        sell_lots(book, chosen, take_at(t, book.mark[s, t]), Sale(order, reason, np.inf, False))
        close_order(book, order, t, FILLED, OK)
