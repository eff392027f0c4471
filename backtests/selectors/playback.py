"""Playback: the candles that the run saw, and its state at any moment, found by bisection."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np

from backtests.artifacts import Artifact
from backtests.models import BacktestRun
from backtests.selectors.runs import open_artifact
from backtests.text import finite_ratio, float_text, float_texts, time_texts
from core.errors import Invalid
from core.text import ms_text
from core.times import to_ms
from engine.grid import find_close
from engine.playback import open_orders
from engine.types import ORDER_STATUSES, ORDER_TYPES, REASONS, REFUSALS, SIDES, Ints

CANDLES = 1_000
MOST_CANDLES = 5_000
MOST_ORDERS = 200
"""Open orders that a state lists; it counts all of them."""
MOST_HAPPENED = 20
REFUSED = ORDER_STATUSES.index("refused")


def playback_candles(
    run: BacktestRun, *, start: datetime | None = None, end: datetime | None = None, symbol: str = "", limit: int = CANDLES
) -> dict[str, Any]:
    """{"symbol", "interval", "results": [{time, open, high, low, close, volume, indicators: {name: number | null}}],
    "fills": [...], "next": start of what is left or None}: candles whose open time is from `start` up to, not including, `end`.
    """
    artifact, number = open_artifact(run), symbol_number(run, symbol)
    time = artifact.candles(number)["time"]
    first = int(np.searchsorted(time, to_ms(start))) if start else 0
    last = int(np.searchsorted(time, to_ms(end))) if end else len(time)
    cut = min(last, first + min(max(limit, 1), MOST_CANDLES))
    return {
        "symbol": run.symbols.split(",")[number],
        "interval": run.interval,
        "results": candle_rows(artifact, number, first, cut),
        "fills": fills_between(run, artifact, number, int(time[first]), int(time[cut - 1])) if cut > first else [],
        "next": ms_text(int(time[cut])) if cut < last else None,
    }


def symbol_number(run: BacktestRun, symbol: str) -> int:
    symbols = run.symbols.split(",")
    if symbol and symbol not in symbols:
        raise Invalid.at("symbol", f"must be one of {', '.join(symbols)}; got {symbol[:40]!r}.")
    return symbols.index(symbol) if symbol else 0


def candle_rows(artifact: Artifact, symbol: int, first: int, last: int) -> list[dict[str, Any]]:
    candles, indicators = artifact.candles(symbol), artifact.indicators(symbol)
    prices = [float_texts(candles[name][first:last].tolist()) for name in ("open", "high", "low", "close", "volume")]
    values = {name: [finite_ratio(value) for value in column[first:last].tolist()] for name, column in indicators.columns.items()}
    return [
        {
            "time": at,
            **dict(zip(("open", "high", "low", "close", "volume"), texts, strict=True)),
            "indicators": {name: column[i] for name, column in values.items()},
        }
        for i, (at, *texts) in enumerate(zip(time_texts(candles["time"][first:last]), *prices, strict=True))
    ]


def fills_between(run: BacktestRun, artifact: Artifact, symbol: int, start: int, end: int) -> list[dict[str, Any]]:
    """The symbol's fills in the candles from `start` to `end` (ms, both included): the marks on a chart."""
    time, table = artifact.equity["time"], artifact.fills_by_symbol
    low, high = np.searchsorted(time, start), np.searchsorted(time, end, side="right")
    mine = symbol_rows(artifact, symbol)
    index = table["index"][mine]
    rows = table["row"][mine][np.searchsorted(index, low) : np.searchsorted(index, high)]
    return [fill_row(run, artifact, int(row)) for row in rows[:MOST_CANDLES]]


def symbol_rows(artifact: Artifact, symbol: int) -> slice:
    numbers = artifact.fills_by_symbol["symbol"]
    return slice(int(np.searchsorted(numbers, symbol)), int(np.searchsorted(numbers, symbol, side="right")))


def playback_state(run: BacktestRun, moment: datetime) -> dict[str, Any]:
    """What the desk held at the close of the candle that is open at `moment`:

    {"time", "closes_at", "index", "candles", "cash", "equity", "drawdown",
    "positions": [{symbol, quantity, average_price, mark, value, unrealised}], "open_orders": [...], "open_order_count",
    "last_fill", "last_order", "last_refusal", "indicators": {symbol: {name: value}}}

    The `last_` three are what happened most recently up to then, each with its reason. `Invalid` outside the run's span.
    """
    artifact = open_artifact(run)
    return state_at(run, artifact, index_at(run, artifact, moment))


def playback_states(run: BacktestRun, *, first: int, count: int) -> list[dict[str, Any]]:
    """The states at `count` candles of the common time line from number `first` on, each with `happened`: the orders that were
    made and the fills that came in that candle. For stepping without waiting."""
    artifact = open_artifact(run)
    last = min(first + count, len(artifact.equity))
    return [
        state_at(run, artifact, index) | {"happened": find_happenings(run, artifact, index)} for index in range(max(first, 0), last)
    ]


def find_happenings(run: BacktestRun, artifact: Artifact, index: int) -> dict[str, list[dict[str, Any]]]:
    fills, made = rows_at(artifact.fills["index"], index), rows_at(artifact.orders["created_index"], index)
    return {
        "fills": [fill_row(run, artifact, row) for row in fills[:MOST_HAPPENED]],
        "orders": [order_row(run, artifact, row) for row in made[:MOST_HAPPENED]],
    }


def rows_at(indices: Ints, index: int) -> range:
    """Rows of a sorted column that hold `index`."""
    return range(int(np.searchsorted(indices, index)), int(np.searchsorted(indices, index, side="right")))


def playback_event(run: BacktestRun, *, index: int, forward: bool, fills_only: bool = False) -> int | None:
    """The number of the nearest candle after (or before) `index` in which something was filled or, unless `fills_only`, ordered."""
    artifact = open_artifact(run)
    columns = [artifact.fills["index"]] if fills_only else [artifact.fills["index"], artifact.orders["created_index"]]
    places = [(column, int(np.searchsorted(column, index, side="right" if forward else "left"))) for column in columns]
    if forward:
        return min((int(column[place]) for column, place in places if place < len(column)), default=None)
    return max((int(column[place - 1]) for column, place in places if place), default=None)


def state_at(run: BacktestRun, artifact: Artifact, index: int) -> dict[str, Any]:
    """The state after candle number `index` of the common time line."""
    time = artifact.equity["time"]
    at = int(time[index])
    done = int(np.searchsorted(artifact.fills["index"], index, side="right"))
    waiting = open_orders(artifact.orders, *artifact.checkpoints, index)
    made = int(np.searchsorted(artifact.orders["created_index"], index, side="right"))
    return {
        "time": ms_text(at),
        "closes_at": ms_text(find_close(run.interval, at)),
        "index": index,
        "candles": len(time),
        "cash": float_text(artifact.fills["cash"][done - 1]) if done else run.config["cash"],
        "equity": float_text(artifact.equity["equity"][index]),
        "drawdown": finite_ratio(artifact.equity["drawdown"][index]),
        "positions": positions_at(run, artifact, index, at),
        "open_orders": [order_row(run, artifact, int(row)) for row in waiting[-MOST_ORDERS:]],
        "open_order_count": len(waiting),
        "last_fill": fill_row(run, artifact, done - 1) if done else None,
        "last_order": order_row(run, artifact, made - 1) if made else None,
        "last_refusal": last_refusal(run, artifact, made),
        "indicators": {symbol: indicators_at(artifact, number, at) for number, symbol in enumerate(run.symbols.split(","))},
    }


def index_at(run: BacktestRun, artifact: Artifact, moment: datetime) -> int:
    time, at = artifact.equity["time"], to_ms(moment)
    end = find_close(run.interval, int(time[-1]))
    if not time[0] <= at <= end:
        last = ms_text(end)
        raise Invalid.at("timestamp", f"must be inside the run, from {ms_text(int(time[0]))} to {last}; got {ms_text(at)}.")
    return int(np.searchsorted(time, at, side="right")) - 1


def positions_at(run: BacktestRun, artifact: Artifact, index: int, at: int) -> list[dict[str, Any]]:
    """What is held after candle `index`, by symbol."""
    held = []
    for number, symbol in enumerate(run.symbols.split(",")):
        mine = symbol_rows(artifact, number)
        done = int(np.searchsorted(artifact.fills_by_symbol["index"][mine], index, side="right"))
        row = int(artifact.fills_by_symbol["row"][mine][done - 1]) if done else -1
        quantity = float(artifact.fills["position"][row]) if done else 0.0
        if quantity > 0:
            mark, average = mark_at(artifact, number, at), float(artifact.fills["average"][row])
            held.append(
                {
                    "symbol": symbol,
                    "quantity": float_text(quantity),
                    "average_price": float_text(average),
                    "mark": float_text(mark),
                    "value": float_text(quantity * mark),
                    "unrealised": float_text(quantity * (mark - average)),
                }
            )
    return held


def mark_at(artifact: Artifact, symbol: int, at: int) -> float:
    """The last known close."""
    candles = artifact.candles(symbol)
    return float(candles["close"][candle_at(candles["time"], at)])


def candle_at(time: Ints, at: int) -> int:
    return int(np.searchsorted(time, at, side="right")) - 1


def indicators_at(artifact: Artifact, symbol: int, at: int) -> dict[str, float | None]:
    """The indicators at the symbol's last candle; all unknown before its first."""
    row = candle_at(artifact.candles(symbol)["time"], at)
    return {name: finite_ratio(column[row]) if row >= 0 else None for name, column in artifact.indicators(symbol).columns.items()}


def last_refusal(run: BacktestRun, artifact: Artifact, made: int) -> dict[str, Any] | None:
    """The newest of the first `made` orders that the engine refused."""
    refused = np.flatnonzero(artifact.orders["status"] == REFUSED)
    before = int(np.searchsorted(refused, made))
    return order_row(run, artifact, int(refused[before - 1])) if before else None


def order_row(run: BacktestRun, artifact: Artifact, row: int) -> dict[str, Any]:
    """An order as a row, JSON-ready. `order` counts from 1, in the order they were made; `closed_at` is None while it is open."""
    orders, time = artifact.orders, artifact.equity["time"]
    closed = int(orders["closed_index"][row])
    return {
        "order": row + 1,
        "symbol": run.symbols.split(",")[int(orders["symbol"][row])],
        "side": SIDES[orders["side"][row]],
        "type": ORDER_TYPES[orders["type"][row]],
        "reason": REASONS[orders["reason"][row]],
        "created_at": ms_text(int(time[orders["created_index"][row]])),
        "closed_at": ms_text(int(time[closed])) if closed >= 0 else None,
        "limit": float_text(orders["limit"][row]),
        "stop": float_text(orders["stop"][row]),
        "quantity": float_text(orders["quantity"][row]),
        "status": ORDER_STATUSES[orders["status"][row]],
        "refusal": REFUSALS[orders["refusal"][row]] or None,
    }


def fill_row(run: BacktestRun, artifact: Artifact, row: int) -> dict[str, Any]:
    """A fill as a row, JSON-ready, with cash and position after it. `row` is its place in the table, from 0."""
    fills, orders = artifact.fills, artifact.orders
    order = int(fills["order"][row])
    return {
        "fill": row + 1,
        "order": order + 1,
        "symbol": run.symbols.split(",")[int(fills["symbol"][row])],
        "side": SIDES[orders["side"][order]],
        "type": ORDER_TYPES[orders["type"][order]],
        "reason": REASONS[orders["reason"][order]],
        "time": ms_text(int(artifact.equity["time"][fills["index"][row]])),
        "maker": bool(fills["maker"][row]),
        **{name: float_text(fills[name][row]) for name in ("price", "quantity", "fee", "slippage")},
        **{f"{name}_after": float_text(fills[name][row]) for name in ("cash", "position")},
    }
