"""Chaos is asked for: `-m chaos` plays 200 days, CHAOS_SEEDS of them if that is set, or the one of CHAOS_SEED."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.chaos import strategies

ALL = 200


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "chaos" in str(config.option.markexpr):
        return
    chaos = [item for item in items if item.get_closest_marker("chaos")]
    if chaos:
        config.hook.pytest_deselected(items=chaos)
        items[:] = [item for item in items if item not in chaos]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" not in metafunc.fixturenames:
        return
    if one := os.environ.get("CHAOS_SEED"):
        metafunc.parametrize("seed", [int(one)])
        return
    metafunc.parametrize("seed", range(1, 1 + int(os.environ.get("CHAOS_SEEDS") or ALL)))


@pytest.fixture(scope="package", autouse=True)
def chaotic_strategies() -> Iterator[None]:
    """Known here for as long as these tests run; the children know them always."""
    strategies.register()
    yield
    strategies.unregister()
