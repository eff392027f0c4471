"""The overview and the admin's home: what the desk says of itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import current_app as app
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from backtests.models import BacktestRun
from operations import state
from operations.schedules import TICKED, PatientScheduler
from tests.pages import live_rows

pytestmark = [pytest.mark.django_db, pytest.mark.services]


@pytest.fixture(autouse=True)
def fresh() -> None:
    cache.delete("desk:checks")


@pytest.fixture
def person(client: Client) -> Client:
    client.force_login(User.objects.create_user("person", is_staff=True, is_superuser=True))
    return client


def run(number: int, status: str, **more: Any) -> BacktestRun:
    return BacktestRun.objects.create(
        run_id=f"run{number}", config={}, strategy="sma_cross", symbols="BTC-USD", interval="1m", status=status, **more
    )


def test_health_is_asked_of_each_part() -> None:
    found = {check.name: check.state for check in state.desk_checks()}
    assert found["Database"] == "up"
    assert found["Broker"] == "up"
    # No worker and no schedule run beside these tests: the desk says so instead of guessing.
    assert found["Workers"] == "down"
    assert found["Schedules"] == "unknown"


@pytest.mark.django_db(transaction=True)
def test_the_schedules_are_up_as_soon_as_beat_has_looked_what_is_due_and_down_once_it_stops() -> None:
    PatientScheduler(app=app, lazy=True).tick()
    try:
        assert state.check_beat().state == "up"
        cache.set(TICKED, datetime.now(UTC) - timedelta(seconds=31), None)
        silent = state.check_beat()
        assert silent.state == "down"
        assert silent.detail.startswith("Silent since ")
        assert silent.remedy.startswith("A desk starts it by itself")
    finally:
        cache.delete(TICKED)


def test_a_broker_that_is_gone_is_told_within_a_second(settings: Any) -> None:
    settings.TASKS_REDIS_URL = "redis://127.0.0.1:1/0"
    started = datetime.now(UTC)
    found = {check.name: check for check in state.desk_checks()}
    assert found["Broker"].state == "down"
    assert found["Broker"].remedy
    assert found["Workers"].state == "unknown"
    assert (datetime.now(UTC) - started).total_seconds() < 1


def test_counts_and_last_runs_are_shown(person: Client) -> None:
    run(1, "completed", total_return=0.25, trades=12)
    run(2, "failed", finished_at=datetime.now(UTC), name="the bad one")
    run(3, "failed", finished_at=datetime(2020, 1, 1, tzinfo=UTC))
    shown = person.get("/")
    counts = shown.context["run_counts"]
    assert (counts["total"], counts["failed"], counts["failed_today"]) == (3, 2, 1)
    assert b"the bad one" in shown.content
    assert b"+25.00 %" in shown.content


def test_a_newcomer_sees_the_first_steps_until_there_is_a_run(person: Client) -> None:
    assert b"A first backtest" in person.get("/").content
    run(1, "queued")
    assert b"A first backtest" not in person.get("/").content


@pytest.mark.parametrize("path", ["/", "/admin/"])
def test_the_state_refreshes_as_a_fragment(person: Client, path: str) -> None:
    whole, part = person.get(path), person.get(path, HTTP_HX_REQUEST="true")
    assert b"<html" in whole.content
    assert b"<html" not in part.content
    assert b"Database" in part.content


def test_the_home_page_costs_the_same_with_many_runs(person: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(40):
        run(number, "completed")
    person.get("/")
    with django_assert_max_num_queries(14):  # three are the frame's
        person.get("/")


def test_search_finds_runs_by_id_name_strategy_and_symbol_and_escapes_what_was_asked(person: Client) -> None:
    run(7, "completed", name="Night watch")
    for query in ("run7", "night", "sma_cr", "btc/usd"):
        assert b"Night watch" in person.get("/search/", {"q": query}).content
    assert b"<script>alert" not in person.get("/search/", {"q": "<script>alert(1)</script>"}).content
    assert person.get("/search/", {"q": "a\x00b"}).status_code == 200


def test_how_long_ago_a_venue_was_heard_grows_while_the_page_is_open(person: Client) -> None:
    live_rows.stream(heard=timedelta(minutes=-5))
    page = person.get("/").content.decode()
    assert re.search(r"heard <time [^>]*data-relative>5 min ago</time>", page)
