"""A job that the database broke is done again from the rows, never from a memory that is ahead of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest
from django.db import OperationalError

from tests.trading.test_levels import waiting_bot
from trading.live import runtime
from trading.live.runtime import Floor, Runtime
from trading.models import BotState
from trading.services.holding import Holding, holding_load

pytestmark = pytest.mark.django_db


def test_nothing_is_done_with_what_could_not_be_loaded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bot_id = waiting_bot().pk
    monkeypatch.setattr(runtime, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr("trading.live.runtime.connection.close", lambda: None)  # the test's own transaction
    outage = iter([OperationalError("away"), OperationalError("away"), None])

    def load(wanted: int) -> Holding:
        if error := next(outage):
            raise error
        return holding_load(wanted)

    monkeypatch.setattr(runtime, "holding_load", load)
    floor: Any = SimpleNamespace(stopped=False, written=lambda *_: None)
    one = Runtime(holding_load(bot_id), cast(Floor, floor))
    ahead, seen = one.holding, []

    def job() -> None:
        seen.append(one.holding)
        if len(seen) == 1:
            raise OperationalError("the line is cut in the middle of a step")

    one.do(job)
    assert len(seen) == 2
    assert seen[0] is ahead
    assert seen[1] is not ahead


def test_a_bot_that_fails_while_its_venue_is_left_writes_nothing_of_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    bot = waiting_bot()
    floor: Any = Mock(stopped=False)
    one = Runtime(holding_load(bot.pk), cast(Floor, floor))

    def away(_: int) -> Holding:
        floor.stopped = True
        raise OperationalError("away")

    monkeypatch.setattr(runtime, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr("trading.live.runtime.connection.close", lambda: None)  # the test's own transaction
    monkeypatch.setattr(runtime, "holding_load", away)
    version = BotState.objects.get(pk=bot.pk).version

    def broken() -> None:
        raise ValueError("a strategy's fault")

    one.do(broken)
    assert BotState.objects.get(pk=bot.pk).version == version
    bot.refresh_from_db()
    assert bot.run
    assert bot.run.ended_at is None
