"""The simulator's state: tables of records that its compiled functions share.

Every function of the kernel takes a `KernelBook`. Records instead of objects: numba reads a field of a record as one load, and the
finished tables leave as columns without a copy loop in Python.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numba import njit
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from engine.types import REMEMBERED, Floats, Ints

Records: TypeAlias = NDArray[Any]
Function = TypeVar("Function", bound=Callable[..., Any])


# No entry points for Python: unpacking the bundle in each function would take most of the compilation.
UNWRAPPED: dict[str, Any] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def inline_kernel(function: Function) -> Function:
    """Compile the function into its callers. A call would copy the whole bundle of arrays; inlined, code touches what it uses."""
    compiled: Function = njit(forceinline=True, **UNWRAPPED)(function)
    return compiled


def call_kernel(function: Function) -> Function:
    """Compile the function on its own: for parts that are big and rarely reached."""
    compiled: Function = njit(**UNWRAPPED)(function)
    return compiled


SETUP = np.dtype(
    [
        ("mode", "i8"),
        ("maker", "f8"),
        ("taker", "f8"),
        ("slippage_kind", "i8"),
        ("slippage", "f8"),
        ("max_share", "f8"),
        ("impact", "f8"),
        ("size_kind", "i8"),
        ("size_value", "f8"),
        ("size_cap", "f8"),
        ("size_min_trades", "i8"),
        ("stop_loss", "f8"),
        ("take_profit", "f8"),
        ("trailing", "f8"),
        ("max_candles", "i8"),
        ("max_open", "i8"),
        ("symbol_cap", "f8"),
        ("ttl", "i8"),
        ("protected", "?"),  # whether lots have any exit of their own
        ("dust", "f8"),  # amounts of money up to this are rounding noise
        ("cash", "f8"),  # to start with
        ("guarded", "?"),  # whether any protection is on
        ("cooldown", "i8"),
        ("stop_count", "i8"),
        ("stop_window", "i8"),
        ("stop_pause", "i8"),
        ("stop_all", "?"),  # stops of all symbols bar all symbols
        ("drawdown", "f8"),
        ("drawdown_window", "i8"),
        ("drawdown_trades", "i8"),
        ("drawdown_pause", "i8"),
        ("profit_least", "f8"),
        ("profit_window", "i8"),
        ("profit_trades", "i8"),
        ("profit_pause", "i8"),
        ("money", "f8"),  # one over the smallest step of money; 0: none, it is kept as floats come
        ("reserve", "f8"),  # share that a market purchase is sized below what it may spend; 0 where the kernel itself fills it
    ]
)
STATE = np.dtype(
    [
        ("cash", "f8"),
        ("held", "f8"),  # cash set aside for resting entries
        ("equity", "f8"),  # at the last close
        ("closed", "i8"),  # trades so far, for Kelly sizing
        ("wins", "i8"),
        ("win_returns", "f8"),
        ("loss_returns", "f8"),
        ("targets", "i8"),  # that wait
        ("lots", "i8"),  # rows in use of each table
        ("working", "i8"),
        ("resting", "i8"),  # of the working ones, those at a price
        ("orders", "i8"),
        ("fills", "i8"),
        ("trades", "i8"),
        ("next_intent", "i8"),
        ("next_lot", "i8"),
        ("now", "i8"),  # the next candle
        ("barred_until", "i8"),  # no symbol gets an entry that is decided before this candle's close
        ("past", "i8"),  # trades that have closed whole, while protections are on; the newest of them stand in the rings below
        ("past_total", "f8"),  # their profit
        ("past_at", "i4", REMEMBERED),
        ("past_symbol", "i2", REMEMBERED),
        ("past_stopped", "i1", REMEMBERED),  # 1: by a stop, at a loss
        ("past_profit", "f8", REMEMBERED),
        ("past_return", "f8", REMEMBERED),
    ]
)
SYMBOL = np.dtype(
    [
        ("position", "f8"),
        ("held", "f8"),
        ("lots", "i8"),
        ("used", "f8"),  # volume taken in candle used_at
        ("used_at", "i8"),
        ("target", "f8"),
        ("target_at", "i8"),  # when it was decided; -1: none waits
        ("tick", "f8"),
        ("lot", "f8"),
        ("min_notional", "f8"),
        ("barred_until", "i8"),  # as in the state, for this symbol
        ("target_barred", "?"),  # it was decided while the symbol was barred: it may only sell
    ]
)
MAXIMA = np.dtype(
    [
        ("limited", "?"),  # whether any of these is finite
        ("market_quantity", "f8"),  # of one order
        ("market_value", "f8"),
        ("limit_quantity", "f8"),
        ("limit_value", "f8"),
        ("position", "f8"),
    ]
)
"""What purchases of a symbol may ask for at most. No part of a stored snapshot: the rules say it anew."""
RUNG = np.dtype(
    [
        ("symbol", "i8"),
        ("start", "i8"),
        ("weight", "f8"),
        ("buy", "f8"),
        ("sell", "f8"),
        ("order", "i8"),
        ("lot", "i8"),
        ("refused", "i8"),
    ]
)
LOT = np.dtype(
    [
        ("id", "i8"),
        ("symbol", "i8"),
        ("quantity", "f8"),
        ("price", "f8"),  # average, without fees
        ("fees", "f8"),
        ("slippage", "f8"),
        ("entry", "i8"),
        ("entry_ordinal", "i8"),  # `entry` counted in candles of the symbol
        ("highest", "f8"),
        ("born_inside", "?"),  # opened by a stop inside candle `entry`
        ("inside_at", "i8"),  # the candle inside which it was last bought
        ("take", "f8"),  # a rung's own price
        ("order", "i8"),
        ("rung", "i8"),
        ("reason", "i8"),
        ("exit", "i8"),  # the order that is queued to sell it; -1: none
        ("profit", "f8"),  # of its parts already sold, what was paid for them, when the last one was sold, and why
        ("paid", "f8"),
        ("sold_at", "i8"),
        ("sold_for", "i8"),
    ]
)
WORKING = np.dtype(
    [
        ("order", "i8"),  # -1: over
        ("symbol", "i8"),
        ("side", "i8"),
        ("kind", "i8"),
        ("limit", "f8"),
        ("stop", "f8"),
        ("left", "f8"),  # -1: not sized yet
        ("weight", "f8"),
        ("share", "f8"),  # of equity, that volatility sizing allowed at the decision
        ("placed", "i8"),
        ("placed_ordinal", "i8"),  # of a resting entry: `placed` counted in candles of the symbol
        ("fresh", "i8"),  # 1 until its first candle is over
        ("triggered_at", "i8"),
        ("held", "f8"),
        ("reason", "i8"),
        ("rung", "i8"),
        ("got", "f8"),
        ("take", "f8"),
    ]
)
ORDER = np.dtype(
    [
        ("symbol", "i2"),
        ("side", "i1"),
        ("type", "i1"),
        ("reason", "i1"),
        ("created_index", "i8"),
        ("closed_index", "i8"),
        ("limit", "f8"),
        ("stop", "f8"),
        ("quantity", "f8"),
        ("status", "i1"),
        ("refusal", "i1"),
    ]
)
FILL = np.dtype(
    [
        ("order", "i8"),
        ("index", "i8"),
        ("price", "f8"),
        ("quantity", "f8"),
        ("fee", "f8"),
        ("slippage", "f8"),
        ("maker", "?"),
        ("cash", "f8"),
        ("position", "f8"),
    ]
)
TRADE = np.dtype(
    [
        ("symbol", "i2"),
        ("entry_index", "i8"),
        ("exit_index", "i8"),
        ("entry_price", "f8"),
        ("exit_price", "f8"),
        ("quantity", "f8"),
        ("fees", "f8"),
        ("slippage", "f8"),
        ("profit", "f8"),
        ("return", "f8"),
        ("entry_reason", "i1"),
        ("exit_reason", "i1"),
    ]
)

# Codes, as in types.ORDER_TYPES and its fellows.
BUY, SELL = range(2)
MARKET, LIMIT, STOP, STOP_LIMIT = range(4)
OPEN, FILLED, CANCELLED, EXPIRED, REFUSED = range(5)
ENTRY_SIGNAL, EXIT_SIGNAL, REBALANCE, LADDER, STOP_LOSS, TAKE_PROFIT, TRAILING_STOP, TIME_LIMIT, END_OF_DATA, BY_HAND = range(10)
OK, NO_CASH, BELOW_LOT, BELOW_NOTIONAL, TOO_MANY, OVER_CAP, BAD_PRICE, PROTECTION, ABOVE_MAXIMUM = range(9)
SINGLE, MERGE, SEPARATE = range(3)
OVER = -1
UNSIZED = -1.0


class KernelBook(NamedTuple):
    """Terms, state and candles of one simulation. Candles lie as (symbols, times), NaN where a symbol has none."""

    setup: Records
    state: Records
    symbols: Records
    maxima: Records
    rungs: Records
    lots: Records
    working: Records
    orders: Records
    fills: Records
    trades: Records
    equity: Floats
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    mark: Floats
    """The last known close."""
    size: Floats
    """Share of equity that volatility sizing allows, by the candle of the decision; empty for other sizings."""
    ordinal: Ints
    """How many candles the symbol had before; empty where that is the index itself."""


CANDLE_FIELDS = frozenset({"open", "high", "low", "close", "volume", "mark", "size", "ordinal"})
"""Those that lie as (symbols, times)."""


def open_array(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """For intrinsics: the struct of an array, without the array's owner. The caller must keep the array alive."""
    struct = context.make_array(kind)(context, builder, value)
    struct.meminfo = cgutils.get_null_value(struct.meminfo.type)
    struct.parent = cgutils.get_null_value(struct.parent.type)
    return struct


def _borrow_arrays(typing: Any, bundle: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.return_type
        values = (builder.extract_value(arguments[0], i) for i in range(len(kinds)))
        structs = [open_array(context, builder, kind, value) for kind, value in zip(kinds.types, values, strict=True)]
        return context.make_tuple(builder, kinds, [struct._getvalue() for struct in structs])

    return bundle(bundle), codegen


borrow_arrays: Any = intrinsic(_borrow_arrays)
"""A named tuple of the same arrays without reference counts, which would be taken and dropped at every touch inside the kernel."""


@inline_kernel
def has_candle(book: KernelBook, s: int, t: int) -> bool:
    return not np.isnan(book.close[s, t])


@inline_kernel
def ordinal_at(book: KernelBook, s: int, t: int) -> int:
    """The number of the symbol's candle at `t`, counted in candles of its own."""
    return int(book.ordinal[s, t]) if book.ordinal.shape[1] else t


@inline_kernel
def free_cash(book: KernelBook) -> float:
    return book.state[0].cash - book.state[0].held


@inline_kernel
def mark_equity(book: KernelBook, t: int) -> float:
    """Cash and positions at the last known closes."""
    total = book.state[0].cash
    for s in range(len(book.symbols)):
        if book.symbols[s].position != 0.0:
            total += book.symbols[s].position * book.mark[s, t]
    return total


class Terms(NamedTuple):
    """What an order is to do: `kind` is a code of its type, `t` the candle at which it was decided, prices are NaN for none."""

    symbol: int
    side: int
    kind: int
    reason: int
    t: int
    limit: float
    stop: float


class KernelFill(NamedTuple):
    """One execution. `fee` and `slippage` in quote."""

    t: int
    price: float
    quantity: float
    fee: float
    slippage: float
    maker: bool


@inline_kernel
def market_terms(s: int, side: int, reason: int, t: int) -> Terms:
    return Terms(s, side, MARKET, reason, t, np.nan, np.nan)


@inline_kernel
def new_order(book: KernelBook, terms: Terms, quantity: float) -> int:
    """A row in the order table, open. Returns its number."""
    number = book.state[0].orders
    book.state[0].orders += 1
    row = book.orders[number]
    row.symbol = terms.symbol
    row.side = terms.side
    row.type = terms.kind
    row.reason = terms.reason
    row.created_index = terms.t
    row.closed_index = -1
    row.limit = terms.limit
    row.stop = terms.stop
    row.quantity = quantity
    row.status = OPEN
    row.refusal = OK
    return int(number)


@inline_kernel
def close_order(book: KernelBook, order: int, t: int, status: int, refusal: int) -> None:
    row = book.orders[order]
    row.closed_index = t
    row.status = status
    row.refusal = refusal


@inline_kernel
def record_fill(book: KernelBook, order: int, s: int, fill: KernelFill) -> None:
    row = book.fills[book.state[0].fills]
    book.state[0].fills += 1
    row.order = order
    row.index = fill.t
    row.price = fill.price
    row.quantity = fill.quantity
    row.fee = fill.fee
    row.slippage = fill.slippage
    row.maker = fill.maker
    row.cash = book.state[0].cash
    row.position = book.symbols[s].position
