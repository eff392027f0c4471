"""Candle tables: a dozen candles written down, and what must result, short enough to check by eye."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.simulator import simulate
from engine.types import ORDER_STATUSES, ORDER_TYPES, REASONS, REFUSALS, SIDES, Account, Candles, Ladder, Signals
from tests.engine.reference import simulate_reference

NAMES = "AB"
MINUTE = 60_000


@dataclass(frozen=True)
class Outcome:
    """Trades as `10: 1 @100 -> 2 @80 stop_loss` (quantity: bought when, at what -> sold when, at what, why), orders that did not
    fill as `0 buy limit expired 2` (made when, what, how it ended, when, why refused); before it the symbol if there are two."""

    trades: list[str]
    unfilled: list[str]
    cash: float
    equity: list[float]


@dataclass(frozen=True)
class Wish:
    """One symbol's signals by the candle at whose close they are given."""

    entry: tuple[int, ...] = ()
    exit: tuple[int, ...] = ()
    entry_limit: Mapping[int, float] | None = None
    entry_stop: Mapping[int, float] | None = None
    exit_limit: Mapping[int, float] | None = None
    exit_stop: Mapping[int, float] | None = None
    weight: Mapping[int, float] | None = None
    target: Mapping[int, float] | None = None
    ladder: Ladder | None = None

    def signals(self, length: int) -> Signals:
        index = np.arange(length)
        columns = ("entry_limit", "entry_stop", "exit_limit", "exit_stop", "weight", "target")
        limit_in, stop_in, limit_out, stop_out, weight, target = (column(getattr(self, name), length) for name in columns)
        entry = np.isin(index, [*self.entry, *(self.entry_limit or ()), *(self.entry_stop or ())])
        leave = np.isin(index, [*self.exit, *(self.exit_limit or ()), *(self.exit_stop or ())])
        return Signals(entry, leave, limit_in, stop_in, limit_out, stop_out, weight, target, self.ladder)


def column(values: Mapping[int, float] | None, length: int) -> np.ndarray[Any, Any] | None:
    return None if values is None else np.array([values.get(t, np.nan) for t in range(length)])


def candles(text: str, symbol: str = "A") -> Candles:
    """`O H L C` or `O H L C V` a line; `-` is a candle that is missing. Without V, a million."""
    lines = [line.split("#")[0].split() for line in text.strip().splitlines()]
    rows = np.array([[float(word) for word in (*line, "1e6")[:5]] for line in lines if line != ["-"]])
    time = np.array([t * MINUTE for t, line in enumerate(lines) if line != ["-"]], dtype=np.int64)
    return Candles(symbol, "1m", time, *(np.ascontiguousarray(rows[:, k]) for k in range(5)))


def by_kernel(account: Account, series: list[Candles], wants: list[Signals], warmup: int, position: str) -> Outcome:
    got = simulate(account, series, wants, warmup=warmup, position=position)
    trades, orders, two = got.trades, got.orders, len(series) > 1
    return Outcome(
        [
            trade_words(
                two,
                trades["symbol"][k],
                (trades["quantity"][k], trades["entry_index"][k], trades["entry_price"][k]),
                (trades["exit_index"][k], trades["exit_price"][k], REASONS[trades["exit_reason"][k]]),
            )
            for k in range(len(trades))
        ],
        sorted(
            order_words(
                two,
                orders["symbol"][k],
                orders["created_index"][k],
                (SIDES[orders["side"][k]], ORDER_TYPES[orders["type"][k]]),
                (ORDER_STATUSES[orders["status"][k]], orders["closed_index"][k], REFUSALS[orders["refusal"][k]]),
            )
            for k in range(len(orders))
            if ORDER_STATUSES[orders["status"][k]] != "filled"
        ),
        got.final_cash,
        got.equity.tolist(),
    )


def by_reference(account: Account, series: list[Candles], wants: list[Signals], warmup: int, position: str) -> Outcome:
    got, two = simulate_reference(account, series, wants, warmup=warmup, position=position), len(series) > 1
    return Outcome(
        [
            trade_words(
                two,
                one.symbol,
                (float(one.quantity), one.entry_index, float(one.entry_price)),
                (one.exit_index, float(one.exit_price), one.exit_reason),
            )
            for one in got.trades
        ],
        sorted(
            order_words(two, one.symbol, one.created, (one.side, one.type), (one.status, one.closed, one.refusal))
            for one in got.orders
            if one.status != "filled"
        ),
        float(got.final_cash),
        [float(one) for one in got.equity],
    )


def trade_words(two: bool, symbol: int, bought: tuple[float, int, float], sold: tuple[int, float, str]) -> str:
    quantity, entry, paid = bought
    leave, got, reason = sold
    return f"{NAMES[symbol] + ' ' if two else ''}{quantity:.6g}: {entry} @{paid:.6g} -> {leave} @{got:.6g} {reason}"


def order_words(two: bool, symbol: int, created: int, what: tuple[str, str], end: tuple[str, int, str]) -> str:
    return f"{NAMES[symbol] + ' ' if two else ''}{created} {' '.join(what)} {' '.join(map(str, end))}".rstrip()
