"""How much one entry spends. See docs/reference/fill-rules.md, step 2."""

from __future__ import annotations

import math

from engine.book import (
    ABOVE_MAXIMUM,
    BELOW_LOT,
    BELOW_NOTIONAL,
    BUY,
    NO_CASH,
    OK,
    OVER_CAP,
    KernelBook,
    call_kernel,
    free_cash,
    inline_kernel,
)
from engine.matching import ALMOST, round_lot, subtract_part
from engine.orders import is_waiting

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


@call_kernel
def cap_quantity(book: KernelBook, s: int, quantity: float, price: float, market: bool) -> float:
    """What one order may ask for of `quantity`, beside what is held and what waits to be bought."""
    maxima = book.maxima[s]
    most = min(maxima.limit_quantity, maxima.limit_value / price)
    if market:
        most = min(maxima.market_quantity, maxima.market_value / price)
    if maxima.position < math.inf:
        room = maxima.position - book.symbols[s].position
        for row in range(book.state[0].working):
            if is_waiting(book, row, s, BUY):
                room -= max(0.0, book.working[row].left)
        most = min(most, max(0.0, room))
    return quantity if quantity <= most * (1.0 + ALMOST) else round_lot(book, s, most)


@inline_kernel
def quantity_for(book: KernelBook, s: int, amount: float, price: float, fee: float, market: bool) -> tuple[float, float, int]:
    """Base units that `amount` buys at `price`, fee included, by the instrument's rules; what is above its maxima; and OK or the
    refusal."""
    wanted = round_lot(book, s, amount / (price * (1.0 + fee)))
    if not wanted > 0.0 or not math.isfinite(wanted):
        return 0.0, 0.0, BELOW_LOT
    quantity, rest = wanted, 0.0
    if book.maxima[s].limited:
        quantity = cap_quantity(book, s, wanted, price, market)
        rest = subtract_part(wanted, quantity, book.symbols[s].lot)
        if quantity <= 0.0:
            return 0.0, 0.0, ABOVE_MAXIMUM
    if quantity * price < book.symbols[s].min_notional * (1.0 - ALMOST):
        return 0.0, 0.0, BELOW_NOTIONAL
    return quantity, rest, OK
