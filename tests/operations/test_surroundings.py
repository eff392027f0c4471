"""What stands between a desk and services that others run: poolers, restarts, probes, a Redis for many, disks."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import ProgrammingError, connection
from django.test import Client
from redis import Redis

from core.broker import broker_address
from core.prepared import execute_prepared
from operations import state
from operations.surroundings import check_pooler, check_redis
from tests.operations.pooler import transaction_pooler
from tests.running import PROJECT

pytestmark = pytest.mark.services
Through = Callable[..., None]


@pytest.fixture
def through_pooler(transactional_db: None) -> Iterator[Through]:
    """Sends Django's connections through a pooler, from the next one on."""
    with transaction_pooler(os.environ["DATABASE_URL"]) as port, pytest.MonkeyPatch.context() as patch:

        def go_through(*, plans: bool) -> None:
            here = {"HOST": "127.0.0.1", "PORT": port, "OPTIONS": {"prepare_threshold": 1 if plans else None}}
            for name, value in here.items():
                patch.setitem(connection.settings_dict, name, value)
            connection.close()

        yield go_through
        connection.close()


def test_a_pooler_that_shares_sessions_is_known_and_its_variable_named(through_pooler: Through) -> None:
    assert check_pooler().state == "up"
    through_pooler(plans=True)
    found = check_pooler()
    assert found.state == "down"
    assert "TRANSACTION_POOLER=1" in found.remedy
    through_pooler(plans=False)
    assert check_pooler().state == "up"


def test_statements_of_the_order_path_pass_a_pooler_that_shares_sessions(through_pooler: Through) -> None:
    """They do not where they are planned: which is why there is a variable for it."""
    through_pooler(plans=False)
    assert ask_in_turns() == [[0, 1, 2], [0, 1, 2]]
    through_pooler(plans=True)
    with pytest.raises(ProgrammingError, match="already exists"):
        ask_in_turns()


def ask_in_turns() -> list[list[int]]:
    """What two threads, each with a connection, are answered in turns."""
    turn = Barrier(2, timeout=20)

    def ask() -> list[int]:
        try:
            answers = []
            for number in range(3):
                turn.wait()
                with execute_prepared("SELECT %s::integer", [number]) as cursor:
                    answers += [row[0] for row in cursor.fetchall()]
            return answers
        except ProgrammingError:
            turn.abort()
            raise
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(ask) for _ in range(2)]
        failures = [error for one in asked if isinstance(error := one.exception(), ProgrammingError)]
    if failures:
        raise failures[0]
    return [one.result() for one in asked]


def test_a_connection_that_died_in_the_pool_is_not_handed_out(transactional_db: None) -> None:
    """As every one of them does when the database restarts or fails over."""
    link: Any = connection
    pooled = link.copy(alias="restarted")
    pooled.settings_dict["OPTIONS"] = {**pooled.settings_dict["OPTIONS"], "pool": {"min_size": 0, "max_size": 1}}
    try:
        died = process_of(pooled)
        pooled.close()  # back into the pool
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [died])
        assert process_of(pooled) != died
    finally:
        pooled.close()
        pooled.close_pool()


def process_of(link: Any) -> int:
    with link.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.fixture
def redis() -> Iterator[Redis]:
    with Redis.from_url(broker_address()) as client:
        before: Any = client.config_get("maxmemory-policy")
        yield client
        client.config_set("maxmemory-policy", before["maxmemory-policy"])


def test_a_redis_that_drops_what_it_holds_is_red(redis: Redis) -> None:
    redis.config_set("maxmemory-policy", "noeviction")
    assert [check.state for check in check_redis()] == ["up"]
    redis.config_set("maxmemory-policy", "allkeys-lru")
    [found] = check_redis()
    assert found.state == "down"
    assert "allkeys-lru" in found.detail
    assert "noeviction" in found.remedy


def test_others_on_the_same_redis_are_named(redis: Redis, settings: Any) -> None:
    listening: Any = redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
    listening.subscribe("qd-0123456789:/0.celery.pidbox", f"{settings.REDIS_PREFIX}:/0.celery.pidbox")
    listening.get_message(timeout=5)
    found = {check.name: check for check in check_redis()}
    listening.close()
    assert found["Redis shared"].state == "unknown"
    assert "qd-0123456789" in found["Redis shared"].detail
    assert settings.REDIS_PREFIX not in found["Redis shared"].detail


@pytest.mark.parametrize("path", ["/api/v1/health/live", "/api/v1/health/ready"])
def test_probes_need_no_name_of_the_desk_and_no_proxy(db: None, settings: Any, path: str) -> None:
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["desk.example.org"], True
    assert Client().get(path, headers={"host": "10.1.2.3:8000"}).status_code == 200
    assert Client().get("/api/v1/bots", headers={"host": "10.1.2.3:8000"}).status_code == 400
    assert Client().get("/api/v1/bots", headers={"host": "desk.example.org"}).status_code == 301


def test_the_fuller_of_the_two_disks_is_told(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the folder for candles is not made yet."""
    settings.VAR, settings.MEDIA_ROOT = tmp_path / "var", tmp_path / "candles" / "media"
    (tmp_path / "candles").mkdir()
    free = {tmp_path: 50, tmp_path / "candles": 1}
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(total=100, free=free[path]))
    room = state.disk_room()
    assert (room["variable"], room["low"]) == ("MEDIA_ROOT", True)
    free[tmp_path / "candles"] = 60
    assert (state.disk_room()["variable"], state.disk_room()["low"]) == ("VAR", False)


def test_the_units_for_systemd_run_what_the_runbook_says() -> None:
    runbook = (PROJECT / "docs" / "runbook.md").read_text().replace("worker-1@%h", "worker-%i@%H")
    told = {" ".join(line.split("#")[0].split()) for line in runbook.splitlines()}
    units = list((PROJECT / "deploy" / "systemd").glob("*.service"))
    assert len(units) == 4
    for unit in units:
        [command] = re.findall(r"^ExecStart=/opt/quarterdeck/(.*)$", unit.read_text(), re.MULTILINE)
        assert command in told, unit.name
