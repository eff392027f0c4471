"""The status of a bot follows from what happened, and from nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.trading.live.fixtures import Rows
from trading import selectors
from trading.models import Bot, KillSwitch

pytestmark = pytest.mark.django_db


def status(bot: Bot) -> tuple[str, str]:
    row = selectors.bot_rows([selectors.bot_get(bot.bot_id)])[0]
    return row.status.word, row.status.why


def ago(**given: float) -> timedelta:
    """A time that is reckoned when the test runs, which may be minutes after its collection."""
    return timedelta(**given)


def dated(given: dict[str, Any]) -> dict[str, Any]:
    return {name: timezone.now() - value if isinstance(value, timedelta) else value for name, value in given.items()}


def test_a_bot_that_decided_a_moment_ago_runs(rows: Rows) -> None:
    rows.stream()
    assert status(rows.bot()) == ("running", "")


def test_a_bot_that_never_ran_is_stopped(rows: Rows) -> None:
    assert status(rows.bot(running=False)) == ("stopped", "It was never started.")


@pytest.mark.parametrize(
    ("run", "word", "why"),
    [
        ({"evaluated_at": None, "history_from": None, "started_at": ago(seconds=2)}, "starting", "waits for a stream worker"),
        ({"evaluated_at": None, "started_at": ago(seconds=2)}, "starting", "has its candles"),
        ({"evaluated_at": None, "started_at": ago(minutes=5)}, "running", "decides for the first time"),
        ({"evaluated_at": None, "started_at": ago(minutes=20)}, "lost", "never evaluated"),
        ({"evaluated_at": ago(minutes=9)}, "running", ""),
        ({"evaluated_at": ago(minutes=12)}, "lost", "has not been evaluated since"),
        ({"held_reason": "prices are stale"}, "holding", "prices are stale"),
        ({"ended_at": ago(minutes=1), "end_reason": "failed", "error": "Traceback\nValueError: no"}, "failed", "ValueError: no"),
        ({"ended_at": ago(minutes=1), "end_reason": "finished"}, "stopped", "The replay is at its end"),
    ],
)
def test_it_follows_from_the_run(rows: Rows, run: dict[str, Any], word: str, why: str) -> None:
    rows.stream()
    found = status(rows.bot(run=dated(run)))
    assert (found[0], why in found[1]) == (word, True), found


@pytest.mark.parametrize(
    ("stream", "word", "why"),
    [
        ({"held_until": ago(seconds=1)}, "lost", "No stream worker holds binance"),
        ({"state": "stale", "detail": "BTC-USDT is silent."}, "holding", "BTC-USDT is silent."),
        ({"state": "connecting"}, "holding", "is connecting"),
        ({"last_message_at": ago(minutes=1)}, "holding", "No prices of binance since "),
        ({"last_message_at": ago(days=2), "state": "stale"}, "holding", "No prices of binance since 20"),
        ({"wanted": False, "held_until": None, "state": "stopped"}, "holding", "switched off"),
        ({"state": "polling"}, "running", ""),
    ],
)
def test_it_follows_from_the_stream(rows: Rows, stream: dict[str, Any], word: str, why: str) -> None:
    bot = rows.bot()
    rows.stream(**dated(stream))
    found = status(bot)
    assert (found[0], why in found[1]) == (word, True), found


def test_without_any_stream_a_bot_is_lost_and_a_replay_is_not(rows: Rows) -> None:
    assert status(rows.bot())[0] == "lost"
    assert status(rows.bot(mode="replay"))[0] == "running"


@pytest.mark.parametrize(("wanted", "word"), [("paused", "paused"), ("closing", "closing"), ("stopped", "stopping")])
def test_it_follows_from_what_a_person_wants(rows: Rows, wanted: str, word: str) -> None:
    rows.stream()
    assert status(rows.bot(wanted=wanted))[0] == word


def test_a_killed_desk_holds_its_bots_and_says_who_did_it(rows: Rows) -> None:
    rows.stream()
    KillSwitch.objects.create(killed=True, changed_by="ada")
    assert status(rows.bot()) == ("holding", "Killed by ada: no order is sent.")


def test_a_sandbox_bot_lives_on_the_sandbox_stream(rows: Rows) -> None:
    rows.stream()
    bot = rows.bot(venue="binance-sandbox")
    assert status(bot)[0] == "lost"
    rows.stream(environment="sandbox")
    assert status(bot)[0] == "running"


def test_a_replay_at_a_tenth_of_speed_is_not_lost_between_two_candles(rows: Rows) -> None:
    slow = rows.bot(mode="replay", replay={"speed": 0.1}, run=dated({"evaluated_at": ago(minutes=45)}))
    fast = rows.bot(mode="replay", replay={"speed": 0}, run=dated({"evaluated_at": ago(minutes=2)}))
    assert (status(slow)[0], status(fast)[0]) == ("running", "lost")
