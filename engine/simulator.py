"""The backtest: candles and signals in, orders, fills, trades and equity out.

`simulate` lays the candles of all symbols on one time line, turns signals into a list of wishes ordered by time, and lets
the compiled kernel `advance` walk it. Per candle the kernel does what docs/reference/fill-rules.md says, step by step
(`candle`), and it skips through stretches in which nothing can happen. It can be stopped and resumed at any candle: that is
how progress, cancelling and growing tables work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from numba import njit

from core.errors import Cancelled
from engine.book import CANCELLED, END_OF_DATA, OK, OVER, Book, borrowed, inlined, mark_equity, unmanaged
from engine.entries import arm_ladder, expire, market_entries, resting_entries, wish_entry
from engine.exits import inside_exits, market_exits, raise_highest, sell_out, time_limits, wish_exit
from engine.layout import WISH_ENTRY, WISH_EXIT, Plan, lay_out, new_book, plan_of, simulation_of, with_more_room
from engine.orders import cancel_entries, cancel_rebalance, drop_over, finish
from engine.protections import is_barred
from engine.rebalance import queue_sales, rebalance_purchases
from engine.types import Account, Candles, Signals, Simulation

CHUNK = 20_000
"""Candles between two reports of progress."""


@inlined
def unmanaged_plan(plan: Plan) -> Plan:
    """See `book.unmanaged`."""
    return Plan(
        borrowed(plan.time),
        borrowed(plan.symbol),
        borrowed(plan.kind),
        borrowed(plan.limit),
        borrowed(plan.stop),
        borrowed(plan.weight),
    )


@inlined
def grant(book: Book, plan: Plan, i: int, t: int) -> None:
    """Do what wish `i` asks for."""
    s, kind = plan.symbol[i], plan.kind[i]
    if kind == WISH_EXIT:
        if book.state[0].working > 0:
            cancel_entries(book, s, t, False)
        wish_exit(book, s, t, plan.limit[i], plan.stop[i])
    elif kind == WISH_ENTRY:
        wish_entry(book, s, t, plan.limit[i], plan.stop[i], plan.weight[i])
    else:
        cancel_rebalance(book, s, t)
        book.symbols[s].target = plan.weight[i]
        book.symbols[s].target_barred = is_barred(book, s, t)
        book.state[0].targets += book.symbols[s].target_at < 0
        book.symbols[s].target_at = t


@inlined
def wishes(book: Book, plan: Plan, t: int) -> None:
    """Step 5.4: what the strategy asked for at this close, symbol by symbol, a symbol's ladder last."""
    i, armed = book.state[0].next_wish, 0
    while i < len(plan.time) and plan.time[i] == t:
        if len(book.rungs) > 0:
            armed = arm_ladders(book, armed, plan.symbol[i], t)
        grant(book, plan, i, t)
        i += 1
    book.state[0].next_wish = i
    if len(book.rungs) > 0:
        arm_ladders(book, armed, len(book.symbols), t)


@inlined
def arm_ladders(book: Book, first: int, stop: int, t: int) -> int:
    """Arm the ladders of the symbols from `first` to before `stop`. Returns `stop`."""
    for s in range(first, stop):
        arm_ladder(book, s, t)
    return stop


@inlined
def end(book: Book, t: int, reason: int) -> None:
    """The last close: cancel what waits, sell what is held."""
    cancel_everything(book, t)
    sell_out(book, t, reason)


@inlined
def cancel_everything(book: Book, t: int) -> None:
    for row in range(book.state[0].working):
        if book.working[row].order != OVER:
            finish(book, row, t, CANCELLED, OK)


@inlined
def at_the_open(book: Book, t: int, buying: bool) -> None:
    """Steps 1 and 2. Not `buying`: targets sell only."""
    state = book.state[0]
    if state.targets > 0:
        queue_sales(book, t)
    if state.working > 0:
        market_exits(book, t)
        market_entries(book, t)
    if state.targets > 0:
        rebalance_purchases(book, t, buying)


@inlined
def inside(book: Book, t: int) -> None:
    """Steps 3 and 4."""
    state = book.state[0]
    if state.resting > 0:
        resting_entries(book, t)
    if book.setup[0].protected or state.resting > 0 or len(book.rungs) > 0:
        inside_exits(book, t)


@inlined
def grow_old(book: Book, t: int) -> None:
    """Steps 5.1 and 5.2."""
    if book.setup[0].max_candles > 0:
        time_limits(book, t)
    if book.setup[0].ttl > 0:
        expire(book, t)


@inlined
def candle(book: Book, plan: Plan, t: int, last: int) -> None:
    """One candle of every symbol, in the order of docs/reference/fill-rules.md."""
    state, setup = book.state[0], book.setup[0]
    at_the_open(book, t, True)
    inside(book, t)
    if t == last:
        end(book, t, END_OF_DATA)
    else:
        grow_old(book, t)
    state.equity = mark_equity(book, t)
    book.equity[t] = state.equity
    if t < last:
        wishes(book, plan, t)
        if setup.trailing > 0.0:
            raise_highest(book, t)
    if state.working > 0:
        drop_over(book)


@inlined
def is_idle(book: Book) -> bool:
    """Whether nothing can happen before the next wish."""
    state = book.state[0]
    if state.working > 0 or state.targets > 0 or len(book.rungs) > 0:
        return False
    return not (book.setup[0].protected and state.lots > 0)


@inlined
def mark_stretch(book: Book, start: int, stop: int) -> None:
    """Equity over candles in which nothing happens."""
    cash = book.state[0].cash
    for t in range(start, stop):
        book.equity[t] = cash
    for s in range(len(book.symbols)):
        quantity = book.symbols[s].position
        if quantity != 0.0:
            for t in range(start, stop):
                book.equity[t] += quantity * book.mark[s, t]
    book.state[0].equity = book.equity[stop - 1]


@inlined
def has_room(book: Book) -> bool:
    """Whether every table can take the most that one candle can add."""
    state = book.state[0]
    most = 4 * (state.lots + state.working + len(book.rungs) + len(book.symbols)) + 16
    return bool(
        state.lots + most <= len(book.lots)
        and state.working + most <= len(book.working)
        and state.orders + most <= len(book.orders)
        and state.fills + most <= len(book.fills)
        and state.trades + most <= len(book.trades)
    )


@njit(cache=True, error_model="numpy")
def advance(managed: Book, schedule: Plan, until: int) -> int:
    """Walk up to candle `until`, or to where a table is full. Returns the next candle."""
    book, plan = unmanaged(managed), unmanaged_plan(schedule)
    last = len(book.equity) - 1
    t = book.state[0].now
    while t < until:
        if is_idle(book):
            i = book.state[0].next_wish
            stop = min(until, last)
            if i < len(plan.time):
                stop = min(stop, plan.time[i])
            if stop > t:
                mark_stretch(book, t, stop)
                t = stop
                continue
        if not has_room(book):
            break
        candle(book, plan, t, last)
        t += 1
    book.state[0].now = t
    return int(t)


def simulate(
    account: Account,
    candles: Sequence[Candles],
    signals: Sequence[Signals],
    *,
    warmup: int,
    position: str = "single",
    on_progress: Callable[[int], bool] | None = None,
) -> Simulation:
    """Run the signals of one strategy over the candles of one or more symbols of one interval.

    `warmup`: signals of a symbol's first `warmup - 1` candles are ignored. `on_progress` hears how many candles of the
    common time line are done, every CHUNK candles; where it answers False, `Cancelled` is raised.
    """
    layout = lay_out(account, candles)
    plan = plan_of(signals, layout.places, warmup)
    book = new_book(account, position, layout, signals, warmup, len(plan.time))
    length, done = len(layout.time), 0
    while done < length:
        until = length if on_progress is None else min(length, done + CHUNK)
        reached = advance(book, plan, until)
        if reached < until:
            book = with_more_room(book)
        elif on_progress is not None and not on_progress(reached):
            raise Cancelled("The run was cancelled.")
        done = reached
    return simulation_of(layout.time, book)
