"""Many parameter sets of one strategy over the same candles.

What the trials have in common is done once: the candles are laid out once, each indicator is computed once (`memo`), and the
simulator's tables are made once and used again. What a trial comes to is, to the last bit, what `simulate` and `measure`
make of the same parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from engine import returns as curve
from engine.averages import as_column
from engine.book import OK, UNWRAPPED, KernelBook, borrow_arrays, inline_kernel
from engine.grid import find_close
from engine.layout import intent_table_of, lay_out, new_book, with_more_room
from engine.lots import earn_sale, pay_purchase
from engine.matching import buy_price, dearest_price, round_lot, sell_price
from engine.memo import Memory, remembering
from engine.simulator import advance_book
from engine.sizing import VOLATILITY, amount_to_spend, quantity_for, size_share
from engine.strategy import Strategy, evaluate
from engine.types import Account, Bools, Candles, Floats, Ints, Signals

MOST_REMEMBERED = 192 * 2**20
"""Bytes of indicators that are kept at a time."""
NEVER: Bools = np.zeros(0, dtype=np.bool_)
EVEN: Floats = np.zeros(0)
ROOM = 4_096
"""Rows that the tables begin with; they grow where a trial needs more, and stay so."""


BLOCK = 32
"""Candles that are looked through at once for the next signal."""
AHEAD = 256
"""Decisions that are looked for at a time."""
NOWHERE = 2**62
TABLES = ("lots", "working", "orders", "fills", "trades", "equity")


class Trial(NamedTuple):
    """What a sweep keeps of one parameter set; figures as in `metrics.Metrics`, NaN where not defined."""

    final_equity: float
    total_return: float
    sharpe: float
    sortino: float
    calmar: float
    max_drawdown: float
    skewness: float
    kurtosis: float
    trades: int


class Bench:
    """A place to try parameter sets of one strategy on the same candles, one after the other. The candles must not change."""

    def __init__(self, strategy: type[Strategy], account: Account, candles: Sequence[Candles]) -> None:
        self.strategy, self.account, self.candles = strategy, account, candles
        self.matrix = lay_out(account, candles)
        self.memory = Memory(MOST_REMEMBERED)
        self.time = curve.time_column(self.matrix.time)
        self.closes = curve.time_column(find_close(candles[0].interval, self.time))
        self.ends = curve.day_ends(self.closes)
        self.tables: KernelBook | None = None
        self.plain = new_book(account, strategy.position, self.matrix, [Signals()] * len(candles), 0, 0)
        self.plain_start = self.plain.state[0].copy()

    @property
    def days(self) -> int:
        """UTC days in the span: how many daily returns a Sharpe ratio here is made of."""
        return len(self.ends)

    def trial(self, params: Mapping[str, Any]) -> Trial:
        """`Invalid` where the strategy refuses `params`, `StrategyFailed` where it fails on them."""
        strategy = self.strategy(params)
        with remembering(memory=self.memory):
            signals = [evaluate(strategy, one)[1] for one in self.candles]
        trades, depth, daily = self.run(signals, strategy.warmup_at(self.candles[0].interval))
        elapsed = int(self.closes[-1]) - int(self.time[0])
        figures: tuple[float, ...] = _compute_figures(daily, depth, elapsed, float(self.account.cash))
        return Trial._make((*figures, trades))

    def run(self, signals: Sequence[Signals], warmup: int) -> tuple[int, float, Floats]:
        """How many trades, the maximum drawdown, and the equity at each day's end."""
        if self.is_plain(signals):
            return self.run_plain(signals[0], warmup)
        intents, book = intent_table_of(signals, self.matrix.places, warmup), self.fresh(signals, warmup)
        while advance_book(book, intents, len(self.matrix.time)) < len(self.matrix.time):
            book = self.tables = with_more_room(book)
        depth = curve.find_drawdowns(as_column(book.equity), self.closes, int(self.time[0]), float(self.account.cash))[0][0, 0]
        return int(book.state[0]["trades"]), float(depth), book.equity[self.ends]

    def run_plain(self, signals: Signals, warmup: int) -> tuple[int, float, Floats]:
        self.plain.state[0] = self.plain_start
        daily = np.empty(len(self.ends))
        masks = column_of(signals.entry, NEVER), column_of(signals.exit, NEVER), column_of(signals.weight, EVEN)
        trades, depth = walk_plain(self.plain, *masks, max(0, warmup - 1), self.ends, daily)
        return trades, depth, daily

    def fresh(self, signals: Sequence[Signals], warmup: int) -> KernelBook:
        """A book as `new_book` makes it, in the tables of the one before: their old rows are never read."""
        new = new_book(self.account, self.strategy.position, self.matrix, signals, warmup, ROOM)
        used = self.tables
        if used is not None and all(len(getattr(used, name)) >= len(getattr(new, name)) for name in TABLES):
            new = new._replace(**{name: getattr(used, name) for name in TABLES})
        self.tables = new
        return new

    def is_plain(self, signals: Sequence[Signals]) -> bool:
        """Whether the order book can be left out: one symbol, in and out at market, nothing that acts on its own."""
        account, one = self.account, signals[0]
        special = (one.entry_limit, one.entry_stop, one.exit_limit, one.exit_stop, one.target, one.ladder)
        exits = account.exits
        acting = exits.stop_loss or exits.take_profit or exits.trailing_stop or exits.max_candles
        return (
            len(signals) == 1
            and self.strategy.position == "single"
            and all(one is None for one in special)
            and not acting
            and not account.protections.on
            and account.slippage.kind != "volume_share"
            and account.sizing.kind != "kelly"
        )


def column_of(values: Any, missing: Any) -> Any:
    """Contiguous and read-only, as the kernel takes it; `missing` (no elements) where a signal is not given."""
    array = np.ascontiguousarray(missing if values is None else values, dtype=missing.dtype).view()
    array.flags.writeable = False
    return array


@njit(forceinline=True, fastmath={"nnan", "nsz", "reassoc"}, **UNWRAPPED)
def find_extremes(values: Floats, start: int, stop: int) -> tuple[float, float]:
    low = high = values[start]
    for t in range(start, stop):
        low = min(low, values[t])
        high = max(high, values[t])
    return low, high


@inline_kernel
def settle_drawdown(peak: float, low: float, deepest: float) -> float:
    """The deepest drawdown once the one under way is over."""
    return min(deepest, low / peak - 1.0) if low < peak else deepest


@inline_kernel
def reach_value(value: float, peak: float, low: float, deepest: float) -> tuple[float, float, float]:
    """Peak, lowest equity since, and deepest drawdown before it, after equity was at `value`."""
    if value < peak:
        return peak, min(low, value), deepest
    return value, np.inf, settle_drawdown(peak, low, deepest)


@inline_kernel
def reach_span(close: Floats, span: tuple[int, int], cash: float, quantity: float, water: tuple[float, float, float]) -> Any:
    """`reach_value` by the equity at each close of a span; equity rises and falls with the close, also when rounded."""
    start, stop = span
    peak, low, deepest = water
    if start >= stop:
        return water
    if quantity == 0.0:
        return reach_value(cash, peak, low, deepest)
    bottom, top = find_extremes(close, start, stop)
    if cash + quantity * top < peak:
        return peak, min(low, cash + quantity * bottom), deepest
    for t in range(start, stop):
        peak, low, deepest = reach_value(cash + quantity * close[t], peak, low, deepest)
    return peak, low, deepest


@inline_kernel
def note_days(close: Floats, ends: Ints, day: int, stop: int, cash: float, quantity: float, daily: Floats) -> int:
    """Equity at the days' ends before candle `stop`, from number `day` on. Returns the next day's number."""
    while day < len(ends) and ends[day] < stop:
        daily[day] = cash + quantity * close[ends[day]] if quantity != 0.0 else cash
        day += 1
    return day


@inline_kernel
def next_true(values: Bools, i: int) -> int:
    """Index of the first True from `i` on; NOWHERE if there is none."""
    while i + BLOCK <= len(values):
        found = False
        for j in range(BLOCK):  # no way out of this loop, so that it runs on vectors
            found |= values[i + j]
        if found:
            break
        i += BLOCK
    while i < len(values) and not values[i]:
        i += 1
    return i if i < len(values) else NOWHERE


@inline_kernel
def buy_at(book: KernelBook, t: int, raw: float, weight: float) -> float:
    """What an entry decided at the close before gets at `raw`, the open of `t`, by step 2 of the fill rules. 0: it is refused."""
    setup, state = book.setup[0], book.state[0]
    state.equity = state.cash
    amount, refusal = amount_to_spend(book, 0, size_share(book, 0, t - 1), t - 1, weight, False)
    if refusal != OK:
        return 0.0
    dearest = dearest_price(book, 0, raw)
    quantity, _, refusal = quantity_for(book, 0, amount, dearest, setup.taker, True)
    if refusal != OK:
        return 0.0
    unit = dearest * (1.0 + setup.taker)
    if quantity * unit > state.cash + setup.dust:
        quantity = round_lot(book, 0, state.cash / unit) if state.cash > setup.dust else 0.0
    if quantity <= 0.0:
        return 0.0
    price = buy_price(book, 0, t, raw, quantity)
    pay_purchase(book, quantity * price, quantity * price * setup.taker)
    return quantity


@inline_kernel
def sell_at(book: KernelBook, t: int, raw: float, quantity: float) -> None:
    price = sell_price(book, 0, t, raw, quantity)
    earn_sale(book, quantity * price, quantity * price * book.setup[0].taker)


@inline_kernel
def is_intent(book: KernelBook, weight: Floats, t: int) -> bool:
    if len(weight) > 0 and not weight[t] > 0.0:
        return False
    return book.setup[0].size_kind != VOLATILITY or book.size[0, t] > 0.0


@inline_kernel
def look_ahead(book: KernelBook, masks: tuple[Bools, Bools, Floats], t: int, holds: bool, at: Ints, raw: Floats) -> int:
    """The candles `at` whose closes decide to go in and out in turn, from `t` on, and the opens `raw` after them; how many.

    As if no entry were refused. The opens are fetched together: each lies in memory of its own, and one wait serves many.
    """
    entry, leave, weight = masks
    last, count = book.mark.shape[1] - 1, 0
    while count < len(at):
        t = next_true(leave if holds else entry, t)
        if t >= last:
            break
        if holds or ((len(leave) == 0 or not leave[t]) and is_intent(book, weight, t)):
            at[count] = t
            holds = not holds
            count += 1
        t += 1
    for i in range(count):
        raw[i] = book.open[0, at[i] + 1]
    return count


@njit(cache=True, error_model="numpy")
def walk_plain(
    managed: KernelBook, entry: Bools, leave: Bools, weight: Floats, start: int, ends: Ints, daily: Floats
) -> tuple[int, float]:
    """`simulator.advance_book` for what `Bench.is_plain` names: the same fills and equity, without keeping the books.

    Fills `daily` with the equity at the candles `ends`; returns the number of trades and the maximum drawdown. Signals of candles
    before `start` and of the last one count for nothing. What is decided at candle t is done at the open of t + 1.
    """
    book = borrow_arrays(managed)
    state, close = book.state[0], book.mark[0]
    last = book.mark.shape[1] - 1
    at, raw = np.empty(AHEAD, np.int64), np.empty(AHEAD)
    t, marked, day, quantity, trades, ahead = start, 0, 0, 0.0, 0, AHEAD
    water = (state.cash, np.inf, 0.0)
    while True:
        count = look_ahead(book, (entry, leave, weight), t, quantity > 0.0, at[:ahead], raw)
        ahead = min(2 * ahead, AHEAD)
        for i in range(count):
            t = at[i] + 1
            water = reach_span(close, (marked, t), state.cash, quantity, water)
            day = note_days(close, ends, day, t, state.cash, quantity, daily)
            marked = t
            if quantity > 0.0:
                sell_at(book, t, raw[i], quantity)
                quantity = 0.0
                trades += 1
                continue
            quantity = buy_at(book, t, raw[i], weight[t - 1] if len(weight) > 0 else 1.0)
            if quantity == 0.0:
                ahead = 1  # refused: what was looked at ahead does not hold
                break
        if count == 0:
            break
    water = reach_span(close, (marked, last), state.cash, quantity, water)
    day = note_days(close, ends, day, last, state.cash, quantity, daily)
    if quantity > 0.0:
        sell_at(book, last, close[last], quantity)
        trades += 1
    peak, low, deepest = reach_value(state.cash, *water)
    note_days(close, ends, day, last + 1, state.cash, 0.0, daily)
    return trades, settle_drawdown(peak, low, deepest)


@njit(cache=True, error_model="numpy")
def _compute_figures(daily: Floats, depth: float, elapsed: int, cash: float) -> tuple[float, ...]:
    returns = curve.daily_returns(daily, np.arange(len(daily)), cash)
    final = daily[-1]
    calmar = curve.calmar_ratio(curve.growth_rate(final, cash, elapsed), depth)
    skewness, kurtosis = curve.measure_shape(returns)
    return final, final / cash - 1.0, curve.sharpe_ratio(returns), curve.sortino_ratio(returns), calmar, depth, skewness, kurtosis
