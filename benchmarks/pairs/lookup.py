"""Modules of the checkout under test, by any of the names that they have had. Without types: each checkout has its own."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import Any

ENGINE = ("engine", "trading.engine", "trading")
"""Where the engine's modules are: its strategies were beside it once."""
EMBEDDED = ("operations.embedded", "config.embedded")


def load_engine(name: str) -> Any:
    """A module of the engine, such as `simulator` or `strategies.sma_cross`."""
    return load_first([f"{package}.{name}" for package in ENGINE])


def load_embedded() -> Any:
    """The package that runs PostgreSQL and Valkey."""
    return load_first(EMBEDDED)


def load_first(names: tuple[str, ...] | list[str]) -> Any:
    """The first of the named modules that this checkout has."""
    found = next(filter(has_module, names), None)
    if found is None:
        raise ModuleNotFoundError(f"This checkout has none of {', '.join(names)}.")
    return importlib.import_module(found)


def find_name(*places: str) -> Any:
    """The first of the places, each `module:name`, that this checkout has."""
    for place in places:
        module, _, name = place.partition(":")
        if has_module(module) and hasattr(importlib.import_module(module), name):
            return getattr(importlib.import_module(module), name)
    raise ModuleNotFoundError(f"This checkout has none of {', '.join(places)}.")


def has_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # its package is not there
        return False
