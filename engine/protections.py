"""Protections: after trades that went badly, no entries for a while. See docs/reference/fill-rules.md, "Protections"."""

from __future__ import annotations

from engine.book import STOP_LOSS, TRAILING_STOP, KernelBook, call_kernel, inline_kernel
from engine.types import REMEMBERED

ALMOST = 1e-9
"""A sum of returns that falls short by no more than this is enough."""


@inline_kernel
def is_barred(book: KernelBook, s: int, t: int) -> bool:
    """Whether an entry of the symbol that is decided at the close of `t` is refused."""
    return bool(t < max(book.state[0].barred_until, book.symbols[s].barred_until))


@call_kernel
def close_trade(book: KernelBook, row: int) -> None:
    """The last of a lot was sold: its trade has closed, and may bar what comes after."""
    s, t = book.lots[row].symbol, book.lots[row].sold_at
    remember_trade(book, row)
    cool_down(book, s, t)
    guard_stops(book, s, t)
    guard_drawdown(book, t)
    lock_low_profit(book, s, t)


@inline_kernel
def remember_trade(book: KernelBook, row: int) -> None:
    lot, state = book.lots[row], book.state[0]
    i = state.past % REMEMBERED
    state.past += 1
    state.past_total += lot.profit
    state.past_at[i] = lot.sold_at
    state.past_symbol[i] = lot.symbol
    state.past_stopped[i] = (lot.sold_for == STOP_LOSS or lot.sold_for == TRAILING_STOP) and lot.profit < -book.setup[0].dust
    state.past_profit[i] = lot.profit
    state.past_return[i] = lot.profit / lot.paid


@inline_kernel
def ring_place(book: KernelBook, back: int) -> int:
    """Where in the rings the trade stands that closed `back` trades before the newest."""
    return int((book.state[0].past - 1 - back) % REMEMBERED)


@inline_kernel
def count_within(book: KernelBook, t: int, window: int) -> int:
    """How many of the trades that are remembered closed in the last `window` candles."""
    count, most = 0, min(book.state[0].past, REMEMBERED)
    while count < most and book.state[0].past_at[ring_place(book, count)] > t - window:
        count += 1
    return count


@inline_kernel
def bar_symbol(book: KernelBook, s: int, until: int) -> None:
    book.symbols[s].barred_until = max(book.symbols[s].barred_until, until)


@inline_kernel
def bar_all(book: KernelBook, until: int) -> None:
    book.state[0].barred_until = max(book.state[0].barred_until, until)


@inline_kernel
def cool_down(book: KernelBook, s: int, t: int) -> None:
    bar_symbol(book, s, t + book.setup[0].cooldown)


@inline_kernel
def guard_stops(book: KernelBook, s: int, t: int) -> None:
    setup, state = book.setup[0], book.state[0]
    if setup.stop_count == 0 or not state.past_stopped[ring_place(book, 0)]:
        return
    stops = 0
    for back in range(count_within(book, t, setup.stop_window)):
        i = ring_place(book, back)
        stops += state.past_stopped[i] and (setup.stop_all or state.past_symbol[i] == s)
    if stops >= setup.stop_count and setup.stop_all:
        bar_all(book, t + setup.stop_pause)
    elif stops >= setup.stop_count:
        bar_symbol(book, s, t + setup.stop_pause)


@inline_kernel
def guard_drawdown(book: KernelBook, t: int) -> None:
    """Equity of closed trades: the starting cash and their profits, looked at backwards from now."""
    setup, state = book.setup[0], book.state[0]
    count = count_within(book, t, setup.drawdown_window)
    if setup.drawdown_window == 0 or count < setup.drawdown_trades:
        return
    now = setup.cash + state.past_total
    equity = high = now
    for back in range(count):
        equity -= state.past_profit[ring_place(book, back)]
        high = max(high, equity)
    if now < high * (1.0 - setup.drawdown) - setup.dust:
        bar_all(book, t + setup.drawdown_pause)


@inline_kernel
def lock_low_profit(book: KernelBook, s: int, t: int) -> None:
    setup, state = book.setup[0], book.state[0]
    trades, total = 0, 0.0
    for back in range(count_within(book, t, setup.profit_window)):
        i = ring_place(book, back)
        if state.past_symbol[i] == s:
            trades += 1
            total += state.past_return[i]
    if setup.profit_window > 0 and trades >= setup.profit_trades and total < setup.profit_least - ALMOST:
        bar_symbol(book, s, t + setup.profit_pause)
