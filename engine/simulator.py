"""The backtest: candles and signals in, orders, fills, trades and equity out.

`simulate` lays the candles of all symbols on one time line, turns signals into a list of intents ordered by time, and lets
the compiled kernel `advance_book` walk it. Per candle the kernel does what docs/reference/fill-rules.md says, step by step
(`run_candle`), and it skips through stretches in which nothing can happen. It can be stopped and resumed at any candle: that is
how progress, cancelling and growing tables work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from numba import njit

from core.errors import Cancelled
from engine.book import CANCELLED, END_OF_DATA, OK, OVER, KernelBook, borrow_arrays, inline_kernel, mark_equity
from engine.entries import apply_entry_intent, arm_ladder, expire_entries, market_entries, resting_entries
from engine.exits import apply_exit_intent, inside_exits, market_exits, raise_highest, sell_out, time_limits
from engine.layout import INTENT_ENTRY, INTENT_EXIT, IntentTable, intent_table_of, lay_out, new_book, simulation_of, with_more_room
from engine.orders import cancel_entries, cancel_rebalance, drop_over, finish_order
from engine.protections import is_barred
from engine.rebalance import queue_sales, rebalance_purchases
from engine.types import Account, Candles, Signals, Simulation

CHUNK = 20_000
"""Candles between two reports of progress."""


@inline_kernel
def apply_intent(book: KernelBook, intents: IntentTable, i: int, t: int) -> None:
    """Do what intent `i` asks for."""
    s, kind = intents.symbol[i], intents.kind[i]
    if kind == INTENT_EXIT:
        if book.state[0].working > 0:
            cancel_entries(book, s, t, False)
        apply_exit_intent(book, s, t, intents.limit[i], intents.stop[i])
    elif kind == INTENT_ENTRY:
        apply_entry_intent(book, s, t, intents.limit[i], intents.stop[i], intents.weight[i])
    else:
        cancel_rebalance(book, s, t)
        book.symbols[s].target = intents.weight[i]
        book.symbols[s].target_barred = is_barred(book, s, t)
        book.state[0].targets += book.symbols[s].target_at < 0
        book.symbols[s].target_at = t


@inline_kernel
def apply_intents(book: KernelBook, intents: IntentTable, t: int) -> None:
    """Step 5.4: what the strategy asked for at this close, symbol by symbol, a symbol's ladder last."""
    i, armed = book.state[0].next_intent, 0
    while i < len(intents.time) and intents.time[i] == t:
        if len(book.rungs) > 0:
            armed = arm_ladders(book, armed, intents.symbol[i], t)
        apply_intent(book, intents, i, t)
        i += 1
    book.state[0].next_intent = i
    if len(book.rungs) > 0:
        arm_ladders(book, armed, len(book.symbols), t)


@inline_kernel
def arm_ladders(book: KernelBook, first: int, stop: int, t: int) -> int:
    """Arm the ladders of the symbols from `first` to before `stop`. Returns `stop`."""
    for s in range(first, stop):
        arm_ladder(book, s, t)
    return stop


@inline_kernel
def end_run(book: KernelBook, t: int, reason: int) -> None:
    """The last close: cancel what waits, sell what is held."""
    cancel_everything(book, t)
    sell_out(book, t, reason)


@inline_kernel
def cancel_everything(book: KernelBook, t: int) -> None:
    for row in range(book.state[0].working):
        if book.working[row].order != OVER:
            finish_order(book, row, t, CANCELLED, OK)


@inline_kernel
def run_open(book: KernelBook, t: int, buying: bool) -> None:
    """Steps 1 and 2. Not `buying`: targets sell only."""
    state = book.state[0]
    if state.targets > 0:
        queue_sales(book, t)
    if state.working > 0:
        market_exits(book, t)
        market_entries(book, t)
    if state.targets > 0:
        rebalance_purchases(book, t, buying)


@inline_kernel
def run_inside(book: KernelBook, t: int) -> None:
    """Steps 3 and 4."""
    state = book.state[0]
    if state.resting > 0:
        resting_entries(book, t)
    if book.setup[0].protected or state.resting > 0 or len(book.rungs) > 0:
        inside_exits(book, t)


@inline_kernel
def grow_old(book: KernelBook, t: int) -> None:
    """Steps 5.1 and 5.2."""
    if book.setup[0].max_candles > 0:
        time_limits(book, t)
    if book.setup[0].ttl > 0:
        expire_entries(book, t)


@inline_kernel
def run_candle(book: KernelBook, intents: IntentTable, t: int, last: int) -> None:
    """One candle of every symbol, in the order of docs/reference/fill-rules.md."""
    state, setup = book.state[0], book.setup[0]
    run_open(book, t, True)
    run_inside(book, t)
    if t == last:
        end_run(book, t, END_OF_DATA)
    else:
        grow_old(book, t)
    state.equity = mark_equity(book, t)
    book.equity[t] = state.equity
    if t < last:
        apply_intents(book, intents, t)
        if setup.trailing > 0.0:
            raise_highest(book, t)
    if state.working > 0:
        drop_over(book)


@inline_kernel
def is_idle(book: KernelBook) -> bool:
    """Whether nothing can happen before the next intent."""
    state = book.state[0]
    if state.working > 0 or state.targets > 0 or len(book.rungs) > 0:
        return False
    return not (book.setup[0].protected and state.lots > 0)


@inline_kernel
def mark_stretch(book: KernelBook, start: int, stop: int) -> None:
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


@inline_kernel
def has_room(book: KernelBook) -> bool:
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
def advance_book(managed: KernelBook, table: IntentTable, until: int) -> int:
    """Walk up to candle `until`, or to where a table is full. Returns the next candle."""
    book, intents = borrow_arrays(managed), borrow_arrays(table)
    last = len(book.equity) - 1
    t = book.state[0].now
    while t < until:
        if is_idle(book):
            i = book.state[0].next_intent
            stop = min(until, last)
            if i < len(intents.time):
                stop = min(stop, intents.time[i])
            if stop > t:
                mark_stretch(book, t, stop)
                t = stop
                continue
        if not has_room(book):
            break
        run_candle(book, intents, t, last)
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

    `warmup`: signals of a symbol's first `warmup - 1` candles are ignored. `on_progress` is called every CHUNK candles
    with the number of candles of the common time line that are done; where it returns False, `Cancelled` is raised.
    """
    matrix = lay_out(account, candles)
    intents = intent_table_of(signals, matrix.places, warmup)
    book = new_book(account, position, matrix, signals, warmup, len(intents.time))
    length, done = len(matrix.time), 0
    while done < length:
        until = length if on_progress is None else min(length, done + CHUNK)
        reached = advance_book(book, intents, until)
        if reached < until:
            book = with_more_room(book)
        elif on_progress is not None and not on_progress(reached):
            raise Cancelled("The run was cancelled.")
        done = reached
    return simulation_of(matrix.time, book)
