"""What users read when something is not possible."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest
from django.test import Client, RequestFactory

from config.errors import answer_400, answer_500

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(client: Client) -> Client:
    client.force_login(User.objects.create_user("person", is_staff=True, is_superuser=True))
    return client


@pytest.mark.parametrize("path", ["/", "/market/", "/market/series/1/", "/admin/", "/search/?q=x", "/nothing/"])
def test_a_stranger_is_led_to_the_sign_in_and_back(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/?next=")


def test_a_fragment_asked_for_by_a_stranger_reloads_the_page_at_the_sign_in(client: Client) -> None:
    answer = client.get("/market/", HTTP_HX_REQUEST="true", HTTP_HX_CURRENT_URL="http://testserver/market/series/3/?x=1")
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/sign-in/?next=%2Fmarket%2Fseries%2F3%2F"


def test_what_does_not_exist_is_a_404_in_words(person: Client) -> None:
    answer = person.get("/market/series/999/")
    assert answer.status_code == 404
    assert b"There is no such series of candles" in answer.content
    assert b'class="rail"' in answer.content


def test_a_fragment_is_refused_by_a_toast_alone(person: Client) -> None:
    answer = person.get("/market/series/999/", HTTP_HX_REQUEST="true")
    assert answer.status_code == 404
    assert answer["X-Fragment"] == "toast"
    assert answer.content.strip().startswith(b'<div class="toast bad"')


def test_a_form_without_its_token_is_told_so(person: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/sign-in/", {"username": "person", "password": "x"})
    assert answer.status_code == 403
    assert b"The page was too old" in answer.content


def test_too_many_failures_lock_the_sign_in_and_say_for_how_long(client: Client, settings: Any) -> None:
    User.objects.create_user("person", password="right one 1")
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = client.post("/sign-in/", {"username": "person", "password": "wrong"})
    assert answer.status_code == 429
    assert b"Sign-in is locked" in answer.content
    assert b"15 min" in answer.content
    assert client.post("/sign-in/", {"username": "person", "password": "right one 1"}).status_code == 429


def test_a_program_fault_is_a_quiet_page_that_needs_nothing(person: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from operations import views

    def broken() -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(views, "desk_state", broken)
    person.raise_request_exception = False
    answer = person.get("/")
    assert answer.status_code == 500
    assert b"The server failed" in answer.content
    assert b"secret detail" not in answer.content


@pytest.mark.parametrize("path", ["/api/", "/api/nothing", "/api/v1/nothing?x=1", "/api/v1/bots/a/b/c", "/api/v2/bots"])
def test_the_api_says_in_its_own_shape_that_nothing_has_an_address(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/json"
    error = answer.json()["error"]
    assert (error["code"], error["fields"]) == ("not_found", {})
    assert path.partition("?")[0] in error["message"]


def test_an_address_of_the_api_without_its_slash_still_leads_there(client: Client) -> None:
    answer = client.get("/api/v1/docs")
    assert (answer.status_code, answer["Location"]) == (301, "/api/v1/docs/")


def test_the_api_fails_in_its_own_shape_too(rf: RequestFactory) -> None:
    broken = answer_500(rf.get("/api/v1/bots"))
    unread = answer_400(rf.get("/api/v1/bots"), BadRequest())
    assert [answer.status_code for answer in (broken, unread)] == [500, 400]
    assert all(answer["Content-Type"] == "application/json" for answer in (broken, unread))
    assert answer_500(rf.get("/bots/"))["Content-Type"].startswith("text/html")


def test_the_documentation_of_the_api_runs_no_script_of_its_page(person: Client) -> None:
    page = person.get("/api/v1/docs/").content.decode()
    assert "swagger-ui-bundle" in page
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=", page)


def test_the_icon_that_browsers_ask_for_is_there_for_everyone(client: Client) -> None:
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer["Location"].rpartition(".")[2]) == (302, "svg")
