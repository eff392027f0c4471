"""Whether prices arrive: one rule, by the server's clock, and no alarm where nobody needs prices."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.trading.live.fixtures import Rows
from trading import selectors
from trading.models import BotRun

pytestmark = pytest.mark.django_db

SOON, LONG = timedelta(seconds=3), timedelta(seconds=20)


def dated(given: dict[str, Any]) -> dict[str, Any]:
    return {name: timezone.now() - value if isinstance(value, timedelta) else value for name, value in given.items()}


def stale() -> bool:
    return selectors.prices_state().stale


def test_a_desk_without_bots_or_streams_has_no_alarm(rows: Rows) -> None:
    assert selectors.prices_state() == selectors.Prices()


@pytest.mark.parametrize(
    ("stream", "alarm"),
    [
        ({"last_message_at": SOON}, False),
        ({"last_message_at": LONG}, True),
        ({"last_message_at": None}, True),
        ({"state": "polling", "last_message_at": SOON}, False),
        ({"state": "polling", "last_message_at": LONG}, True),
        ({"state": "stale", "last_message_at": LONG}, True),
        # Its worker was killed: soon it is late, and before that a standby may have it.
        ({"held_until": SOON, "last_message_at": SOON}, False),
        ({"held_until": SOON, "last_message_at": LONG}, True),
        ({"state": "stopped", "held_until": SOON, "last_message_at": SOON}, False),
        ({"state": "stopped", "held_until": SOON, "last_message_at": LONG}, True),
        # A first attempt is under way, or every one fails.
        ({"state": "connecting", "last_message_at": LONG}, False),
        ({"state": "connecting", "held_until": SOON, "last_message_at": LONG}, True),
        ({"state": "connecting", "detail": "The venue refuses.", "last_message_at": LONG}, True),
        ({"state": "paused", "last_message_at": LONG}, True),
        ({"wanted": False, "state": "paused", "last_message_at": LONG}, True),
    ],
)
def test_a_stream_that_a_bot_lives_on_must_be_heard(rows: Rows, stream: dict[str, Any], alarm: bool) -> None:
    rows.bot()
    rows.stream(**dated(stream))
    assert stale() is alarm


@pytest.mark.parametrize(
    ("stream", "alarm"),
    [
        ({"last_message_at": SOON}, False),
        ({"last_message_at": LONG}, True),
        ({"held_until": LONG, "last_message_at": LONG}, True),
        ({"state": "paused", "last_message_at": LONG}, False),
        ({"state": "paused", "held_until": LONG, "last_message_at": LONG}, False),
        ({"state": "stopped", "held_until": LONG, "last_message_at": LONG}, False),
        ({"wanted": False, "last_message_at": LONG}, False),
    ],
)
def test_one_that_no_bot_needs_must_be_heard_only_while_it_brings_prices(rows: Rows, stream: dict[str, Any], alarm: bool) -> None:
    rows.bot(running=False)
    rows.stream(**dated(stream))
    assert stale() is alarm


def test_a_stream_that_was_never_there_is_missed_by_its_bot(rows: Rows) -> None:
    rows.bot(run={"started_at": timezone.now()})
    assert not stale()
    BotRun.objects.update(started_at=timezone.now() - LONG)
    assert selectors.prices_state().words == "Stale, no prices"


def test_a_replay_needs_no_stream(rows: Rows) -> None:
    rows.bot(mode="replay")
    assert not stale()


def test_the_words_name_the_time_of_the_oldest_prices(rows: Rows) -> None:
    now = timezone.now()
    rows.stream(last_message_at=now - LONG)
    rows.stream("coinbase", last_message_at=now - 2 * LONG)
    rows.stream("binance", "testnet")
    assert selectors.prices_state().words == f"Stale, prices of {now - 2 * LONG:%H:%M:%S} UTC"
    rows.stream("coinbase", last_message_at=now - timedelta(days=2))
    assert selectors.prices_state().words == f"Stale, prices of {now - timedelta(days=2):%Y-%m-%d}"
