"""Prices that a fill pays: slippage, ticks, lots, volume. See docs/reference/fill-rules.md, "Words"."""

from __future__ import annotations

import math

import numpy as np

from engine.book import KernelBook, inline_kernel

BPS, HALF_SPREAD, VOLUME_SHARE = range(3)
SLIPPAGE_KINDS = ("bps", "half_spread", "volume_share")

ALMOST = 1e-9
"""A value this near a whole number of steps is that number: 0.1 + 0.2 is 3 steps of 0.1."""
MOST_SCALE = 1e12
LAST_DIGIT = 1e-15
"""Share of a number of steps that floats may have got wrong in it: a bitcoin has 100,000,000 steps of the finest lots."""


@inline_kernel
def steps_of(count: float, step: float) -> float:
    """`count` x `step`, correctly rounded where the step is one over a whole number (0.001) or has few decimal places (0.03)."""
    inverse = np.rint(1.0 / step)
    if inverse >= 1.0 and abs(step * inverse - 1.0) < ALMOST:
        return count / inverse
    scale = 1.0
    while scale < MOST_SCALE and abs(step * scale - np.rint(step * scale)) > ALMOST * step * scale:
        scale *= 10.0
    return count * np.rint(step * scale) / scale if scale < MOST_SCALE else count * step


@inline_kernel
def is_whole(steps: float) -> bool:
    """Whether it is a whole number but for noise."""
    return abs(steps - np.rint(steps)) < ALMOST + abs(steps) * LAST_DIGIT


@inline_kernel
def round_down(value: float, step: float) -> float:
    if step <= 0.0:
        return value
    steps = value / step
    return steps_of(np.rint(steps) if is_whole(steps) else math.floor(steps), step)


@inline_kernel
def round_up(value: float, step: float) -> float:
    if step <= 0.0:
        return value
    steps = value / step
    return steps_of(np.rint(steps) if is_whole(steps) else math.ceil(steps), step)


@inline_kernel
def drop_noise(value: float, step: float) -> float:
    """A sum of whole steps without what floats have left on it; what lies off the steps stays as it is."""
    if step <= 0.0:
        return value
    steps = value / step
    return steps_of(np.rint(steps), step) if is_whole(steps) else value


@inline_kernel
def subtract_part(value: float, part: float, step: float) -> float:
    """What `part` leaves of `value`. Of whole steps it leaves whole steps, however many floats got wrong of them."""
    left = value - part
    if step <= 0.0 or not is_whole(value / step) or not is_whole(part / step):
        return left
    return steps_of(np.rint(left / step), step)


@inline_kernel
def round_lot(book: KernelBook, s: int, quantity: float) -> float:
    return round_down(quantity, book.symbols[s].lot)


@inline_kernel
def round_money(book: KernelBook, amount: float) -> float:
    """To the places that money is kept with; see `layout.money_scale`."""
    scale = book.setup[0].money
    return np.rint(amount * scale) / scale if scale > 0.0 else amount


@inline_kernel
def slippage_of(book: KernelBook, price: float, share: float) -> float:
    """How far a taker moves from `price`, in quote; `share` is what it takes of the candle's volume."""
    kind = book.setup[0].slippage_kind
    if kind == BPS:
        return price * book.setup[0].slippage / 10_000.0
    if kind == HALF_SPREAD:
        return book.setup[0].slippage
    return price * book.setup[0].impact * share * share


@inline_kernel
def share_of_volume(book: KernelBook, s: int, t: int, quantity: float) -> float:
    most = book.setup[0].max_share
    if book.setup[0].slippage_kind != VOLUME_SHARE:
        return most  # not asked for: the volume need not be fetched from memory
    volume = book.volume[s, t]
    return min(quantity / volume, most) if volume > 0.0 else most


@inline_kernel
def buy_price(book: KernelBook, s: int, t: int, price: float, quantity: float) -> float:
    share = share_of_volume(book, s, t, quantity)
    return round_up(price + slippage_of(book, price, share), book.symbols[s].tick)


@inline_kernel
def dearest_price(book: KernelBook, s: int, price: float) -> float:
    """The most that a taker may pay at `price`: with the slippage of the largest share of the volume, and the reserve."""
    dearest = (price + slippage_of(book, price, book.setup[0].max_share)) * (1.0 + book.setup[0].reserve)
    return round_up(dearest, book.symbols[s].tick)


@inline_kernel
def sell_price(book: KernelBook, s: int, t: int, price: float, quantity: float) -> float:
    share = share_of_volume(book, s, t, quantity)
    return max(0.0, round_down(price - slippage_of(book, price, share), book.symbols[s].tick))


@inline_kernel
def volume_left(book: KernelBook, s: int, t: int) -> float:
    """Base units that may still be traded in this candle."""
    if book.setup[0].slippage_kind != VOLUME_SHARE:
        return np.inf
    cap = book.setup[0].max_share * book.volume[s, t]
    left = cap - book.symbols[s].used if book.symbols[s].used_at == t else cap
    return left if left > cap * ALMOST else 0.0


@inline_kernel
def use_volume(book: KernelBook, s: int, t: int, quantity: float) -> None:
    if book.setup[0].slippage_kind != VOLUME_SHARE:
        return
    symbol = book.symbols[s]
    if symbol.used_at != t:
        symbol.used_at = t
        symbol.used = 0.0
    symbol.used += quantity


@inline_kernel
def within_volume(book: KernelBook, s: int, t: int, wanted: float) -> float:
    """What the volume cap allows of `wanted`, in whole lots."""
    left = volume_left(book, s, t)
    return wanted if wanted <= left else round_lot(book, s, left)
