"""All strategies by name: every module of this package, and entry points of the group `quarterdeck.strategies`."""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
import logging
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points

from core.errors import Invalid
from engine import strategies
from engine.strategy import Strategy

GROUP = "quarterdeck.strategies"
log = logging.getLogger(__name__)


@dataclass(slots=True)
class FoundStrategies:
    """Strategies by name, and what could not be used: the entry point's name and why."""

    strategies: dict[str, type[Strategy]] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def add(self, strategy: type[Strategy]) -> None:
        if (other := self.strategies.get(strategy.name, strategy)) is not strategy:
            raise ValueError(f"the name {strategy.name!r} is taken by {other.__module__}.{other.__qualname__}")
        self.strategies[strategy.name] = strategy


def get_strategy(name: str) -> type[Strategy]:
    """The strategy of that name; `Invalid` at `strategy`, with the nearest name, if there is none."""
    known = find_strategies().strategies
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(sorted(known))}."
        raise Invalid.at("strategy", f"There is no strategy {name!r}. {hint}")
    return known[name]


def list_strategies() -> list[type[Strategy]]:
    """Every strategy, by name."""
    return [strategy for _, strategy in sorted(find_strategies().strategies.items())]


def list_faults() -> dict[str, str]:
    """Entry points that could not be used, with the reason."""
    return dict(find_strategies().faults)


@functools.cache
def find_strategies() -> FoundStrategies:
    """Looked up once a process; `found.cache_clear()` looks again."""
    everything = FoundStrategies()
    for strategy in built_in():
        everything.add(strategy)
    for entry in entry_points(group=GROUP):
        try:
            everything.add(load_strategy(entry))
        except Exception as error:  # someone else's package must not keep the desk from starting
            everything.faults[entry.name] = f"{type(error).__name__}: {error}"
            log.exception("The strategy %s (%s) cannot be used", entry.name, entry.value)
    return everything


def built_in() -> Iterator[type[Strategy]]:
    for module_info in pkgutil.iter_modules(strategies.__path__, f"{strategies.__name__}."):
        module = importlib.import_module(module_info.name)
        for _, member in inspect.getmembers(module, inspect.isclass):
            if member.__module__ == module.__name__ and issubclass(member, Strategy):
                yield member


def load_strategy(entry: EntryPoint) -> type[Strategy]:
    strategy = entry.load()
    if not (inspect.isclass(strategy) and issubclass(strategy, Strategy)) or inspect.isabstract(strategy):
        raise TypeError(f"{entry.value} is not a strategy: a class derived from Strategy with all of its methods")
    missing = [name for name in ("name", "title", "description") if not getattr(strategy, name, "")]
    if missing:
        raise TypeError(f"{entry.value} has no {' and no '.join(missing)}")
    return strategy
