"""The form of a new sweep: that of a run, where a parameter takes a value or a range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from backtests.sweeps.config import FIRST_TRIALS, OBJECTIVES
from backtests.templatetags.runs import metric_label
from engine.space import METHODS, MOST_TRIALS
from engine.strategy import Strategy
from trading.setup.forms import BoundInput, ConfigForm
from trading.setup.inputs import Input, parameter_inputs

SEARCH = (
    Input(
        "method",
        "Try",
        "",
        "choice",
        "grid",
        choices=(("grid", "Every combination"), ("random", "Combinations drawn at random")),
    ),
    Input("trials", "How many", "Different ones; the seed decides which.", "integer", FIRST_TRIALS, 1, MOST_TRIALS),
    Input(
        "objective",
        "Best by",
        "What the table begins with, and what is judged.",
        "choice",
        "sharpe",
        choices=tuple((name, metric_label(name)) for name in OBJECTIVES),
    ),
)
assert {value for value, _ in SEARCH[0].choices} == set(METHODS)


def range_inputs(strategy: type[Strategy]) -> tuple[Input, ...]:
    """Each parameter as text: the declared range, or its default where it declares none."""
    found = []
    for one, (name, parameter) in zip(parameter_inputs(strategy), strategy.parameters.items(), strict=True):
        search = parameter.search
        text = ":".join(f"{number:.12g}" for number in search) if search else str(parameter.default).lower()
        among = f" One of, or several with commas: {', '.join(map(str, parameter.choices))}." if parameter.choices else ""
        found.append(replace(one, key=f"space.{name}", kind="text", default=text, help=f"{one.help}{among}", choices=()))
    return tuple(found)


def is_range(text: str) -> bool:
    return ":" in text or "," in text


class SweepForm(ConfigForm):
    thing: ClassVar[str] = "sweep"

    def config(self) -> dict[str, Any]:
        nested = {name: value for name, value in super().config().items() if name != "params"}
        given = {one.key.partition(".")[2]: self.values.get(one.name, "").strip() for one in range_inputs(self.strategy)}
        nested["params"] = {name: text for name, text in given.items() if text and not is_range(text)}
        nested["space"] = {name: text for name, text in given.items() if is_range(text)}
        nested |= {one.key: value for one in SEARCH if (value := self.values.get(one.name, "").strip())}
        if self.values.get("method", "grid") == "grid":
            nested.pop("trials", None)
        return nested

    @property
    def parameters(self) -> list[BoundInput]:
        """A fault of a fixed value is shown at the same input as one of a range."""
        bound = []
        for one in self.bind_all(range_inputs(self.strategy)):
            name = one.input.key.partition(".")[2]
            bound.append(replace(one, errors=[*one.errors, *self.faults.get(f"params.{name}", [])]))
        return bound

    @property
    def search(self) -> list[BoundInput]:
        bound = self.bind_all(SEARCH)
        return [replace(one, shown=one.input.key != "trials" or self.values.get("method") == "random") for one in bound]

    @property
    def problems(self) -> list[tuple[str, str, str]]:
        places = {f"{part}.{one.input.key.partition('.')[2]}": one for one in self.parameters for part in ("space", "params")}
        places |= {one.input.key: one for one in self.search}
        mine = [
            (places[key].input.label, places[key].id, message)
            for key, messages in self.faults.items()
            if key in places
            for message in messages
        ]
        whole = [("Ranges", "strategy-part", message) for message in self.faults.get("space", [])]
        others = ConfigForm(self.values, self.symbols)
        others.faults = {key: messages for key, messages in self.faults.items() if key not in places and key != "space"}
        return [*mine, *whole, *others.problems]


def fill_form(config: Mapping[str, Any]) -> SweepForm:
    """With a sweep's or a run's configuration, or a part of one."""
    plain = ConfigForm.of_config({name: value for name, value in config.items() if name not in ("params", "space")})
    values = dict(plain.values) | {name: str(config[name]) for name in ("method", "trials", "objective") if config.get(name)}
    values |= {f"space.{name}": text_of([value]) for name, value in config.get("params", {}).items()}
    values |= {f"space.{name}": text_of(found) for name, found in config.get("space", {}).items()}
    return SweepForm(values, list(config.get("symbols", [])))


def text_of(values: Sequence[Any]) -> str:
    """As a person would write it: 5:24:1 where the steps are even, else with commas."""
    if len(values) > 3 and all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        step = values[1] - values[0]
        if step > 0 and list(values) == list(range(values[0], values[-1] + 1, step)):
            return f"{values[0]}:{values[-1]}:{step}"
    return ",".join(str(value).lower() if isinstance(value, bool) else str(value) for value in values)
