from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.running import PROJECT, RunningDesk


@pytest.fixture(scope="session", autouse=True)
def compiled() -> None:
    """The engine, compiled once for all desks of the tests, whose workers wait for it."""
    subprocess.run([sys.executable, "-m", "engine.warm"], cwd=PROJECT, check=True, timeout=600)


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Static files, collected once for all desks of the tests."""
    return tmp_path_factory.mktemp("static")


@pytest.fixture
def new_desk(tmp_path: Path, collected: Path) -> Iterator[Callable[..., RunningDesk]]:
    """Makes desks that are not started yet, and ends those that the test leaves."""
    desks: list[RunningDesk] = []

    def make(name: str = "var", **options: object) -> RunningDesk:
        desk = RunningDesk(tmp_path / name, **options)  # type: ignore[arg-type]
        prepare(desk, collected)
        desks.append(desk)
        return desk

    yield make
    for desk in desks:
        desk.stop()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, collected: Path) -> Iterator[RunningDesk]:
    """One open desk for the tests of a file that leave it open."""
    desk = RunningDesk(tmp_path_factory.mktemp("desk") / "var")
    prepare(desk, collected)
    try:
        yield desk.start()
    finally:
        desk.stop()


def prepare(desk: RunningDesk, collected: Path) -> None:
    desk.var.mkdir(parents=True)
    (desk.var / "static").symlink_to(collected)
