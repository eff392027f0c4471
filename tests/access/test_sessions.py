"""Sessions end when nobody uses them, everybody can have another password, and no cache keeps what one person saw."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import F
from django.test import Client

from access.models import AuditEntry
from access.services import token_create
from tests.access.test_tokens import bearing

pytestmark = [pytest.mark.django_db, pytest.mark.services]
PASSWORD, ANOTHER = "correct horse battery", "staple quite another"


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada", password=PASSWORD)


@pytest.fixture
def person(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def let_pass(minutes: float) -> None:
    """Puts the session's end so much nearer."""
    Session.objects.update(expire_date=F("expire_date") - timedelta(minutes=minutes))


def test_a_session_ends_that_nobody_uses(person: Client, settings: Any) -> None:
    settings.SESSION_COOKIE_AGE = 3600
    person.get("/market/")
    let_pass(59)
    assert person.get("/market/").status_code == 200
    let_pass(59)
    assert person.get("/market/").status_code == 200  # the use in between counted
    let_pass(61)
    assert person.get("/market/").status_code == 302
    assert person.get("/api/v1/bots").status_code == 401


def test_a_page_that_keeps_itself_fresh_keeps_nobody_signed_in(person: Client, settings: Any) -> None:
    settings.SESSION_COOKIE_AGE = 3600
    person.get("/market/")
    let_pass(40)
    assert person.get("/market/streams/?part=streams", HTTP_HX_REQUEST="true").status_code == 200
    let_pass(40)
    assert person.get("/market/streams/?part=streams", HTTP_HX_REQUEST="true").status_code == 401


@pytest.mark.parametrize("path", ["/market/", "/sign-in/", "/password/", "/api/v1/bots", "/nowhere/", "/api/v1/schema/"])
def test_no_cache_keeps_a_page_or_an_answer(person: Client, path: str) -> None:
    assert "no-store" in person.get(path)["Cache-Control"]


def test_everybody_can_have_another_password_and_all_else_ends_with_the_old_one(person: Client, ada: User) -> None:
    elsewhere = Client()
    elsewhere.force_login(ada)
    _, secret = token_create(user=ada, scopes=["read"])
    assert b'href="/password/"' in person.get("/market/").content
    wrong = {"old_password": "guess", "new_password1": ANOTHER, "new_password2": ANOTHER}
    assert person.post("/password/", wrong).status_code == 200
    assert person.post("/password/", wrong | {"old_password": PASSWORD}).status_code == 302
    assert person.get("/market/").status_code == 200
    assert elsewhere.get("/market/").status_code == 302
    assert bearing(secret).get("/api/v1/bots").status_code == 401
    assert list(AuditEntry.objects.filter(act="change password").values_list("who", flat=True)) == ["ada"]
