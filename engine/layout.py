"""From candles and signals to the kernel's arrays, and from its tables to a `Simulation`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import Invalid
from engine.book import (
    CANDLE_FIELDS,
    FILL,
    LOT,
    MAXIMA,
    MERGE,
    ORDER,
    RUNG,
    SEPARATE,
    SETUP,
    SINGLE,
    STATE,
    SYMBOL,
    TRADE,
    WORKING,
    KernelBook,
    Records,
)
from engine.matching import SLIPPAGE_KINDS
from engine.order_rules import largest_size
from engine.sizing import SIZING_KINDS
from engine.types import Account, Bools, Candles, Floats, Ints, Protections, Rules, Signals, Simulation, Sizing, Table

MODES = {"single": SINGLE, "merge": MERGE, "lots": SEPARATE}
INTENT_EXIT, INTENT_ENTRY, INTENT_TARGET = range(3)
YEAR_MS = 365 * 86_400_000
MONEY_PLACES, MOST_PLACES = 8, 15
"""Decimal places that money is counted with, at least and at most."""
DUST = 1e-9
"""Share of the starting cash up to which an amount of money counts as none."""


class IntentTable(NamedTuple):
    """The strategies' intents, by time, then symbol, exits before entries."""

    time: Ints
    symbol: Ints
    kind: Ints
    limit: Floats
    stop: Floats
    weight: Floats
    """For a target: the share to hold."""


class CandleMatrix(NamedTuple):
    """Candles of all symbols on one time line, as (symbols, times)."""

    time: Ints
    places: tuple[Ints | None, ...]
    """Where each symbol's candles lie on the time line; None: everywhere, in order."""
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    mark: Floats
    size: Floats
    ordinal: Ints


def common_time(candles: Sequence[Candles]) -> tuple[Ints, tuple[Ints | None, ...]]:
    """The sorted union of all open times, and each symbol's place on it."""
    if not candles or any(len(each) == 0 for each in candles):
        raise Invalid("There are no candles to run on.", code="no_candles")
    first = candles[0].time
    if all(each.time is first or np.array_equal(each.time, first) for each in candles):
        return first, (None,) * len(candles)
    time = np.unique(np.concatenate([each.time for each in candles]))
    return time, tuple(np.searchsorted(time, each.time) for each in candles)


def lay_out(account: Account, candles: Sequence[Candles]) -> CandleMatrix:
    time, places = common_time(candles)

    def rows(name: str) -> Floats:
        return table_of([getattr(each, name) for each in candles], places, len(time))

    close, volume = rows("close"), rows("volume")
    mark, ordinal = close, np.empty((len(candles), 0), dtype=np.int64)
    if any(place is not None for place in places):
        mark, volume = last_known(close), last_known(volume)  # the sale at the end looks at the last candle's volume
        ordinal = np.cumsum(~np.isnan(close), axis=1) - 1
    size = np.empty((len(candles), 0))
    if account.sizing.kind == "volatility":
        size = table_of([volatility_share(account.sizing, each) for each in candles], places, len(time))
    return CandleMatrix(time, places, rows("open"), rows("high"), rows("low"), close, volume, mark, size, ordinal)


def table_of(columns: Sequence[Floats], places: Sequence[Ints | None], length: int) -> Floats:
    """One row a symbol, NaN where it has no candle. A single symbol's column is used as it is, without copying."""
    if len(columns) == 1 and places[0] is None:
        return np.require(columns[0], np.float64, ["C", "W", "A"]).reshape(1, -1)
    table = np.full((len(columns), length), np.nan)
    for row, (column, place) in enumerate(zip(columns, places, strict=True)):
        table[row, slice(None) if place is None else place] = column
    return table


def last_known(close: Floats) -> Floats:
    """Each row with its NaNs replaced by the value before them."""
    index = np.where(np.isnan(close), 0, np.arange(close.shape[1]))
    filled = np.maximum.accumulate(index, axis=1)
    return np.take_along_axis(close, filled, axis=1)


def volatility_share(sizing: Sizing, candles: Candles) -> Floats:
    """min(cap, value / yearly volatility) at each close; NaN where volatility is not known or zero.

    Volatility: standard deviation (n - 1) of the last `lookback` log returns x sqrt(candles in 365 days).
    """
    share = np.full(len(candles), np.nan)
    n = sizing.lookback
    if len(candles) <= n:
        return share
    returns = np.diff(np.log(candles.close))
    deviation = np.lib.stride_tricks.sliding_window_view(returns, n).std(axis=1, ddof=1)
    volatility = deviation * np.sqrt(YEAR_MS / candles.step)
    known = np.flatnonzero(volatility > 1e-12)
    share[known + n] = np.minimum(sizing.cap, sizing.value / volatility[known])
    return share


def intent_table_of(signals: Sequence[Signals], places: Sequence[Ints | None], warmup: int) -> IntentTable:
    """The intents of all symbols in the order in which the kernel meets them."""
    start = max(0, warmup - 1)
    parts = [part for s, each in enumerate(signals) for part in intents_of(each, s, places[s], start)]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else [np.empty(0)] * 6
    time, symbol, kind = (column.astype(np.int64) for column in columns[:3])
    limit, stop, weight = (column.astype(np.float64) for column in columns[3:])
    if len(parts) > 1:
        order = np.lexsort((kind, symbol, time))
        time, symbol, kind = time[order], symbol[order], kind[order]
        limit, stop, weight = limit[order], stop[order], weight[order]
    return IntentTable(time, symbol, kind, limit, stop, weight)


def intents_of(signals: Signals, s: int, place: Ints | None, start: int) -> list[tuple[NDArray[Any], ...]]:
    """One symbol's exits, entries and targets, each as (time, symbol, kind, limit, stop, weight)."""
    parts: list[tuple[NDArray[Any], ...]] = []

    def part(wanted: Bools, kind: int, limit: Floats | None, stop: Floats | None, weight: Floats | None) -> None:
        index = start + np.flatnonzero(wanted[start:])
        nan = np.full(len(index), np.nan)
        prices = [nan if column is None else column[index] for column in (limit, stop)]
        weights = np.ones(len(index)) if weight is None else weight[index]
        where = index if place is None else place[index]
        parts.append((where, np.full(len(index), s), np.full(len(index), kind), *prices, weights))

    if signals.target is not None:
        part(np.isfinite(signals.target), INTENT_TARGET, None, None, signals.target)
        return parts
    leave, enter = signals.exit, signals.entry
    if leave is not None:
        part(leave, INTENT_EXIT, signals.exit_limit, signals.exit_stop, None)
    if enter is not None:
        enter = enter if leave is None else enter & ~leave
        part(enter, INTENT_ENTRY, signals.entry_limit, signals.entry_stop, signals.weight)
    return parts


def rungs_of(signals: Sequence[Signals], places: Sequence[Ints | None], start: int) -> Records:
    """The rungs of all ladders."""
    parts = [np.zeros(0, RUNG)]
    for s, each in enumerate(signals):
        ladder, place = each.ladder, places[s]
        if ladder is None:
            continue
        first = max(start, ladder.start)
        if place is not None and first >= len(place):
            continue  # it would start after the symbol's last candle
        rungs = np.zeros(len(ladder.buy), RUNG)
        rungs["symbol"] = s
        rungs["start"] = first if place is None else place[first]
        rungs["weight"] = 1.0 / max(1, len(ladder.buy))
        rungs["buy"], rungs["sell"] = ladder.buy, ladder.sell
        rungs["order"] = rungs["lot"] = -1
        parts.append(rungs)
    return np.concatenate(parts)


def setup_of(account: Account, position: str) -> Records:
    setup = np.zeros(1, SETUP)
    slippage, sizing, exits = account.slippage, account.sizing, account.exits
    values = {
        "mode": MODES[position],
        "maker": account.fees.maker,
        "taker": account.fees.taker,
        "slippage_kind": SLIPPAGE_KINDS.index(slippage.kind),
        "slippage": slippage.value,
        "max_share": slippage.max_share,
        "impact": slippage.impact,
        "size_kind": SIZING_KINDS.index(sizing.kind),
        "size_value": sizing.value,
        "size_cap": sizing.cap,
        "size_min_trades": sizing.min_trades,
        "stop_loss": exits.stop_loss,
        "take_profit": exits.take_profit,
        "trailing": exits.trailing_stop,
        "max_candles": exits.max_candles,
        "max_open": account.limits.max_open_positions,
        "symbol_cap": account.limits.symbol_cap,
        "ttl": account.order_ttl,
        "protected": bool(exits.stop_loss or exits.take_profit or exits.trailing_stop or exits.max_candles),
        "dust": account.cash * DUST,
        "cash": account.cash,
        "money": money_scale(account.cash, account.rules),
        **guards_of(account.protections),
    }
    for name, value in values.items():
        setup[name] = value
    return setup


@lru_cache(maxsize=1024)
def money_scale(cash: float, rules: Sequence[Rules]) -> float:
    """One over the step in which fees and cash are counted: that of price x quantity, and not above 1e-8. 0 where a symbol has no
    tick or no lot size: its amounts have no last place."""
    if not all(rule.tick > 0.0 and rule.lot > 0.0 for rule in rules):
        return 0.0
    places = max(decimal_places(rule.tick) + decimal_places(rule.lot) for rule in rules)
    return float(10 ** min(MOST_PLACES, max(MONEY_PLACES, places, decimal_places(cash))))


def decimal_places(value: float) -> int:
    """Of the number as it is written."""
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -int(exponent))


def guards_of(protections: Protections) -> dict[str, Any]:
    numbers = {name: getattr(protections, name) for name in Protections.__dataclass_fields__ if name != "stop_scope"}
    return numbers | {"guarded": protections.on, "stop_all": protections.stop_scope == "all"}


def new_book(
    account: Account, position: str, matrix: CandleMatrix, signals: Sequence[Signals], warmup: int, intents: int
) -> KernelBook:
    """A book before its first candle, with room for so many `intents`."""
    rungs = rungs_of(signals, matrix.places, max(0, warmup - 1))
    # Memory is taken when it is touched, so room for every intent costs nothing until it is filled.
    rows = 256 + 8 * (len(signals) + len(rungs))
    kinds = {"lots": LOT, "working": WORKING, "orders": ORDER, "fills": FILL, "trades": TRADE}
    lengths = {name: rows if name in ("lots", "working") else rows + intents for name in kinds}
    tables: dict[str, Any] = {name: np.zeros(lengths[name], kind) for name, kind in kinds.items()}
    return KernelBook(
        setup=setup_of(account, position),
        state=first_state(account),
        symbols=symbol_rows(account, len(signals)),
        maxima=maxima_rows(account),
        rungs=rungs,
        equity=np.empty(len(matrix.time)),
        **tables,
        **{name: getattr(matrix, name) for name in CANDLE_FIELDS},
    )


def first_state(account: Account) -> Records:
    state = np.zeros(1, STATE)
    state["cash"] = state["equity"] = account.cash
    return state


def symbol_rows(account: Account, count: int) -> Records:
    """A row for each symbol, with the venue's rules for it."""
    symbols = np.zeros(count, SYMBOL)
    symbols["used_at"] = symbols["target_at"] = -1
    for row, rule in zip(symbols, account.rules, strict=True):
        row["tick"], row["lot"], row["min_notional"] = rule.tick, rule.lot, rule.min_notional
    return symbols


def maxima_rows(account: Account) -> Records:
    """A row for each symbol, with what the venue's rules let a purchase ask for."""
    maxima = np.zeros(len(account.rules), MAXIMA)
    for row, rules in zip(maxima, account.rules, strict=True):
        write_maxima(row, rules)
    return maxima


def write_maxima(row: Any, rules: Rules) -> None:
    row["market_quantity"], row["market_value"] = largest_size(rules, market=True)
    row["limit_quantity"], row["limit_value"] = largest_size(rules, market=False)
    row["position"] = rules.max_position or np.inf
    row["limited"] = any(row[name] < np.inf for name in MAXIMA.names or () if name != "limited")


def with_more_room(book: KernelBook) -> KernelBook:
    """The same book with every table twice as long."""
    names = ("lots", "working", "orders", "fills", "trades")
    longer = {name: np.concatenate([getattr(book, name), np.zeros_like(getattr(book, name))]) for name in names}
    return book._replace(**longer)


def simulation_of(time: Ints, book: KernelBook) -> Simulation:
    state = book.state[0]

    def table(records: Records) -> Table:
        names = records.dtype.names or ()
        return Table({name: np.ascontiguousarray(records[name]) for name in names})

    return Simulation(
        time=time,
        equity=book.equity,
        orders=table(book.orders[: state["orders"]]),
        fills=table(book.fills[: state["fills"]]),
        trades=table(book.trades[: state["trades"]]),
        final_cash=float(state["cash"]),
    )
