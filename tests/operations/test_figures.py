"""The figures of Prometheus say what the desk is worth, so not everybody may read them."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.services]
ELSEWHERE = "203.0.113.7"


def status(client: Client | None = None, **headers: str) -> int:
    return (client or Client()).get("/metrics", **headers).status_code  # type: ignore[arg-type]


def test_strangers_do_not_read_the_figures(settings: Any) -> None:
    assert status(REMOTE_ADDR=ELSEWHERE) == 403
    assert status(REMOTE_ADDR=ELSEWHERE, HTTP_AUTHORIZATION="Bearer ") == 403
    settings.METRICS_TOKEN = "a token of the desk"
    assert status(REMOTE_ADDR=ELSEWHERE, HTTP_AUTHORIZATION="Bearer another") == 403


def test_the_token_the_addresses_and_people_read_them(settings: Any) -> None:
    assert status() == 200  # this machine
    settings.METRICS_TOKEN = "a token of the desk"
    assert status(REMOTE_ADDR=ELSEWHERE, HTTP_AUTHORIZATION="Bearer a token of the desk") == 200
    settings.METRICS_FROM = [ip_network("203.0.113.0/24")]
    assert status(REMOTE_ADDR=ELSEWHERE) == 200
    assert status() == 403
    person = Client()
    person.force_login(User.objects.create_user("vic"))
    assert status(person) == 200


def test_an_address_counts_only_where_it_is_the_callers(settings: Any) -> None:
    """A proxy on this machine makes everybody look as if they were here."""
    assert status(HTTP_X_FORWARDED_FOR=ELSEWHERE) == 403
    settings.PROXIES = 1
    assert status(HTTP_X_FORWARDED_FOR=ELSEWHERE) == 403
    assert status(HTTP_X_FORWARDED_FOR=f"127.0.0.1, {ELSEWHERE}") == 403
    assert status(REMOTE_ADDR=ELSEWHERE, HTTP_X_FORWARDED_FOR="127.0.0.1") == 200
