"""A sweep's configuration: a run's, with ranges for some parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from backtests import data
from core.errors import Invalid
from core.fields import Fields
from engine.space import METHODS, MOST_TRIALS, Space, list_combinations, read_space
from engine.strategies import registry
from engine.strategy import Strategy
from trading.setup.config import UNUSABLE, RunConfig, read_config

OBJECTIVES = ("sharpe", "sortino", "calmar", "total_return", "max_drawdown")
"""What the best trial is best in: more is better in each; of drawdowns, which are negative, the least."""
FIRST_TRIALS = 100
"""Trials of a random search where their number is not given."""
OWN = ("space", "method", "trials", "objective")


@dataclass(frozen=True, slots=True)
class SweepConfig:
    """`run` is complete, with the parameters of the first trial; `fixed` are those that all trials share."""

    run: RunConfig
    fixed: Mapping[str, Any]
    space: Space
    method: str
    trials: int
    objective: str
    points: list[dict[str, Any]]
    """The searched parameters of each trial."""
    skipped: int

    def to_json(self) -> dict[str, Any]:
        """The canonical form; `parse` reads it back to an equal config."""
        return {
            **self.run.to_json(),
            "params": {name: value for name, value in self.run.params.items() if name not in self.space},
            "space": self.space,
            "method": self.method,
            "trials": self.trials if self.method == "random" else None,
            "objective": self.objective,
        }


def trial_config(config: Mapping[str, Any], point: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of one trial as a run of its own."""
    alone = {name: value for name, value in config.items() if name not in OWN}
    return {**alone, "params": {**config["params"], **point}}


def parse_sweep(raw: Any) -> SweepConfig:
    """`raw` as a sweep, its venue and rules filled in; `Invalid` with every fault at its field."""
    own, form = Fields(raw), dict(raw) if isinstance(raw, Mapping) else raw
    method, objective, trials = read_search(own)
    if isinstance(form, dict):
        form = {name: value for name, value in form.items() if name not in OWN}
    given = form.get("params") if isinstance(form, dict) else None
    fixed = dict(given) if isinstance(given, Mapping) else {}
    # Each fixed parameter is judged alone: with the defaults of those that are searched, they need not go together.
    run, faults = read_config({**form, "params": {}} if isinstance(given, Mapping) and isinstance(form, dict) else form)
    own.faults.update(faults.faults)
    strategy = find_strategy(run.strategy)
    space: Space = {}
    if strategy is not None:
        fixed = read_fixed(strategy, fixed, own)
        space = read_or_fault(own, lambda: read_space(strategy, own.take("space"), fixed=list(fixed), method=method), {})
    points, skipped = [], 0
    if strategy is not None and not own.faults:
        values = {name: spec.default for name, spec in strategy.parameters.items()} | fixed
        how: dict[str, Any] = {"method": method, "trials": trials, "seed": run.seed, "interval": run.interval}
        points, skipped = read_or_fault(own, lambda: list_combinations(strategy, space, fixed=values, **how), ([], 0))
    own.refuse(UNUSABLE)
    assert strategy is not None
    run = resolve_run(run, strategy, fixed, points)
    return SweepConfig(run, fixed, space, method, trials, objective, points, skipped)


def read_search(own: Fields) -> tuple[str, str, int]:
    """How is searched, for what, and in how many trials. The ranges are read once the strategy is known."""
    own.take("space")
    method = own.choice("method", "grid", METHODS)
    objective = own.choice("objective", "sharpe", OBJECTIVES)
    trials = own.integer("trials", FIRST_TRIALS, low=1, high=MOST_TRIALS)
    if method == "grid" and own.take("trials") is not None:
        own.fault("trials", "is for random searches; a grid tries every combination.")
    return method, objective, trials


def find_strategy(name: str) -> type[Strategy] | None:
    return next((kind for kind in registry.list_strategies() if kind.name == name), None)


def read_or_fault(own: Fields, read_it: Any, otherwise: Any) -> Any:
    try:
        return read_it()
    except Invalid as error:
        own.merge(error, "space")
        return otherwise


def read_fixed(strategy: type[Strategy], raw: Mapping[str, Any], own: Fields) -> dict[str, Any]:
    """The given parameters, each by its own rules."""
    parsed = {}
    unknown = {name: value for name, value in raw.items() if name not in strategy.parameters}
    if unknown:
        read_or_fault(own, lambda: strategy.parse({str(name): value for name, value in unknown.items()}), None)
    for name, value in raw.items():
        if name in strategy.parameters:
            try:
                parsed[name] = strategy.parameters[name].parse(value)
            except ValueError as error:
                own.fault(f"params.{name}", f"{name} {error}.")
    return parsed


def resolve_run(run: RunConfig, strategy: type[Strategy], fixed: Mapping[str, Any], points: list[dict[str, Any]]) -> RunConfig:
    """With venue and rules; refused unless there are candles enough for the trial that needs the most."""

    def with_point(point: Mapping[str, Any]) -> RunConfig:
        return replace(run, params=strategy.parse({**fixed, **point}))

    neediest = max(points, key=lambda point: strategy({**fixed, **point}).warmup_at(run.interval))
    found = data.resolve_config(with_point(neediest))
    return replace(found, params=with_point(points[0]).params)


def shown_space(space: Space) -> dict[str, str]:
    """Each parameter's values in words: `5 to 25 by 1`, `1h, 4h`."""
    return {name: shown_values(values) for name, values in space.items()}


def shown_values(values: list[Any]) -> str:
    steps = {round(b - a, 12) for a, b in pairwise(values)} if all(is_number(v) for v in values) else set()
    if len(values) > 3 and len(steps) == 1:
        return f"{values[0]:g} to {values[-1]:g} by {steps.pop():g}"
    listed = [f"{value:g}" if is_number(value) else str(value) for value in values]
    return ", ".join(listed) if len(listed) <= 12 else f"{', '.join(listed[:5])} ... {listed[-1]} ({len(listed)} values)"


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
