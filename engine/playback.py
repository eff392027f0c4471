"""Columns made once after a run, so that its state at any moment is found by bisection.

The state after candle `i` needs the last fill up to `i` (cash), each symbol's last fill up to `i` (quantity, average price), and
the orders open then. `by_symbol` orders fills for the second; `make_checkpoints` lists the open orders now and then for the third.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from engine.types import Floats, Ints, Simulation, Table

SPACING = 256
"""Orders between two checkpoints at least; where more are open, as many as are open, so that all together stay linear in size."""


@njit(cache=True)
def average_prices(symbol: Ints, buys: Ints, price: Floats, quantity: Floats, position: Floats, symbols: int) -> Floats:
    """After each fill, what its symbol's position cost a unit on average, without fees; NaN when nothing is held."""
    average = np.full(len(symbol), np.nan)
    last = np.full(symbols, np.nan)
    held = np.zeros(symbols)
    for i in range(len(symbol)):
        s = symbol[i]
        if position[i] <= 0.0:
            last[s] = np.nan
        elif buys[i]:
            cost = last[s] * held[s] if held[s] > 0.0 else 0.0
            last[s] = (cost + price[i] * quantity[i]) / (max(held[s], 0.0) + quantity[i])
        held[s] = position[i]
        average[i] = last[s]
    return average


@njit(cache=True)
def open_at_checkpoints(created: Ints, closed: Ints, spacing: int) -> tuple[Ints, Ints, Ints]:
    """(positions, offsets, rows): rows[offsets[k]:offsets[k + 1]] are the orders before positions[k] that may still be open
    when order positions[k] is created."""
    n = len(created)
    positions, offsets = np.empty(n // spacing + 1, dtype=np.int64), np.zeros(n // spacing + 2, dtype=np.int64)
    rows = np.empty(max(2 * n, 16), dtype=np.int64)
    open_rows = np.empty(n, dtype=np.int64)
    count = used = marks = since = alive = 0
    for i in range(n):
        if since >= spacing and since >= alive:
            alive = 0
            for k in range(count):
                if closed[open_rows[k]] < 0 or closed[open_rows[k]] > created[i]:
                    open_rows[alive] = open_rows[k]
                    alive += 1
            count = alive
            if used + count > len(rows):
                more = np.empty(2 * (used + count), dtype=np.int64)
                more[:used] = rows[:used]
                rows = more
            positions[marks] = i
            rows[used : used + count] = open_rows[:count]
            used += count
            marks += 1
            offsets[marks] = used
            since = 0
        open_rows[count] = i
        count += 1
        since += 1
    return positions[:marks], offsets[: marks + 1], rows[:used]


def fills_with_averages(simulation: Simulation, symbols: int) -> Table:
    """The fills with two more columns: `symbol` and `average`."""
    orders, fills = simulation.orders, simulation.fills
    symbol = orders["symbol"][fills["order"]].astype(np.int64)
    buys = (orders["side"][fills["order"]] == 0).astype(np.int64)
    average = average_prices(symbol, buys, fills["price"], fills["quantity"], fills["position"], symbols)
    return Table({**fills.columns, "symbol": symbol, "average": average})


def by_symbol(fills: Table) -> Table:
    """Rows of the fills grouped by symbol, in time order within each."""
    row = np.argsort(fills["symbol"], kind="stable")
    return Table({"symbol": fills["symbol"][row], "row": row, "index": fills["index"][row]})


def make_checkpoints(orders: Table) -> tuple[Table, Table]:
    """(marks, rows) of `open_at_checkpoints`."""
    created, closed = orders["created_index"].astype(np.int64), orders["closed_index"].astype(np.int64)
    positions, offsets, rows = open_at_checkpoints(created, closed, SPACING)
    return Table({"position": positions, "start": offsets[:-1], "stop": offsets[1:]}), Table({"row": rows})


def open_orders(orders: Table, marks: Table, rows: Table, index: int) -> Ints:
    """Rows of the orders that wait after candle `index`, oldest first."""
    created, closed = orders["created_index"], orders["closed_index"]
    made = int(np.searchsorted(created, index, side="right"))
    mark = int(np.searchsorted(marks["position"], made, side="right")) - 1
    first = int(marks["position"][mark]) if mark >= 0 else 0
    earlier = rows["row"][int(marks["start"][mark]) : int(marks["stop"][mark])] if mark >= 0 else rows["row"][:0]
    candidates = np.concatenate([earlier, np.arange(first, made)])
    ends = closed[candidates]
    waiting: Ints = candidates[(ends < 0) | (ends > index)]
    return waiting
