"""A job that the database interrupted is done again from the rows, never from a memory that is ahead of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest
from django.db import OperationalError

from tests.trading.live.test_levels import waiting_bot
from trading.live import bot_runner as runtime
from trading.live.bot_runner import BotRunner, Floor
from trading.models import BotRun, BotState
from trading.services.bot_loading import bot_load, bots_load
from trading.services.loaded_bot import LoadedBot

pytestmark = pytest.mark.django_db


def test_nothing_is_done_with_what_could_not_be_loaded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bot_id = waiting_bot().pk
    monkeypatch.setattr(runtime, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr("trading.live.bot_runner.connection.close", lambda: None)  # the test's own transaction
    outage = iter([OperationalError("away"), OperationalError("away"), None])

    def load(wanted: int, **_: bool) -> LoadedBot:
        if error := next(outage):
            raise error
        return bot_load(wanted)

    monkeypatch.setattr(runtime, "holding_load", load)
    floor: Any = SimpleNamespace(stopped=False, written=lambda *_: None)
    one = BotRunner(bot_load(bot_id), cast(Floor, floor))
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
    one = BotRunner(bot_load(bot.pk), cast(Floor, floor))

    def away(_: int, **__: bool) -> LoadedBot:
        floor.stopped = True
        raise OperationalError("away")

    monkeypatch.setattr(runtime, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr("trading.live.bot_runner.connection.close", lambda: None)  # the test's own transaction
    monkeypatch.setattr(runtime, "holding_load", away)
    version = BotState.objects.get(pk=bot.pk).version

    def broken() -> None:
        raise ValueError("a strategy's fault")

    one.do(broken)
    assert BotState.objects.get(pk=bot.pk).version == version
    bot.refresh_from_db()
    assert bot.run
    assert bot.run.ended_at is None


def test_a_bot_whose_configuration_cannot_be_read_any_more_ends_and_its_thread_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found out after an outage, as its strategy was taken away meanwhile."""
    bot = waiting_bot()
    one = BotRunner(bot_load(bot.pk), cast(Floor, Mock(stopped=False)))
    monkeypatch.setattr("trading.live.bot_runner.connection.close", lambda: None)  # the test's own transaction
    BotRun.objects.filter(bot=bot).update(config=one.holding.run.config | {"strategy": "gone"})

    def broken() -> None:
        raise OperationalError("the line is cut in the middle of a step")

    one.do(broken)
    bot.refresh_from_db()
    assert bot.run
    assert (bot.run.end_reason, "There is no strategy 'gone'." in bot.run.error) == ("failed", True)


def test_what_is_had_for_its_books_alone_is_loaded_again_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    bot = waiting_bot()
    BotState.objects.filter(bot=bot).update(book=b"of another time")
    holding = bots_load([bot.pk])[bot.pk]
    assert isinstance(holding, LoadedBot)
    one, done = BotRunner(holding, cast(Floor, Mock(stopped=False))), []
    monkeypatch.setattr("trading.live.bot_runner.connection.close", lambda: None)  # the test's own transaction

    def booked() -> None:
        done.append(one.holding)
        if len(done) == 1:
            raise OperationalError("the line is cut in the middle of a step")

    one.do(booked)
    assert [each.unreadable for each in done] == [holding.unreadable] * 2
    assert not one.ended


@pytest.mark.parametrize("ends", [False, True])
def test_who_waits_for_a_bot_to_be_idle_is_told_also_where_it_ends(ends: bool) -> None:
    queue: list[Any] = []
    floor: Any = Mock(stopped=False, run_job=lambda drain, urgent: queue.append(drain))
    one, done = BotRunner(bot_load(waiting_bot().pk), cast(Floor, floor)), []
    one.submit(lambda: done.append(1))
    waited = one.idle()
    assert not waited.done()
    one.ended = ends
    queue.pop()()
    assert waited.done()
    assert done == ([] if ends else [1])
    assert one.idle().done()
