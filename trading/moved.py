"""The old names of what has moved out of `trading`, so that strategies written for 0.1 go on working for one release.

An old name is the very module of the new one, not a copy: a strategy that derives from `trading.engine.strategy.Strategy` is one.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import CodeType, ModuleType

HOMES = {
    "trading.engine.errors": "core.errors",
    "trading.engine.fields": "core.fields",
    "trading.engine": "engine",
    "trading.strategies": "engine.strategies",
}
"""Old and new homes; of several that fit a name, the first counts."""


def find_home(name: str) -> str | None:
    """The new name of a module; None where it has not moved."""
    for old, new in HOMES.items():
        if name == old or name.startswith(f"{old}."):
            return new + name.removeprefix(old)
    return None


class MovedModules(MetaPathFinder, InspectLoader):
    """Answers for old names before Python looks for files of theirs."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        home = find_home(name)
        if home is None or (found := find_spec(home)) is None:
            return None
        return ModuleSpec(name, self, is_package=found.submodule_search_locations is not None)

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        home = find_home(name) or name
        advice = f"{name} is {home} now. Import it from there: the old name goes with release 0.3."
        warnings.warn(advice, FutureWarning, stacklevel=2)
        sys.modules[name] = importlib.import_module(home)

    def get_source(self, fullname: str) -> str | None:
        return None

    def get_code(self, fullname: str) -> CodeType | None:
        """For `python -m`, which runs a module under another name."""
        spec = find_spec(find_home(fullname) or fullname)
        return spec.loader.get_code(spec.name) if spec and isinstance(spec.loader, InspectLoader) else None


def keep_old_names() -> None:
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.insert(0, MovedModules())
