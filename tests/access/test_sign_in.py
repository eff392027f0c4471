"""Guessing at passwords and tokens is held up by address and by name, and nobody can keep a person out of the desk."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from access.services import token_create

pytestmark = [pytest.mark.django_db, pytest.mark.services]
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def ada() -> Iterator[User]:
    cache.clear()
    yield User.objects.create_user("ada", password=PASSWORD)
    cache.clear()


def sign_in(client: Client, password: str = PASSWORD, name: str = "ada", **headers: Any) -> Any:
    return client.post("/sign-in/", {"username": name, "password": password}, **headers)


def test_wrong_passwords_from_elsewhere_do_not_lock_somebody_out(settings: Any) -> None:
    """Behind one proxy every request has the proxy's address; what the proxy says of the caller counts, and what the caller says
    of itself does not."""
    settings.PROXIES = 1
    stranger: dict[str, Any]
    own: dict[str, Any]
    stranger, own = {"HTTP_X_FORWARDED_FOR": "198.51.100.9, 203.0.113.7"}, {"HTTP_X_FORWARDED_FOR": "198.51.100.9"}
    codes = [sign_in(Client(), "guess", **stranger).status_code for _ in range(settings.AXES_FAILURE_LIMIT)]
    assert codes[-1] == 429
    assert {row.ip_address for row in AccessAttempt.objects.all()} == {"203.0.113.7"}
    assert sign_in(Client(), **own).status_code == 302


def test_no_proxy_is_believed_where_there_is_none(settings: Any) -> None:
    for number in range(settings.AXES_FAILURE_LIMIT):
        answer = sign_in(Client(), "guess", HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")
    assert answer.status_code == 429


def test_what_a_proxy_says_need_not_be_an_address(settings: Any) -> None:
    settings.PROXIES = 1
    for told in ("unknown", "[2001:db8::1]:4711", "192.0.2.1:80", ","):
        assert sign_in(Client(), "guess", HTTP_X_FORWARDED_FOR=told).status_code == 200


def test_many_names_from_one_address_are_held_up(settings: Any) -> None:
    codes = [sign_in(Client(), "guess", name=f"name{number}").status_code for number in range(25)]
    assert codes[:20] == [200] * 20
    assert codes[20:] == [429] * 5


def test_one_name_from_many_addresses_is_held_up_and_its_person_gets_in(settings: Any) -> None:
    settings.PROXIES = 1
    own = Client()
    assert sign_in(own).status_code == 302
    own.post("/sign-out/")
    for number in range(31):
        answer = sign_in(Client(), "guess", HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")
    assert answer.status_code == 429
    assert answer["Retry-After"]
    assert sign_in(Client()).status_code == 429  # the right password, from a browser that nobody knows
    assert sign_in(own).status_code == 302
    call_command("unlock_sign_in", "ada", stdout=io.StringIO())
    assert sign_in(Client()).status_code == 302


def test_a_browser_that_knows_the_person_is_let_in_from_a_locked_address(settings: Any) -> None:
    own = Client()
    sign_in(own)
    own.post("/sign-out/")
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in(Client(), "guess")
    assert sign_in(Client()).status_code == 429
    assert sign_in(own).status_code == 302


def test_a_known_browser_is_no_way_to_guess(settings: Any) -> None:
    own = Client()
    sign_in(own)
    own.post("/sign-out/")
    codes = [sign_in(own, "guess").status_code for _ in range(21)]
    assert codes[-1] == 429
    assert sign_in(own, name="vic", password="guess").status_code == 200  # it knows ada and nobody else


def test_wrong_tokens_are_held_up_and_right_ones_are_not(ada: User) -> None:
    _, secret = token_create(user=ada, scopes=["read"])
    wrong, right = APIClient(), APIClient()
    wrong.credentials(HTTP_AUTHORIZATION=f"Bearer {secret[:-1]}?")
    right.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    codes = [wrong.get("/api/v1/bots").status_code for _ in range(31)]
    assert codes == [401] * 30 + [429]
    assert right.get("/api/v1/bots").status_code == 200
