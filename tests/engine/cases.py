"""Generated cases for the simulator: candles, signals and accounts in which something happens."""

from __future__ import annotations

import os
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from engine.types import Account, Candles, Exits, Fees, Ladder, Limits, Protections, Rules, Signals, Sizing, Slippage

EXAMPLES = int(os.environ.get("SIMULATOR_EXAMPLES", "0"))
"""0: a few hundred cases a property, always the same. Else so many random ones, whose seed is printed where one fails."""


def examples(usual: int) -> settings:
    return settings(max_examples=EXAMPLES or usual, derandomize=not EXAMPLES, deadline=None, database=None, print_blob=True)


MINUTE = 60_000
START = 1_640_995_200_000


@dataclass(frozen=True)
class Grid:
    """Prices are whole multiples of `step`. On the binary grid floats compute exactly, so that ties are ties."""

    step: Decimal
    start: int
    ratios: tuple[float, ...]
    costs: tuple[float, ...]
    ticks: tuple[float, ...]
    lots: tuple[float, ...]


DECIMAL_GRIDS = tuple(
    Grid(
        Decimal(1).scaleb(-places),
        start,
        (0.01, 0.02, 0.03, 0.05, 0.1),
        (0.0, 0.0005, 0.001, 0.0025),
        tuple(float(Decimal(ticks).scaleb(-places)) for ticks in (0, 1, 5, 10)),
        (0.0, lot, 10 * lot, 1000 * lot),
    )
    for places, start, lot in ((2, 10_000, 0.001), (3, 2_000, 0.01), (4, 500, 1.0))
)
BINARY_GRID = Grid(
    Decimal("0.125"), 800, (0.015625, 0.03125, 0.0625, 0.125), (0.0, 0.0078125), (0.0, 0.125, 0.25, 0.5), (0.0, 0.25, 1.0)
)


@dataclass(frozen=True)
class Case:
    account: Account
    candles: tuple[Candles, ...]
    signals: tuple[Signals, ...]
    warmup: int
    position: str

    def arguments(self) -> tuple[Account, tuple[Candles, ...], tuple[Signals, ...]]:
        return self.account, self.candles, self.signals

    def keywords(self) -> dict[str, Any]:
        return {"warmup": self.warmup, "position": self.position}


def candles_of(symbol: str, times: list[int], units: np.ndarray[Any, Any], step: Decimal, volume: list[float]) -> Candles:
    """`units` are rows of open, high, low, close in whole steps."""
    prices = np.array([[float(int(unit) * step) for unit in row] for row in units]).reshape(-1, 4)
    opened, high, low, close = (np.ascontiguousarray(prices[:, k]) for k in range(4))
    time = np.array(times, dtype=np.int64) * MINUTE + START
    return Candles(symbol, "1m", time, opened, high, low, close, np.array(volume, dtype=np.float64))


@st.composite
def candles(draw: st.DrawFn, symbol: str, grid: Grid, length: int, gaps: bool) -> Candles:
    """A walk whose candles open off the last close and reach far enough to trigger what lies near."""
    present = [t for t in range(length) if not gaps or draw(st.integers(0, 5))] or [0]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    wide = max(2, grid.start * draw(st.sampled_from([1, 3, 8])) // 100)
    rows, close = [], grid.start
    for _ in present:
        opened = max(wide, close + (int(rng.integers(-wide, wide + 1)) if rng.random() < 0.4 else 0))
        close = max(wide, opened + int(rng.integers(-wide, wide + 1)))
        high, low = max(opened, close) + int(rng.integers(0, wide)), min(opened, close) - int(rng.integers(0, wide))
        rows.append((opened, high, max(1, low), close))
    volume = [float(rng.choice([0, 5, 20, 100, 1000])) for _ in present]
    return candles_of(symbol, present, np.array(rows), grid.step, volume)


@st.composite
def near_prices(draw: st.DrawFn, one: Candles, grid: Grid) -> np.ndarray[Any, Any] | None:
    """Prices within a few steps to a few percent of the close; some NaN, few of them bad."""
    if draw(st.booleans()):
        return None
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    wide = max(2, grid.start * draw(st.sampled_from([1, 3, 8])) // 100)
    units = np.rint(one.close / float(grid.step)).astype(int) + rng.integers(-wide, wide + 1, len(one))
    prices = np.array([float(int(unit) * grid.step) for unit in np.maximum(1, units)])
    prices[rng.random(len(one)) < draw(st.sampled_from([0.0, 0.3]))] = np.nan
    prices[rng.random(len(one)) < draw(st.sampled_from([0.0, 0.0, 0.05]))] = 0.0
    return prices


@st.composite
def flags(draw: st.DrawFn, length: int, shares: tuple[float, ...]) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.random(length) < draw(st.sampled_from(shares))


@st.composite
def orders(draw: st.DrawFn, one: Candles, grid: Grid) -> Signals:
    entry, leave = draw(flags(len(one), (0.1, 0.3, 0.9))), draw(flags(len(one), (0.0, 0.1, 0.3)))
    weight = None
    if draw(st.booleans()):
        rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        weight = rng.choice([1.0, 0.5, 0.25, 0.0, np.nan, -1.0], len(one), p=[0.4, 0.3, 0.2, 0.04, 0.03, 0.03])
    limit_in, stop_in, limit_out, stop_out = (draw(near_prices(one, grid)) for _ in range(4))
    return Signals(entry, leave if draw(st.integers(0, 5)) else None, limit_in, stop_in, limit_out, stop_out, weight)


@st.composite
def targets(draw: st.DrawFn, one: Candles, grid: Grid) -> Signals:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.choice([0.0, 0.125, 0.25, 0.5, 0.75, 1.0], len(one))
    values[rng.random(len(one)) < draw(st.sampled_from([0.3, 0.8]))] = np.nan
    return Signals(target=values)


@st.composite
def ladders(draw: st.DrawFn, one: Candles, grid: Grid) -> Signals:
    rungs, start = draw(st.integers(1, 4)), draw(st.integers(0, max(0, len(one) // 2)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    middle = round(float(one.close[min(start, len(one) - 1)]) / float(grid.step))
    wide = max(2, grid.start // 50)
    buys = np.maximum(1, middle - np.cumsum(rng.integers(0, wide, rungs)))
    sells = buys + rng.integers(1, 2 * wide, rungs)
    buy, sell = (np.array([float(int(unit) * grid.step) for unit in units]) for units in (buys, sells))
    leave = draw(flags(len(one), (0.0, 0.05)))
    entry = draw(flags(len(one), (0.0, 0.1)))
    return Signals(entry=entry, exit=leave, ladder=Ladder(start, buy, sell))


@st.composite
def protections(draw: st.DrawFn, grid: Grid) -> Protections:
    """Off in half of the cases; else each one on in half of them, so that it is met alone and with others."""
    if draw(st.booleans()):
        return Protections()
    given: dict[str, Any] = {}
    windows, pauses = st.sampled_from([1, 4, 15, 60]), st.sampled_from([1, 3, 10])
    if draw(st.booleans()):
        given |= {"cooldown": draw(st.sampled_from([1, 2, 5]))}
    if draw(st.booleans()):
        given |= {"stop_count": draw(st.sampled_from([1, 2, 3])), "stop_window": draw(windows), "stop_pause": draw(pauses)}
        given |= {"stop_scope": draw(st.sampled_from(["symbol", "all"]))}
    if draw(st.booleans()):
        given |= {"drawdown": draw(st.sampled_from(grid.ratios)), "drawdown_window": draw(windows)}
        given |= {"drawdown_trades": draw(st.sampled_from([1, 2, 3])), "drawdown_pause": draw(pauses)}
    if draw(st.booleans()):
        given |= {"profit_least": draw(st.sampled_from([0.0, -0.125, 0.03125])), "profit_window": draw(windows)}
        given |= {"profit_trades": draw(st.sampled_from([1, 2, 3])), "profit_pause": draw(pauses)}
    return Protections(**given)


def maxima(grid: Grid, cash: float) -> dict[str, st.SearchStrategy[Any]]:
    """Of which the cash buys a quarter to all; mostly none."""
    quantities = [float(Decimal(share) * Decimal(cash) / (grid.step * grid.start)) for share in ("0.25", "0.5", "1")]
    none = [0.0] * 6
    return {
        **{name: st.sampled_from(none + quantities) for name in ("max_quantity", "market_max_quantity", "max_position")},
        "max_notional": st.sampled_from([*none, cash / 8, cash / 2]),
        "max_notional_market": st.booleans(),
    }


@st.composite
def accounts(draw: st.DrawFn, grid: Grid, symbols: int) -> Account:
    cash = draw(st.sampled_from([1024.0, 8192.0, 10_000.0]))
    sometimes = st.sampled_from((0.0,) * len(grid.ratios) + grid.ratios)
    step, cap = float(grid.step), st.sampled_from([0.25, 0.5, 1.0])
    sizings = st.one_of(
        st.just(Sizing()),
        st.builds(Sizing, st.just("fixed"), st.sampled_from([cash / 8, cash / 4, cash / 2, cash])),
        st.builds(Sizing, st.just("fraction"), st.sampled_from([0.125, 0.25, 0.5, 1.0])),
        st.builds(Sizing, st.just("volatility"), st.sampled_from([0.5, 2.0, 8.0]), st.integers(2, 6), cap),
        st.builds(Sizing, st.just("kelly"), st.sampled_from([0.5, 1.0]), st.just(0), cap, st.integers(1, 3)),
    )
    share = st.sampled_from([0.025, 0.125, 0.25])
    slippages = st.one_of(
        st.just(Slippage()),
        st.builds(Slippage, st.just("bps"), st.sampled_from([0.0, 1.0, 5.0, 50.0])),
        st.builds(Slippage, st.just("half_spread"), st.sampled_from([0.0, step, 2 * step])),
        st.builds(Slippage, st.just("volume_share"), st.just(0.0), share, st.sampled_from([0.0, 0.1, 0.5])),
    )
    least = st.sampled_from([0.0, 0.0, 0.0, 10.0, cash / 8])
    rules = st.builds(Rules, st.sampled_from(grid.ticks), st.sampled_from(grid.lots), least, **maxima(grid, cash))
    return Account(
        cash=cash,
        fees=Fees(draw(st.sampled_from(grid.costs)), draw(st.sampled_from(grid.costs))),
        slippage=draw(slippages),
        sizing=draw(sizings),
        exits=Exits(draw(sometimes), draw(sometimes), draw(sometimes), draw(st.sampled_from([0, 0, 1, 2, 5]))),
        limits=Limits(draw(st.sampled_from([0, 0, 1, 2])), draw(st.sampled_from([0.0, 0.0, 0.25, 0.5]))),
        rules=tuple(draw(rules) for _ in range(symbols)),
        order_ttl=draw(st.sampled_from([0, 0, 1, 2, 5])),
        protections=draw(protections(grid)),
    )


@st.composite
def cases(draw: st.DrawFn, grid: Grid | None = None) -> Case:
    grid = grid or draw(st.sampled_from((*DECIMAL_GRIDS, BINARY_GRID)))
    count, length = draw(st.sampled_from([1, 1, 2, 3])), draw(st.integers(5, 60))
    series = tuple(draw(candles(f"S{k}-USD", grid, length, count > 1)) for k in range(count))
    form = draw(st.sampled_from([orders, orders, orders, targets, ladders]))
    wants = tuple(draw(form(one, grid)) for one in series)
    position = {targets: "merge", ladders: "lots"}.get(form) or draw(st.sampled_from(["single", "single", "merge", "lots"]))
    return Case(draw(accounts(grid, count)), series, wants, draw(st.integers(0, 5)), position)
