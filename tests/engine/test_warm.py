"""Who compiles when: bots do not wait for what runs need."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest
from numba import config

from engine.warm import after_live, compile_alone, live_is_being_compiled, live_is_compiled, mark_file

LONG_ENOUGH = 0.2  # seconds; for a thread that does not wait


@pytest.fixture(autouse=True)
def new_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where nothing has been compiled yet."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "kernels"))


def test_what_runs_need_comes_after_what_bots_need() -> None:
    compiled = []

    def runs() -> None:
        with after_live():
            compiled.append("runs")

    thread = Thread(target=runs)
    with compile_alone("live"):
        thread.start()
        thread.join(LONG_ENOUGH)
        compiled.append("live")
    thread.join()
    assert compiled == ["live", "runs"]


def test_it_is_known_whether_somebody_compiles_for_bots_and_whether_that_is_done() -> None:
    assert not live_is_being_compiled()
    with compile_alone("runs"):
        assert not live_is_being_compiled()
    with compile_alone("live"):
        assert live_is_being_compiled()
    assert not live_is_compiled()
    mark_file().touch()
    assert live_is_compiled()
