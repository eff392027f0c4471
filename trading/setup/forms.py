"""The form of a configuration, of a backtest or a bot. It only carries text to the one parser and its words back to the inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from django.http import QueryDict

from core.errors import Invalid
from engine.strategies import registry
from engine.strategy import Strategy
from trading.setup.inputs import EXITS, LIMITS, MARKET, MONEY, NAME, PLAIN, PROTECTIONS, SIZING, Input, parameter_inputs

FIRST = "sma_cross"


@dataclass(frozen=True, slots=True)
class BoundInput:
    """An input with its value and its faults."""

    input: Input
    value: str
    errors: Sequence[str] = ()
    shown: bool = True

    @property
    def id(self) -> str:
        return f"id_{self.input.name.replace('.', '-')}"


class Part:
    """Some of a form's inputs as templates ask for them: `form.money`."""

    def __init__(self, *inputs: Input) -> None:
        self.inputs = inputs

    def __get__(self, form: ConfigForm, owner: type[ConfigForm]) -> list[BoundInput]:
        return form.bind_all(self.inputs)


class SingleInput:
    """One of a form's inputs."""

    def __init__(self, one: Input) -> None:
        self.input = one

    def __get__(self, form: ConfigForm, owner: type[ConfigForm]) -> BoundInput:
        return form.bind(self.input)


class ConfigForm:
    """`values`: texts by input name. `symbols`: those that are ticked. `inputs`: all but the strategy's own."""

    inputs: ClassVar[tuple[Input, ...]] = PLAIN
    thing: ClassVar[str] = "run"
    """What the form describes."""
    market = Part(*MARKET)
    money = Part(*MONEY)
    sizing = Part(*SIZING)
    exits = Part(*EXITS)
    limits = Part(*LIMITS)
    protections = Part(*PROTECTIONS)
    name = SingleInput(NAME)

    def __init__(self, values: Mapping[str, str], symbols: Sequence[str], *, cloned_from: str = "") -> None:
        self.values, self.symbols, self.cloned_from = values, list(symbols), cloned_from
        self.faults: dict[str, list[str]] = {}
        self.message = ""

    @classmethod
    def of_post(cls, data: QueryDict) -> Self:
        return cls(
            {name: str(value) for name, value in data.items()},
            [one for one in data.getlist("symbols") if one.strip()],
            cloned_from=data.get("cloned_from", ""),
        )

    @classmethod
    def of_config(cls, config: Mapping[str, Any], *, cloned_from: str = "") -> Self:
        """Filled with a run's configuration, or with the part of one that is there."""
        flat = flatten_config(config)
        kinds = {f"{section}.kind": flat.get(f"{section}.kind", "") for section in ("slippage", "sizing")}
        own = parameter_inputs(strategy_of(config.get("strategy", "")))
        values = {
            one.name: input_text(flat[one.key], one)
            for one in (*cls.inputs, *own)
            if one.key in flat and one.only_for in ("", kinds.get(one.chooser, ""))
        }
        values |= {name: str(config[name]) for name in ("strategy", "venue") if config.get(name)}
        return cls(values, config.get("symbols", []), cloned_from=cloned_from)

    @property
    def strategy(self) -> type[Strategy]:
        return strategy_of(self.values.get("strategy", ""))

    @property
    def venue(self) -> str:
        return self.values.get("venue", "")

    def config(self) -> dict[str, Any]:
        """What the parser reads: nested, without empty inputs and those that belong to another choice."""
        nested: dict[str, Any] = {"strategy": self.values.get("strategy", ""), "symbols": self.symbols, "venue": self.venue}
        for one in (*parameter_inputs(self.strategy), *self.inputs):
            value = self.given_text(one)
            if self.counts(one) and value != "":
                section, _, name = one.key.rpartition(".")
                (nested.setdefault(section, {}) if section else nested)[name] = value
        return nested

    def given_text(self, one: Input) -> str:
        if one.kind == "flag":
            return "true" if self.values.get(one.name) in ("on", "true") else "false"
        return self.values.get(one.name, "").strip()

    def counts(self, one: Input) -> bool:
        """Whether the choice that the input belongs to is the one made."""
        return not one.only_for or self.values.get(one.chooser, default_of(one.chooser, self.inputs)) == one.only_for

    def refuse(self, error: Invalid) -> None:
        self.message, self.faults = str(error), dict(error.fields)
        if not self.symbols and "symbols" in self.faults:
            self.faults["symbols"] = ["Tick at least one symbol."]

    @property
    def parameters(self) -> list[BoundInput]:
        return self.bind_all(parameter_inputs(self.strategy))

    @property
    def folded_open(self) -> bool:
        """Whether anything in the folded part differs from its default or has a fault."""
        return any(map(is_touched, (*self.exits, *self.limits))) or self.protections_open

    @property
    def protections_open(self) -> bool:
        return any(map(is_touched, self.protections))

    def bind_all(self, inputs: Sequence[Input]) -> list[BoundInput]:
        return [self.bind(one) for one in inputs]

    def bind(self, one: Input) -> BoundInput:
        shown = self.counts(one)
        value = self.values.get(one.name, str(one.default))
        if one.kind == "flag":
            value = "true" if value in ("on", "true", "True") else ""
        return BoundInput(one, value, self.faults.get(one.key, []) if shown else [], shown)

    @property
    def problems(self) -> list[tuple[str, str, str]]:
        """(label, id of the input, message) of every fault; the id is empty where no input is to blame."""
        places = {one.input.key: one for one in self.bind_all([*parameter_inputs(self.strategy), *self.inputs]) if one.shown}
        listed = []
        for key, messages in self.faults.items():
            place = places.get(key)
            label, target = (place.input.label, place.id) if place else OTHER.get(key.split(".")[0], (key, ""))
            listed += [(label, target, message) for message in messages]
        return listed


def default_of(name: str, inputs: Sequence[Input]) -> str:
    return next(str(one.default) for one in inputs if one.name == name)


def is_touched(one: BoundInput) -> bool:
    return bool(one.errors) or one.value not in ("", str(one.input.default))


OTHER = {
    "symbols": ("Symbols", "symbols"),
    "symbol": ("Symbols", "symbols"),
    "venue": ("Venue", "id_venue"),
    "strategy": ("Strategy", "strategies"),
}
"""Faults whose place is not one of the plain inputs."""


def strategy_of(name: str) -> type[Strategy]:
    """The strategy, or the first one to look at while there is none of that name."""
    known = {kind.name: kind for kind in registry.list_strategies()}
    return known.get(name) or known[FIRST]


def flatten_config(config: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in config.items():
        flat |= {f"{name}.{key}": inner for key, inner in value.items()} if isinstance(value, Mapping) else {name: value}
    return {name: value for name, value in flat.items() if value is not None}


def input_text(value: Any, one: Input) -> str:
    """As the input holds it: moments without the zone that their label names."""
    if one.kind == "moment":
        return str(value).removesuffix("Z").removesuffix("+00:00")[:16]
    if one.kind == "flag":
        return "true" if value else ""
    return str(value)
