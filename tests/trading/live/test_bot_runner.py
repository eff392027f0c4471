"""A job that the database interrupted is done again from the rows, never from a memory that is ahead of them."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError

from tests.trading.live.test_levels import waiting_bot
from trading.live import bot_runner
from trading.live.bot_runner import BotHost, BotJob, BotRunner
from trading.models import BotRun, BotState
from trading.services.bot_loading import bot_load, bots_load
from trading.services.loaded_bot import LoadedBot

pytestmark = pytest.mark.django_db


def make_runner(loaded: LoadedBot, **host: Any) -> BotRunner:
    return BotRunner(loaded, Mock(), BotHost(**{"start": Mock(), "dispatch": Mock(), "remove": Mock(), **host}))


@pytest.fixture(autouse=True)
def keep_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the test's own transaction."""
    monkeypatch.setattr("trading.live.bot_runner.connection.close", lambda: None)


def test_nothing_is_done_with_what_could_not_be_loaded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bot_id = waiting_bot().pk
    monkeypatch.setattr(bot_runner, "RETRY_SECONDS", 0.0)
    outage = iter([OperationalError("away"), OperationalError("away"), None])

    def load(wanted: int, **_: bool) -> LoadedBot:
        if error := next(outage):
            raise error
        return bot_load(wanted)

    monkeypatch.setattr(bot_runner, "bot_load", load)
    one = make_runner(bot_load(bot_id))
    ahead, seen = one.loaded_bot, []

    def job() -> None:
        seen.append(one.loaded_bot)
        if len(seen) == 1:
            raise OperationalError("the line is cut in the middle of a step")

    one.do(BotJob(job, 0.0))
    assert len(seen) == 2
    assert seen[0] is ahead
    assert seen[1] is not ahead


def test_a_bot_that_fails_while_its_venue_is_left_writes_nothing_of_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    bot = waiting_bot()
    one = make_runner(bot_load(bot.pk))

    def away(_: int, **__: bool) -> LoadedBot:
        one.host.stopped = True
        raise OperationalError("away")

    monkeypatch.setattr(bot_runner, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(bot_runner, "bot_load", away)
    version = BotState.objects.get(pk=bot.pk).version

    def broken() -> None:
        raise ValueError("a strategy's fault")

    one.do(BotJob(broken, 0.0))
    assert BotState.objects.get(pk=bot.pk).version == version
    bot.refresh_from_db()
    assert bot.run
    assert bot.run.ended_at is None


def test_a_bot_whose_configuration_cannot_be_read_any_more_ends_and_its_thread_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found out after an outage, as its strategy was taken away meanwhile."""
    bot = waiting_bot()
    one = make_runner(bot_load(bot.pk))
    BotRun.objects.filter(bot=bot).update(config=one.loaded_bot.run.config | {"strategy": "gone"})

    def broken() -> None:
        raise OperationalError("the line is cut in the middle of a step")

    one.do(BotJob(broken, 0.0))
    bot.refresh_from_db()
    assert bot.run
    assert (bot.run.end_reason, "There is no strategy 'gone'." in bot.run.error) == ("failed", True)


def test_what_is_had_for_its_books_alone_is_loaded_again_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    bot = waiting_bot()
    BotState.objects.filter(bot=bot).update(book=b"of another time")
    loaded = bots_load([bot.pk])[bot.pk]
    assert isinstance(loaded, LoadedBot)
    one, done = make_runner(loaded), []

    def booked() -> None:
        done.append(one.loaded_bot)
        if len(done) == 1:
            raise OperationalError("the line is cut in the middle of a step")

    one.do(BotJob(booked, 0.0))
    assert [each.unreadable for each in done] == [loaded.unreadable] * 2
    assert not one.queue.closed
