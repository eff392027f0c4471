"""What the trials of a sweep say together, and how much of it luck would say as well."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from django.db.models import Avg, Count, F, Max, Min, Q, QuerySet, Variance

from backtests.models import Sweep, SweepTrial
from engine.metrics import round_figure
from engine.overfitting import deflated_sharpe, expected_maximum_sharpe
from engine.returns import LEAST_DAYS, YEAR_DAYS

YEAR = math.sqrt(YEAR_DAYS)
FEW_TRADES = 30
FEW_DAYS = 60
CONVINCING = 0.95
"""The usual level: a deflated Sharpe ratio under it is not distinguishable from luck."""


def rank_trials(trials: QuerySet[SweepTrial], objective: str) -> QuerySet[SweepTrial]:
    """Best first, undefined values last; of equal ones, the first trial comes first."""
    return trials.order_by(F(objective).desc(nulls_last=True), F("total_return").desc(nulls_last=True), "index")


def summarise_sweep(sweep: Sweep) -> dict[str, Any] | None:
    """Best trial, luck and warnings over the trials done so far; None while there are none. The same for the same trials."""
    trials = SweepTrial.objects.filter(sweep=sweep)
    best = rank_trials(trials, sweep.objective).first()
    if best is None:
        return None
    seen = trials.aggregate(
        made=Count("id"),
        traded=Count("id", filter=Q(trades__gt=0)),
        profitable=Count("id", filter=Q(total_return__gt=0)),
        mean_return=Avg("total_return"),
        best_sharpe=Max("sharpe"),
        worst_sharpe=Min("sharpe"),
        variance=Variance("sharpe", sample=True),
        rated=Count("sharpe"),
    )
    luck = luck_of(sweep, best, seen)
    return {
        "trials": seen["made"],
        "skipped": sweep.skipped,
        "profitable": seen["profitable"],
        "traded": seen["traded"],
        "mean_return": round_figure(seen["mean_return"]),
        "objective": sweep.objective,
        "best": trial_json(best),
        **luck,
        "warnings": warnings_of(sweep, best, seen, luck),
    }


def luck_of(sweep: Sweep, best: SweepTrial, seen: Mapping[str, Any]) -> dict[str, Any]:
    """Expected maximum and deflated Sharpe ratio of the best trial, in plain words. Ratios in the answer are yearly.

    The days' ratios go into the formulas, as these want them; see `engine.overfitting`.
    """
    variance = (seen["variance"] or 0.0) / YEAR_DAYS
    expected = expected_maximum_sharpe(seen["rated"], variance) * YEAR if seen["rated"] > 1 else None
    deflated = None
    if best.sharpe is not None and best.skewness is not None and best.kurtosis is not None:
        daily = best.sharpe / YEAR
        deflated = deflated_sharpe(daily, sweep.days, best.skewness, best.kurtosis, seen["rated"], variance)
    found = {"expected_max_sharpe": round_figure(expected), "deflated_sharpe": round_figure(deflated)}
    return {**found, "verdict": verdict_words(seen["made"], best.sharpe, found["expected_max_sharpe"], found["deflated_sharpe"])}


def verdict_words(made: int, sharpe: float | None, expected: float | None, deflated: float | None) -> str:
    """What the best trial's Sharpe ratio says beside the one that luck alone would give. Ratios are yearly; None is unknown."""
    if sharpe is None or deflated is None:
        return "The best trial has no Sharpe ratio, so there is nothing to say of luck."
    if expected is None:
        return f"One trial was rated, with a Sharpe ratio of {sharpe:.2f}. Nothing was chosen from, so nothing has to be deflated."
    tries = f"With {made:,} trials a best Sharpe ratio of {expected:.2f} is what luck alone gives"
    if sharpe <= expected:
        return f"{tries}. The best here has {sharpe:.2f}: it shows no skill."
    if deflated < CONVINCING:
        return (
            f"{tries}. The best here has {sharpe:.2f}, which is more, but not enough to tell from luck: the probability that "
            f"there is skill in it is {deflated:.0%}, and {CONVINCING:.0%} is the usual demand."
        )
    return (
        f"{tries}. The best here has {sharpe:.2f}: the probability that there is skill in it is {deflated:.0%}. It was found on "
        "these candles; try it on others before you believe it."
    )


def warnings_of(sweep: Sweep, best: SweepTrial, seen: Mapping[str, Any], luck: Mapping[str, Any]) -> list[dict[str, str]]:
    """[{"code", "level", "message"}] of what speaks against the best trial, or limits what it shows."""
    found = []

    def warn(code: str, level: str, message: str) -> None:
        found.append({"code": code, "level": level, "message": message})

    made = seen["made"]
    if made > 1:
        warn("trials_made", "info", f"{made:,} trials were made. The best of many looks good even where none is.")
    if luck["deflated_sharpe"] is not None and made > 1 and luck["deflated_sharpe"] < CONVINCING:
        warn("not_above_luck", "warning", luck["verdict"])
    if best.trades < FEW_TRADES:
        trades = "no trade" if best.trades == 0 else "1 trade" if best.trades == 1 else f"{best.trades} trades"
        warn("few_trades", "warning", f"The best trial made {trades}: too few to tell anything.")
    if 0 < sweep.days < LEAST_DAYS:
        message = f"The span has {sweep.days} days, and ratios want {LEAST_DAYS}: the best is the trial with the highest return."
        warn("short_span", "warning", message)
    elif sweep.days < FEW_DAYS:
        warn("short_span", "warning", f"The Sharpe ratios are made of {sweep.days} daily returns: too few to compare them closely.")
    if made > 1 and seen["best_sharpe"] is not None and seen["best_sharpe"] == seen["worst_sharpe"]:
        warn("all_equal", "warning", "All trials have the same Sharpe ratio: the searched parameters change nothing here.")
    if on_edge := parameters_at_edge(sweep, best):
        warn("at_the_edge", "info", f"The best lies at the edge of the range of {on_edge}. Better ones may lie beyond.")
    return found


def parameters_at_edge(sweep: Sweep, best: SweepTrial) -> str:
    """The parameters whose best value is the first or last of at least three numbers."""
    names = []
    for name, values in sweep.space.items():
        numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
        if len(numbers) >= 3 and len(numbers) == len(values) and best.params.get(name) in (min(numbers), max(numbers)):
            names.append(name)
    return " and ".join(names)


def trial_json(trial: SweepTrial) -> dict[str, Any]:
    return {
        "index": trial.index,
        "params": trial.params,
        "final_equity": f"{trial.final_equity:f}",
        "total_return": trial.total_return,
        "sharpe": trial.sharpe,
        "sortino": trial.sortino,
        "calmar": trial.calmar,
        "max_drawdown": trial.max_drawdown,
        "trades": trial.trades,
    }
