"""The honesty part of a run's results: the engine's checks put together, with a notice in plain words for each that matters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.text import ms_text
from engine import audit
from engine.audit import DAY_MS, Notice
from engine.grid import find_close
from engine.metrics import decimal_text, round_figure
from engine.strategy import Columns, Strategy
from engine.types import Candles, Signals, Simulation
from trading.setup.config import RunConfig

COST_MULTIPLE = 2.0
CONCENTRATED = 0.5
"""Share of the profit in three trades from which on it is worth a warning."""


def examine_run(
    *,
    config: RunConfig,
    strategy: Strategy,
    candles: Sequence[Candles],
    evaluated: Sequence[tuple[Columns, Signals]],
    simulation: Simulation,
    metrics: Mapping[str, Any],
    simulate_at: Callable[[float], Simulation],
) -> dict[str, Any]:
    """`simulate_at(2.0)` is the same run at double costs. The answer is JSON-ready:

    {"look_ahead": {"verdict": "clean" | "caught", ...}, "warmup": {...}, "gaps": [...], "best_three_trades_share": 0.4 | null,
    "cost_sensitivity": {...}, "warnings": [{"code", "level", "message"}]}
    """
    seen, peeking = look_ahead(strategy, candles, evaluated, config.seed)
    warmup, early = warm_up(strategy, candles, evaluated)
    gaps = [audit.find_gaps(one) for one in candles]
    share, concentrated = profit_concentration(simulation)
    costs, fragile = cost_sensitivity(config, metrics, simulate_at(COST_MULTIPLE))
    days = (find_close(candles[0].interval, int(simulation.time[-1])) - int(simulation.time[0])) / DAY_MS
    paid = float(metrics["fees_paid"]) + float(metrics["slippage_paid"])
    notices = [
        *peeking,
        *audit.too_good(metrics, days=days, costs=paid if len(simulation.fills) else 1.0),
        *concentrated,
        *fragile,
        *early,
        *audit.gap_warnings(gaps),
    ]
    return {
        "look_ahead": seen,
        "warmup": warmup,
        "gaps": [{**gap, "largest": [{**one, "after": ms_text(one["after"])} for one in gap["largest"]]} for gap in gaps],
        "best_three_trades_share": round_figure(share),
        "cost_sensitivity": costs,
        "warnings": [notice.as_dict() for notice in notices],
    }


def look_ahead(
    strategy: Strategy, candles: Sequence[Candles], evaluated: Sequence[tuple[Columns, Signals]], seed: int
) -> tuple[dict[str, Any], list[Notice]]:
    for one, (columns, signals) in zip(candles, evaluated, strict=True):
        found = audit.look_ahead(strategy, one, columns, signals, seed=seed)
        if found is not None:
            when = ms_text(found.time)
            message = (
                f"The strategy sees the future: at {when} its {found.column} for {found.symbol} changes when later candles are "
                "taken away. The result means nothing."
            )
            where = {"symbol": found.symbol, "column": found.column, "time": when, "candles_given": found.cut}
            return {"verdict": "caught", "first_difference": where}, [Notice("look_ahead", "danger", message)]
    return {"verdict": "clean", "prefixes": audit.CUTS * len(candles)}, []


def warm_up(
    strategy: Strategy, candles: Sequence[Candles], evaluated: Sequence[tuple[Columns, Signals]]
) -> tuple[dict[str, Any], list[Notice]]:
    """The finding on warm-up: signals before it, and indicators that are unknown after it."""
    declared = strategy.warmup_at(candles[0].interval)
    ignored = sum(audit.before_warmup(signals, declared) for _, signals in evaluated)
    late: dict[str, int] = {}
    for columns, _ in evaluated:
        for name, first in audit.unknown_after_warmup(columns, declared).items():
            late[name] = max(first, late.get(name, 0))
    notices = []
    if ignored:
        asked = "one candle" if ignored == 1 else f"{ignored} candles"
        message = f"The strategy asked to trade at {asked} before its warm-up was over. That was ignored."
        notices.append(Notice("signals_before_warmup", "info", message))
    if late:
        message = f"Still unknown when the warm-up was over: {', '.join(sorted(late))}. The declared warm-up is too short."
        notices.append(Notice("warmup_too_short", "warning", message))
    return {"candles": declared, "signals_ignored": ignored, "unknown_after": late}, notices


def profit_concentration(simulation: Simulation) -> tuple[float | None, list[Notice]]:
    share = audit.best_three_share(simulation.trades)
    if share is None or share < CONCENTRATED or len(simulation.trades) <= 3:
        return share, []
    message = f"The three best trades made {share:.0%} of the profit. Without them little is left."
    return share, [Notice("profit_concentrated", "warning", message)]


def cost_sensitivity(config: RunConfig, metrics: Mapping[str, Any], doubled: Simulation) -> tuple[dict[str, Any], list[Notice]]:
    cash, final = float(config.cash), float(doubled.equity[-1])
    total_return = final / cash - 1
    answer = {
        "multiple": COST_MULTIPLE,
        "final_equity": decimal_text(final),
        "total_return": round_figure(total_return),
        "trades": len(doubled.trades),
    }
    if float(metrics["total_return"] or 0) > 0 >= total_return:
        message = f"At double costs the profit is gone ({total_return:+.1%}): the edge is thinner than the costs are certain."
        return answer, [Notice("fragile_to_costs", "warning", message)]
    return answer, []
