"""While the engine is compiled, the desk says so, and not that something is down."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.progress import Progress, progress_end, progress_put
from operations.state import check_workers
from tests.running import wait_for
from tests.trading.live.fixtures import Rows, rows
from trading import compiling, selectors
from trading.compiling import ENGINE, engine_progress, telling_progress

__all__ = ["rows"]
pytestmark = [pytest.mark.django_db, pytest.mark.services]


@pytest.fixture
def under_way() -> Any:
    progress_put(ENGINE, Progress(12, 46))
    yield
    progress_end(ENGINE)


def test_it_is_told_for_as_long_as_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "TOLD_EVERY", 0.01)
    monkeypatch.setattr(compiling, "count_compiled", lambda: 60)
    assert engine_progress() is None
    with telling_progress():
        wait_for(lambda: engine_progress() is not None, "a progress that is told", 10)
        assert engine_progress() == Progress(compiling.KERNELS, compiling.KERNELS)
    assert engine_progress() is None


def test_workers_that_compile_are_not_down(under_way: None) -> None:
    found = check_workers()
    assert (found.state, found.percent, found.remedy) == ("starting", 26, "")
    assert "12 of 46" in found.detail


def test_a_bot_that_waits_for_the_engine_says_so(rows: Rows, under_way: None) -> None:
    rows.stream()
    long_ago = timezone.now() - timedelta(minutes=20)
    new = rows.bot(run={"evaluated_at": None, "history_from": None, "started_at": long_ago})
    old = rows.bot()
    told = {row.bot.pk: row.status for row in selectors.bot_rows([new, old])}
    assert (told[new.pk].word, "12 of 46" in told[new.pk].why) == ("starting", True)
    assert told[old.pk].word == "running"
