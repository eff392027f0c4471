"""A simulation's results: textbook figures, each defined once, here. docs/reference/metrics.md has the formulas."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple, get_type_hints

import numpy as np

from engine import returns as curve
from engine.averages import as_column, compiled
from engine.grid import find_close
from engine.overfitting import probabilistic_sharpe
from engine.types import REASONS, Account, Bools, Candles, Floats, Ints, Simulation, Table

Figure = float | None
"""A number, or None where it is not defined."""


def decimal_text(value: Figure) -> str | None:
    """Money as API.md wants it: a decimal string, with 8 places."""
    number = finite_or_none(value)
    return None if number is None else f"{round(number, 8) + 0.0:.8f}"  # + 0.0: no minus zero


def round_figure(value: Figure) -> Figure:
    """12 significant digits: more than any figure here deserves, fewer than where machines differ."""
    number = finite_or_none(value)
    return None if number is None else float(f"{number:.12g}")


def finite_or_none(value: Figure) -> Figure:
    return None if value is None or not math.isfinite(value) else float(value)


def as_is(value: Any) -> Any:
    return value


FORMATS: Mapping[str, Callable[[Any], Any]] = {
    "money": decimal_text,
    "percent": round_figure,
    "number": round_figure,
    "seconds": round_figure,
    "count": as_is,
    "table": as_is,
}


class Metric(NamedTuple):
    """How a figure is shown, and what it means in a plain sentence."""

    kind: str
    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Every result of one backtest. Money is in quote currency, ratios are plain (0.05 is 5 %), None is not defined."""

    final_equity: Annotated[float, Metric("money", "Cash at the end, after everything held was sold at the last close.")]
    total_return: Annotated[float, Metric("percent", "Final equity over the initial cash, less 1.")]
    cagr: Annotated[
        Figure, Metric("percent", "Compound growth a year of 365 days, from the first candle's open to the last one's close.")
    ]
    volatility: Annotated[Figure, Metric("percent", "Standard deviation of daily returns times the root of 365.")]
    sharpe: Annotated[
        Figure, Metric("number", "Mean over standard deviation of daily returns, times the root of 365; risk-free rate 0.")
    ]
    sortino: Annotated[
        Figure, Metric("number", "Mean of daily returns over the deviation of the losing days alone, times the root of 365.")
    ]
    calmar: Annotated[Figure, Metric("number", "CAGR over the size of the maximum drawdown.")]
    max_drawdown: Annotated[
        float, Metric("percent", "The deepest fall of equity from a peak, at candle closes; -0.2 is 20 % below the peak.")
    ]
    max_drawdown_duration_s: Annotated[
        float, Metric("seconds", "The longest time from a peak until equity was back at it, or to the end.")
    ]
    largest_drawdowns: Annotated[
        list[dict[str, Any]], Metric("table", "The five deepest drawdowns: depth, peak, trough and recovery.")
    ]
    probabilistic_sharpe: Annotated[
        Figure, Metric("percent", "Probability that the true Sharpe ratio is above 0, given the days, skewness and kurtosis.")
    ]
    skewness: Annotated[Figure, Metric("number", "Skewness of daily returns; below 0 the large days are losses.")]
    kurtosis: Annotated[Figure, Metric("number", "Kurtosis of daily returns; 3 is normal, more means fatter tails.")]
    days: Annotated[int, Metric("count", "UTC days in the span, the first and last counted however short.")]
    trades: Annotated[int, Metric("count", "Lots or parts of lots that were bought and sold.")]
    win_rate: Annotated[Figure, Metric("percent", "Share of trades with a profit after costs.")]
    profit_factor: Annotated[Figure, Metric("number", "Profit of the winning trades over the loss of the losing ones.")]
    expectancy: Annotated[Figure, Metric("money", "Mean profit of a trade after costs.")]
    average_win: Annotated[Figure, Metric("money", "Mean profit of the winning trades.")]
    average_loss: Annotated[Figure, Metric("money", "Mean result of the losing trades, a negative number.")]
    best_trade: Annotated[Figure, Metric("percent", "The highest return of a trade on what was paid for it.")]
    worst_trade: Annotated[Figure, Metric("percent", "The lowest return of a trade on what was paid for it.")]
    average_trade_return: Annotated[Figure, Metric("percent", "Mean return of a trade on what was paid for it.")]
    median_trade_return: Annotated[Figure, Metric("percent", "Half of the trades returned more, half less.")]
    average_duration_s: Annotated[Figure, Metric("seconds", "Mean time between the candles of entry and exit.")]
    max_consecutive_losses: Annotated[int, Metric("count", "The longest run of losing trades, in the order they were closed.")]
    sqn: Annotated[
        Figure, Metric("number", "System quality number: mean over standard deviation of trade returns, times the root of trades.")
    ]
    exposure: Annotated[float, Metric("percent", "Share of candles at whose close something was held, the sale at the end apart.")]
    turnover: Annotated[Figure, Metric("number", "Value of all fills over the mean equity.")]
    fees_paid: Annotated[float, Metric("money", "All fees.")]
    slippage_paid: Annotated[float, Metric("money", "What fills lost against the price without slippage.")]
    buy_and_hold_return: Annotated[
        float,
        Metric(
            "percent", "The cash split equally, each symbol bought at its first open and sold at its last close, without costs."
        ),
    ]
    per_symbol: Annotated[dict[str, dict[str, Any]], Metric("table", "Trades by symbol.")]
    per_exit_reason: Annotated[dict[str, dict[str, Any]], Metric("table", "Trades by what closed them.")]
    monthly_returns: Annotated[
        list[dict[str, Any]], Metric("table", "Return of each UTC month; together they compound to the total return.")
    ]
    candles: Annotated[int, Metric("count", "Candles simulated, of all symbols.")]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready: money as decimal strings, ratios as numbers, null where not defined. The same run gives the same bytes."""
        return {name: FORMATS[kind](getattr(self, name)) for name, kind in KINDS.items()}


def list_metrics() -> Iterator[tuple[str, Metric]]:
    for name, hint in get_type_hints(Metrics, include_extras=True).items():
        yield name, hint.__metadata__[0]


DEFINITIONS: dict[str, str] = {name: metric.definition for name, metric in list_metrics()}
"""What each figure means, in a plain sentence."""
KINDS: dict[str, str] = {name: metric.kind for name, metric in list_metrics()}
"""How each figure is shown: money, percent (0.05 is 5 %), number, seconds, count, table."""


def measure(simulation: Simulation, candles: Sequence[Candles], account: Account) -> Metrics:
    """The results of `simulation` over `candles` (at least one), which were simulated for `account`."""
    return Metrics(
        **equity_figures(simulation, candles[0].interval, account.cash),
        **trade_figures(simulation.trades, simulation.time),
        **fill_figures(simulation),
        exposure=measure_exposure(simulation.trades, len(simulation.time)),
        buy_and_hold_return=float(np.mean([hold_return(series) for series in candles])),
        per_symbol=per_symbol(simulation.trades, candles),
        per_exit_reason=per_exit_reason(simulation.trades),
        candles=sum(map(len, candles)),
    )


def equity_figures(simulation: Simulation, interval: str, cash: float) -> dict[str, Any]:
    """The figures that need the equity curve alone; `returns.measure_quickly` gives some of them."""
    equity, start = as_column(simulation.equity), int(simulation.time[0])
    closes = curve.time_column(find_close(interval, simulation.time))
    ends = curve.day_ends(closes)
    days = curve.daily_returns(equity, ends, cash)
    deepest, longest = curve.find_drawdowns(equity, closes, start, cash)
    final, depth = float(equity[-1]), float(deepest[0, 0])
    growth = curve.growth_rate(final, cash, int(closes[-1]) - start)
    sharpe, (skewness, kurtosis) = curve.sharpe_ratio(days), curve.measure_shape(days)
    return {
        "final_equity": final,
        "total_return": final / cash - 1.0,
        "cagr": growth,
        "volatility": curve.yearly_volatility(days),
        "sharpe": sharpe,
        "sortino": curve.sortino_ratio(days),
        "calmar": curve.calmar_ratio(growth, depth),
        "max_drawdown": depth,
        "max_drawdown_duration_s": longest / 1000,
        "largest_drawdowns": [describe_drawdown(row, closes, start) for row in deepest if row[0] < 0.0],
        "probabilistic_sharpe": probabilistic_sharpe(sharpe / math.sqrt(curve.YEAR_DAYS), 0.0, len(days), skewness, kurtosis),
        "skewness": skewness,
        "kurtosis": kurtosis,
        "days": len(days),
        "monthly_returns": monthly_returns(equity[ends], int(closes[0]) - 1, cash),
    }


def describe_drawdown(drawdown: Floats, closes: Ints, begun: int) -> dict[str, Any]:
    """A row of `returns.find_drawdowns` with its times, those of candle closes; `end` is null if equity did not come back."""
    peak, trough, end = map(int, drawdown[1:])
    start = int(closes[peak]) if peak >= 0 else begun
    stop = int(closes[min(end, len(closes) - 1)])
    return {
        "depth": round_figure(drawdown[0]),
        "start": utc_text(start),
        "trough": utc_text(int(closes[trough])),
        "end": utc_text(stop) if end < len(closes) else None,
        "duration_s": (stop - start) / 1000,
    }


def utc_text(moment: int) -> str:
    """`moment`, in milliseconds, as ISO 8601 with a Z, as every interface writes times."""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat().replace("+00:00", "Z")


def monthly_returns(ends: Floats, start: int, cash: float) -> list[dict[str, Any]]:
    """Each UTC month's last equity over the one of the month before, less 1; `ends` is the equity at each day's end."""
    days = np.datetime64(start // curve.DAY_MS, "D") + np.arange(len(ends))
    months = days.astype("datetime64[M]")
    last = np.append(np.flatnonzero(months[1:] != months[:-1]), len(days) - 1)
    after = ends[last]
    before = np.concatenate([[cash], after[:-1]])
    change = np.divide(after, before, out=np.ones(len(after)), where=before > 0) - 1.0
    return [{"month": str(month), "return": round_figure(value)} for month, value in zip(months[last], change, strict=True)]


def trade_figures(trades: Table, time: Ints) -> dict[str, Any]:
    """The figures of closed trades. A trade without profit or loss is neither won nor lost."""
    profit, returns = trades["profit"], trades["return"]
    won, lost = profit > 0.0, profit < 0.0
    return {
        "trades": len(trades),
        "win_rate": mean_or_none(won),
        "profit_factor": ratio_or_none(profit[won].sum(), -profit[lost].sum()),
        "expectancy": mean_or_none(profit),
        "average_win": mean_or_none(profit[won]),
        "average_loss": mean_or_none(profit[lost]),
        "best_trade": float(returns.max()) if len(returns) else None,
        "worst_trade": float(returns.min()) if len(returns) else None,
        "average_trade_return": mean_or_none(returns),
        "median_trade_return": float(np.median(returns)) if len(returns) else None,
        "average_duration_s": mean_or_none((time[trades["exit_index"]] - time[trades["entry_index"]]) / 1000),
        "max_consecutive_losses": longest_run(lost[np.argsort(trades["exit_index"], kind="stable")]),
        "sqn": system_quality(returns),
    }


def system_quality(returns: Floats) -> Figure:
    """m / s x sqrt(n) of the trades' returns, s with n - 1. Tharp (2008), The Definitive Guide to Position Sizing."""
    if len(returns) < 2:
        return None
    spread = float(np.std(returns, ddof=1))
    noise = 1e-12 * float(np.abs(returns).max())
    return float(returns.mean()) * math.sqrt(len(returns)) / spread if spread > noise else None


def fill_figures(simulation: Simulation) -> dict[str, Any]:
    fills = simulation.fills
    return {
        "turnover": ratio_or_none(float(np.dot(fills["price"], fills["quantity"])), float(simulation.equity.mean())),
        "fees_paid": float(fills["fee"].sum()),
        "slippage_paid": float(fills["slippage"].sum()),
    }


def mean_or_none(values: Floats | Bools) -> Figure:
    return float(values.mean()) if len(values) else None


def ratio_or_none(above: float, below: float) -> Figure:
    return float(above / below) if below > 0.0 else None


def longest_run(marks: Bools) -> int:
    """Length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marks, [False]]).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))


@compiled
def _count_covered(starts: Ints, ends: Ints) -> int:
    """How many candles lie in the spans [start, end), which are sorted by start."""
    count = reached = 0
    for i in range(len(starts)):
        count += max(0, ends[i] - max(starts[i], reached))
        reached = max(reached, ends[i])
    return count


def measure_exposure(trades: Table, length: int) -> float:
    """Share of candles at whose close something was held. A lot held to the end was held at the last close too."""
    order = np.argsort(trades["entry_index"], kind="stable")
    at_end = trades["exit_reason"] == REASONS.index("end_of_data")
    ends = (trades["exit_index"] + at_end)[order]
    return float(_count_covered(trades["entry_index"][order].astype(np.int64), ends.astype(np.int64)) / length)


def hold_return(candles: Candles) -> float:
    return float(candles.close[-1] / candles.open[0] - 1.0)


def per_symbol(trades: Table, candles: Sequence[Candles]) -> dict[str, dict[str, Any]]:
    groups = group_trades(trades, "symbol", len(candles))
    return {
        series.symbol: {**groups[i], "buy_and_hold_return": round_figure(hold_return(series))} for i, series in enumerate(candles)
    }


def per_exit_reason(trades: Table) -> dict[str, dict[str, Any]]:
    """Only the reasons that occurred."""
    groups = group_trades(trades, "exit_reason", len(REASONS))
    return {reason: group for reason, group in zip(REASONS, groups, strict=True) if group["trades"]}


def group_trades(trades: Table, key: str, size: int) -> list[dict[str, Any]]:
    """Trades, profit, win rate, mean return, fees and slippage for each code of the column `key`."""
    codes = trades[key].astype(np.int64)
    counts = np.bincount(codes, minlength=size)
    sums = {name: np.bincount(codes, trades[name], minlength=size) for name in ("profit", "return", "fees", "slippage")}
    wins = np.bincount(codes, trades["profit"] > 0.0, minlength=size)
    return [
        {
            "trades": int(counts[i]),
            "profit": decimal_text(sums["profit"][i]),
            "win_rate": round_figure(ratio_or_none(wins[i], counts[i])),
            "average_return": round_figure(ratio_or_none(sums["return"][i], counts[i])),
            "fees": decimal_text(sums["fees"][i]),
            "slippage": decimal_text(sums["slippage"][i]),
        }
        for i in range(size)
    ]
