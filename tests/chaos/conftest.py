"""`-m chaos` plays 200 days, any other run six of them. CHAOS_SEEDS sets how many (`80`) or which (`81-200`), CHAOS_SEED a single
one."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.chaos import strategies

ALL, SOME = 200, 6


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" not in metafunc.fixturenames:
        return
    if one := os.environ.get("CHAOS_SEED"):
        metafunc.parametrize("seed", [int(one)])
        return
    usual = ALL if "chaos" in str(metafunc.config.option.markexpr) else SOME
    first, _, last = (os.environ.get("CHAOS_SEEDS") or str(usual)).rpartition("-")
    metafunc.parametrize("seed", range(int(first or 1), 1 + int(last)))


@pytest.fixture(scope="package", autouse=True)
def chaotic_strategies() -> Iterator[None]:
    """Known here for as long as these tests run; the children know them always."""
    strategies.register()
    yield
    strategies.unregister()
