"""A strategy: parameters declared once, indicators and signals over columns.

    class SmaCross(Strategy):
        name, title = "sma_cross", "SMA cross"
        fast: int = integer(10, low=2, high=500, help="Candles in the fast average", search=(5, 25, 1))
        ...

Forms, API schema, validation and search ranges are all made from the parameters.
"""

from __future__ import annotations

import difflib
import hashlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np

from core.errors import Invalid, StrategyFailed
from engine import source_files
from engine.types import Bools, Candles, Floats, HiddenVolume, Signals, read_column


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter. `low` and `high` are inclusive; `search` is (start, stop, step), stop inclusive, for sweeps."""

    default: Any
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()
    help: str = ""
    label: str = ""
    search: tuple[float, float, float] | None = None
    kind: ClassVar[str] = ""
    json_type: ClassVar[str] = ""

    def parse(self, raw: Any) -> Any:
        """`raw` as this parameter's type; ValueError, with a message for the user, where it cannot be used."""
        value = self.convert(raw)
        if self.choices and value not in self.choices:
            raise ValueError(f"must be one of {', '.join(map(str, self.choices))}; got {raw!r}")
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise ValueError(f"must be from {self.low:g} to {self.high:g}; got {raw!r}")
        return value

    def convert(self, raw: Any) -> Any:
        raise NotImplementedError

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema of one value."""
        schema: dict[str, Any] = {"type": self.json_type, "default": self.default, "description": self.help, "title": self.label}
        if self.low is not None:
            schema["minimum"] = self.low
        if self.high is not None:
            schema["maximum"] = self.high
        if self.choices:
            schema["enum"] = list(self.choices)
        if self.search is not None:
            schema["x-search"] = list(self.search)
        return schema


class Integer(Parameter):
    kind = json_type = "integer"

    def convert(self, raw: Any) -> int:
        if isinstance(raw, bool) or (isinstance(raw, float) and not raw.is_integer()):
            raise ValueError(f"must be a whole number; got {raw!r}")
        try:
            return int(raw)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"must be a whole number; got {raw!r}") from None


class Number(Parameter):
    kind = json_type = "number"

    def convert(self, raw: Any) -> float:
        try:
            value = float(raw) if not isinstance(raw, bool) else float("nan")
        except (TypeError, ValueError, OverflowError):
            value = float("nan")
        if not np.isfinite(value):
            raise ValueError(f"must be a number; got {raw!r}")
        return value


class Choice(Parameter):
    kind, json_type = "choice", "string"

    def convert(self, raw: Any) -> str:
        if not isinstance(raw, str):
            raise ValueError(f"must be one of {', '.join(map(str, self.choices))}; got {raw!r}")
        return raw


class Flag(Parameter):
    kind = json_type = "boolean"

    def convert(self, raw: Any) -> bool:
        words = {True: True, False: False, "true": True, "false": False, "1": True, "0": False, "on": True, "off": False}
        key = raw.lower() if isinstance(raw, str) else raw
        if not isinstance(key, bool | str) or key not in words:
            raise ValueError(f"must be true or false; got {raw!r}")
        return words[key]


# Declared as the type of the value, which is what a strategy's methods see; the class itself keeps the Parameter.
def integer(default: int, **declared: Any) -> int:
    return cast(int, Integer(default, **declared))


def number(default: float, **declared: Any) -> float:
    return cast(float, Number(default, **declared))


def choice(default: str, choices: tuple[str, ...], **declared: Any) -> str:
    return cast(str, Choice(default, choices=choices, **declared))


def flag(default: bool, **declared: Any) -> bool:
    return cast(bool, Flag(default, **declared))


Columns = Mapping[str, Floats]
"""Indicators by name, each of the candles' length, NaN where not yet known."""


@dataclass(frozen=True, slots=True)
class Plot:
    """How a chart shows an indicator: over the price, or in a pane of its own that indicators of one `pane` share."""

    label: str
    pane: str = "price"


class Strategy(ABC):
    """Base of all strategies. Subclasses declare parameters as class attributes and are stateless beyond them."""

    name: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    sources: ClassVar[tuple[str, ...]] = ()
    """Where the idea comes from: books, papers."""
    position: ClassVar[str] = "single"
    """`single`: entries while in position are ignored. `merge`: they add to it at the average price.
    `lots`: each is its own trade."""
    plots: ClassVar[Mapping[str, Plot]] = {}
    parameters: ClassVar[Mapping[str, Parameter]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Parameter)}
        cls.parameters = {**cls.parameters, **own}

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        """Parameters from `values`, defaults for the rest; `Invalid` with a message at each wrong one (`params.<name>`)."""
        for name, value in self.parse(values or {}).items():
            setattr(self, name, value)

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Every parameter's value, validated."""
        faults: dict[str, list[str]] = {}
        for unknown in set(values) - set(cls.parameters):
            near = difflib.get_close_matches(unknown, cls.parameters, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" It has {', '.join(cls.parameters) or 'none'}."
            faults[f"params.{unknown}"] = [f"{cls.title} has no parameter {unknown!r}.{hint}"]
        parsed: dict[str, Any] = {}
        for name, parameter in cls.parameters.items():
            try:
                parsed[name] = parameter.parse(values[name]) if name in values else parameter.default
            except ValueError as error:
                faults[f"params.{name}"] = [f"{name} {error}."]
        if not faults:
            faults = {f"params.{name}": [message] for name, message in cls.check_values(parsed).items()}
        if faults:
            raise Invalid("The strategy's parameters cannot be used.", fields=faults)
        return parsed

    @classmethod
    def check_values(cls, values: Mapping[str, Any]) -> dict[str, str]:
        """The faults that `check` finds; `Invalid` where it raises."""
        try:
            with blame_strategy(cls):
                return dict(cls.check(values))
        except StrategyFailed as error:
            raise Invalid.at("strategy", str(error)) from error

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> dict[str, str]:
        """Faults between parameters, by the name of the one to change. For subclasses."""
        return {}

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """JSON Schema of the parameters."""
        properties = {name: parameter.json_schema() for name, parameter in cls.parameters.items()}
        return {"type": "object", "properties": properties, "additionalProperties": False}

    @classmethod
    def code_hash(cls) -> str:
        """SHA-256 of the strategy's source and of the engine's: what decided, to the letter."""
        digest = hashlib.sha256(Path(inspect.getfile(cls)).read_bytes())
        for path in source_files():
            digest.update(path.read_bytes())
        return digest.hexdigest()

    @property
    def values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.parameters}

    @abstractmethod
    def warmup(self) -> int:
        """How many candles must have closed before signals mean anything; earlier ones are ignored."""

    def warmup_at(self, interval: str) -> int:
        """`warmup` on candles of `interval`; `Invalid` where the parameters do not fit it. For strategies on several intervals."""
        return self.warmup()

    @abstractmethod
    def indicators(self, candles: Candles) -> Columns:
        """The indicators over all candles. Value i may use candles 0 to i only."""

    @abstractmethod
    def signals(self, candles: Candles, columns: Columns) -> Signals:
        """What the strategy wants at each close. Value i may use candles and columns 0 to i only."""


@contextmanager
def blame_strategy(strategy: type[Strategy]) -> Iterator[None]:
    """Around a strategy's own code: whatever it raises, `Invalid` apart, becomes `StrategyFailed`."""
    try:
        yield
    except (Invalid, StrategyFailed):
        raise
    except Exception as error:
        raise StrategyFailed(f"{strategy.title} raised {type(error).__name__}: {error}") from error


def evaluate(strategy: Strategy, candles: Candles) -> tuple[dict[str, Floats], Signals]:
    """Indicators and signals, checked for shape; whatever the strategy raises, `Invalid` apart, becomes `StrategyFailed`. One that
    reads a volume which is unknown is refused."""
    if not candles.volume_known:
        candles = hide_volume(candles)
    with blame_strategy(type(strategy)):
        columns = {name: np.asarray(column, dtype=np.float64) for name, column in strategy.indicators(candles).items()}
        signals = strategy.signals(candles, columns)
    check_shapes(strategy, columns, signals, len(candles))
    return columns, signals


def hide_volume(candles: Candles) -> HiddenVolume:
    columns = (read_column(candles, name) for name in ("time", "open", "high", "low", "close", "volume"))
    return HiddenVolume(candles.symbol, candles.interval, *columns, volume_known=False)


def check_shapes(strategy: Strategy, columns: Mapping[str, Floats], signals: Signals, length: int) -> None:
    if not isinstance(signals, Signals):
        raise StrategyFailed(f"{strategy.title}.signals() must return Signals; it returned {type(signals).__name__}.")
    arrays: dict[str, Floats | Bools | None] = dict(columns)
    arrays |= {name: getattr(signals, name) for name in Signals.__dataclass_fields__ if name != "ladder"}
    for name, array in arrays.items():
        if array is not None and np.shape(array) != (length,):
            shape = np.shape(array)
            raise StrategyFailed(f"{strategy.title}: {name!r} must have one value a candle, shape ({length},); it has {shape}.")


@dataclass(slots=True)
class Higher:
    """A higher interval made from the base candles, seen only once each of its candles has closed."""

    base: Candles
    interval: str
    candles: Candles = field(init=False)
    _seen: Any = field(init=False)

    def __post_init__(self) -> None:
        from engine.resample import last_closed, resample  # resample needs Candles only; kept apart for its kernels

        self.candles = resample(self.base, self.interval)
        self._seen = last_closed(self.base, self.candles)

    def column(self, compute: Callable[[Candles], Floats]) -> Floats:
        """`compute` over the higher candles, laid on the base: each value from the last higher candle closed by then, else NaN."""
        values = compute(self.candles)
        out = np.full(len(self.base), np.nan)
        first = int(np.searchsorted(self._seen, 0))  # it never falls
        out[first:] = values[self._seen[first:]]
        return out
