"""Throttles let through what makes risk smaller, and never make anybody wait for a cache that is gone or hangs."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import OperationalError
from rest_framework.test import APIClient

from access.throttles import Shared
from trading import selectors
from trading.models import KillSwitch

pytestmark = [pytest.mark.django_db, pytest.mark.services]
ROOT = "/api/v1"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    cache.clear()
    Shared.asked_from = 0.0
    Shared.local.clear()
    yield
    Shared.asked_from = 0.0


@pytest.fixture(params=["gone", "hung"])
def lost_cache(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> Iterator[None]:
    """A cache that is not there, or that takes connections and never answers."""
    path = str(tmp_path / "cache.sock")
    with socket.socket(socket.AF_UNIX) as deaf:
        if request.param == "hung":
            deaf.bind(path)
            deaf.listen(64)
        settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": f"unix://{path}"}}
        yield


@pytest.fixture
def api(client: Any) -> APIClient:
    made = APIClient()
    made.force_authenticate(User.objects.create_superuser("root"))
    return made


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    from rest_framework.settings import api_settings

    given: Any = api_settings.DEFAULT_THROTTLE_RATES
    found: dict[str, str] = dict(given)
    monkeypatch.setattr(api_settings, "DEFAULT_THROTTLE_RATES", found)
    return found


def test_without_the_cache_the_desk_is_read_and_killed_at_once(lost_cache: None, api: APIClient) -> None:
    began = time.monotonic()
    assert api.post(f"{ROOT}/live/kill-switch", {"killed": True, "reason": "x"}, format="json").status_code == 200
    assert KillSwitch.objects.get().killed
    for _ in range(10):
        assert api.get(f"{ROOT}/bots").status_code == 200
    assert time.monotonic() - began < 3


def test_without_the_cache_a_process_counts_by_itself(lost_cache: None, api: APIClient, rates: dict[str, str]) -> None:
    rates["user"] = "3/min"
    assert [api.get(f"{ROOT}/bots").status_code for _ in range(4)] == [200, 200, 200, 429]
    kill = {"killed": True, "reason": "x"}
    assert api.post(f"{ROOT}/live/kill-switch", kill, format="json").status_code == 200
    for action in ("pause", "stop", "close"):
        assert api.post(f"{ROOT}/bots/none/{action}").status_code == 404
    assert api.post(f"{ROOT}/live/orders/none/cancel").status_code == 404


def test_a_refusal_says_when_to_come_back(api: APIClient, rates: dict[str, str]) -> None:
    rates["user"] = "1/min"
    assert api.get(f"{ROOT}/bots").status_code == 200
    refused = api.get(f"{ROOT}/bots")
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")


def test_a_database_that_is_gone_is_no_fault_of_the_program(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(selectors, "kill_switch", broken)
    answer = api.get(f"{ROOT}/live/kill-switch")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert "database" in answer.json()["error"]["message"]
    assert answer["Retry-After"]
