"""How much one entry spends. See docs/reference/fill-rules.md, step 2."""

from __future__ import annotations

import math

from engine.book import BELOW_LOT, BELOW_NOTIONAL, NO_CASH, OK, OVER_CAP, KernelBook, call_kernel, free_cash, inline_kernel
from engine.matching import ALMOST, round_lot

ALL_IN, FIXED, FRACTION, VOLATILITY, KELLY = range(5)
SIZING_KINDS = ("all_in", "fixed", "fraction", "volatility", "kelly")


@call_kernel
def kelly_share(book: KernelBook) -> float:
    """min(cap, max(0, value x (W - (1 - W) / R))): Kelly 1956, in the trader's form."""
    setup, state = book.setup[0], book.state[0]
    if state.closed < setup.size_min_trades:
        return setup.size_cap * setup.size_value
    if state.wins == 0:
        return 0.0
    winners = state.wins / state.closed
    kelly = winners
    if state.loss_returns > 0.0:
        ratio = (state.win_returns / state.wins) / (state.loss_returns / (state.closed - state.wins))
        kelly = winners - (1.0 - winners) / ratio
    return min(setup.size_cap, max(0.0, setup.size_value * kelly))


@inline_kernel
def size_share(book: KernelBook, s: int, t: int) -> float:
    """What volatility sizing allows by the closes known at `t`; 0 for other sizings."""
    return book.size[s, t] if book.setup[0].size_kind == VOLATILITY else 0.0


@inline_kernel
def share_of_equity(book: KernelBook, volatility_share: float) -> float:
    """For the sizings that spend a share of equity."""
    kind = book.setup[0].size_kind
    if kind == VOLATILITY:
        return volatility_share
    if kind == KELLY:
        return kelly_share(book)
    return book.setup[0].size_value


@inline_kernel
def amount_to_spend(book: KernelBook, s: int, share: float, close: int, weight: float, ladder: bool) -> tuple[float, int]:
    """Quote to spend, fee included, and OK or the refusal. `share`: `size_share` at the decision; `close`: the candle of the
    last known close."""
    setup, free = book.setup[0], free_cash(book)
    if free <= setup.dust:
        return 0.0, NO_CASH
    kind = setup.size_kind
    if kind == FIXED:
        amount = setup.size_value * weight
        if free < amount - setup.dust:
            return 0.0, NO_CASH
    elif kind == ALL_IN:
        amount = (book.state[0].equity if ladder else free) * weight
    else:
        amount = share_of_equity(book, share) * weight * book.state[0].equity
    amount = min(amount, free)
    if setup.symbol_cap > 0.0:
        room = setup.symbol_cap * book.state[0].equity - book.symbols[s].held
        if close >= 0 and book.symbols[s].position > 0.0:
            room -= book.symbols[s].position * book.mark[s, close]
        if room <= setup.dust:
            return 0.0, OVER_CAP
        amount = min(amount, room)
    return amount, OK


@inline_kernel
def quantity_for(book: KernelBook, s: int, amount: float, price: float, fee: float) -> tuple[float, int]:
    """Base units that `amount` buys at `price`, fee included, by the instrument's rules; OK or the refusal."""
    quantity = round_lot(book, s, amount / (price * (1.0 + fee)))
    if not quantity > 0.0 or not math.isfinite(quantity):
        return 0.0, BELOW_LOT
    if quantity * price < book.symbols[s].min_notional * (1.0 - ALMOST):
        return 0.0, BELOW_NOTIONAL
    return quantity, OK
