"""The parameter sets of a sweep: from ranges to values, from values to combinations."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from core.errors import Invalid
from core.fields import did_you_mean, finite_decimal, show_value
from engine.strategy import Integer, Number, Parameter, Strategy

METHODS = ("grid", "random")
MOST_TRIALS = 20_000
MOST_VALUES = 10_000
MOST_POINTS = 1_000_000
"""Points of a grid that are looked at, those counted that the strategy refuses."""
FINE = 1_000
"""Steps that a random search divides a range of numbers into where no step is given."""

Space = dict[str, list[Any]]
"""Each searched parameter's values, in the order of the strategy's parameters."""


def list_declared(strategy: type[Strategy], fixed: Sequence[str] = ()) -> dict[str, str]:
    """The search ranges that the strategy declares, as text, of the parameters that are not fixed."""
    ranges = {name: spec.search for name, spec in strategy.parameters.items() if name not in fixed}
    return {name: ":".join(f"{number:.12g}" for number in search) for name, search in ranges.items() if search is not None}


def read_space(strategy: type[Strategy], raw: Any, *, fixed: Sequence[str], method: str) -> Space:
    """`raw` maps parameters to `"5:25:1"` (stop included), `{"start", "stop", "step"}`, a list, or text with commas.

    Nothing given: the declared ranges of what is not fixed. `Invalid` at `space.<name>` for each that cannot be used.
    """
    if raw is not None and not isinstance(raw, Mapping):
        raise Invalid.at("space", f"must be an object of parameter names and ranges; got {show_value(raw)}.")
    wanted = {str(name)[:80]: value for name, value in (raw or list_declared(strategy, fixed)).items()}
    faults: dict[str, list[str]] = {}
    space: Space = {}
    for name in [*(known for known in strategy.parameters if known in wanted), *(set(wanted) - set(strategy.parameters))]:
        try:
            space[name] = read_axis(strategy, name, wanted[name], fixed=fixed, method=method)
        except ValueError as error:
            faults[f"space.{name}"] = [str(error)]
    if not wanted:
        free = ", ".join(name for name in strategy.parameters if name not in fixed)
        faults["space"] = [f"Say what to search: {strategy.title} declares no range. Its free parameters: {free or 'none'}."]
    if faults:
        raise Invalid("The ranges cannot be used.", fields=faults)
    return space


def read_axis(strategy: type[Strategy], name: str, raw: Any, *, fixed: Sequence[str], method: str) -> list[Any]:
    if name not in strategy.parameters:
        hint = did_you_mean(name, strategy.parameters) or f" It has {', '.join(strategy.parameters) or 'none'}."
        raise ValueError(f"{strategy.title} has no parameter {name!r}.{hint}")
    if name in fixed:
        raise ValueError(f"{name} is fixed in params as well. Give it in one place.")
    try:
        return values_of(strategy.parameters[name], raw, fine=method == "random")
    except ValueError as error:
        raise ValueError(f"{name} {error}.") from None


def values_of(parameter: Parameter, raw: Any, *, fine: bool = False) -> list[Any]:
    """The values that `raw` names, parsed, in order, each once; ValueError with a message for the user."""
    if isinstance(raw, Mapping):
        found = step_range(parameter, [raw.get(part) for part in ("start", "stop", "step")], fine)
    elif isinstance(raw, str) and ":" in raw:
        parts: list[Any] = [part.strip() or None for part in raw.split(":")]
        if len(parts) > 3:
            raise ValueError(f"must be start:stop or start:stop:step; got {show_value(raw)}")
        found = step_range(parameter, parts + [None] * (3 - len(parts)), fine)
    else:
        found = raw.split(",") if isinstance(raw, str) else list(raw) if isinstance(raw, list | tuple) else [raw]
    if len(found) > MOST_VALUES:
        raise ValueError(f"has {len(found):,} values; at most {MOST_VALUES:,}. Take a larger step")
    parsed = dict.fromkeys(parameter.parse(value.strip() if isinstance(value, str) else value) for value in found)
    if not parsed:
        raise ValueError("has no values")
    return list(parsed)


def step_range(parameter: Parameter, parts: Sequence[Any], fine: bool) -> list[Any]:
    """The values of a range, computed in decimals: 0.1 to 0.3 by 0.1 has three."""
    if not isinstance(parameter, Integer | Number):
        raise ValueError(
            f"cannot be searched by a range; list some of its values: {', '.join(map(str, parameter.choices)) or 'true,false'}"
        )
    start, stop, step = (read_number(name, part) for name, part in zip(("start", "stop", "step"), parts, strict=True))
    if start is None or stop is None:
        raise ValueError("needs a start and a stop, as in 5:25:1")
    if start > stop:
        raise ValueError(f"starts at {start:f}, after its stop {stop:f}")
    if step is None:
        if isinstance(parameter, Number) and not fine and start < stop:
            raise ValueError(f"needs a step, as in {start:f}:{stop:f}:{(stop - start) / 10:f}")
        step = Decimal(1) if isinstance(parameter, Integer) else (stop - start) / FINE or Decimal(1)
    if step <= 0:
        raise ValueError(f"needs a step above 0; got {step:f}")
    count = int((stop - start) / step) + 1
    if count > MOST_VALUES:
        raise ValueError(f"has {count:,} values; at most {MOST_VALUES:,}. Take a larger step")
    places = [start + k * step for k in range(count)]
    return [int(place) if place == place.to_integral_value() else float(place) for place in places]


def read_number(name: str, raw: Any) -> Decimal | None:
    if raw is None:
        return None
    found = finite_decimal(raw)
    if found is None:
        raise ValueError(f"has a {name} that is not a number: {show_value(raw)}")
    return found


def list_combinations(
    strategy: type[Strategy],
    space: Space,
    *,
    fixed: Mapping[str, Any],
    interval: str,
    method: str,
    trials: int = 0,
    seed: int = 0,
) -> tuple[list[dict[str, Any]], int]:
    """The parameter sets to try, fixed parameters left out, and how many points were skipped because the strategy refuses them.

    A grid is the whole of it, the last parameter changing fastest. At random: `trials` different points, every point of the
    grid as likely as any other, the same ones for the same seed. In the grid's order, so that neighbours share indicators.
    """
    points = math.prod(len(values) for values in space.values())
    if points > MOST_POINTS and method == "grid":
        raise Invalid.at("space", f"The grid has {points:,} points; at most {MOST_TRIALS:,} can be tried. {REMEDY}")
    order = iter(range(points)) if method == "grid" else shuffle_points(points, seed)
    wanted = MOST_TRIALS + 1 if method == "grid" else trials
    kept, skipped, fault = [], 0, ""
    for point in islice(order, MOST_POINTS):
        chosen = pick_point(space, point)
        refusal = find_refusal(strategy, {**fixed, **chosen}, interval)
        if refusal:
            skipped, fault = skipped + 1, refusal
            continue
        kept.append((point, chosen))
        if len(kept) == wanted:
            break
    if not kept:
        raise Invalid.at("space", f"Every combination is one that the strategy refuses: {fault}")
    if len(kept) > MOST_TRIALS:
        raise Invalid.at("space", f"The grid has {points:,} points; at most {MOST_TRIALS:,} can be tried. {REMEDY}")
    return [chosen for _, chosen in sorted(kept, key=lambda pair: pair[0])], skipped


def find_refusal(strategy: type[Strategy], values: Mapping[str, Any], interval: str) -> str:
    """Why the strategy does not take these values on this interval; empty where it does."""
    faults = strategy.check(values)
    if faults:
        return next(iter(faults.values()))
    try:
        strategy(values).warmup_at(interval)
    except Invalid as error:
        return next((messages[0] for messages in error.fields.values()), str(error))
    return ""


REMEDY = "Take larger steps, fix a parameter, or search at random."


def pick_point(space: Space, point: int) -> dict[str, Any]:
    """The combination with this number, the last parameter changing fastest."""
    chosen = {}
    for name in reversed(space):
        point, index = divmod(point, len(space[name]))
        chosen[name] = space[name][index]
    return {name: chosen[name] for name in space}


def shuffle_points(points: int, seed: int) -> Iterator[int]:
    """Each number below `points` once, in an order that the seed decides."""
    dice = random.Random(seed)  # noqa: S311 — a search, not a secret
    if points <= MOST_POINTS:
        yield from dice.sample(range(points), points)
        return
    seen: set[int] = set()
    while True:
        point = dice.randrange(points)
        if point not in seen:
            seen.add(point)
            yield point
