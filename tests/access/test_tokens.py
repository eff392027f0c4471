"""API tokens: shown once, kept as a hash, scoped, expiring, revocable; wrong passwords lock."""

from __future__ import annotations

import importlib
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient

from access.models import ApiToken, AuditEntry
from access.services import token_create, token_revoke
from tests.people import find_group, make_person

URL = "/api/v1/auth/tokens"
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def ada(db: None) -> User:
    cache.clear()  # throttles
    return make_person("ada", "trader", password=PASSWORD)


def ask(**changes: Any) -> Any:
    body = {"username": "ada", "password": PASSWORD, "scopes": ["read", "trade"], "days": 30} | changes
    return APIClient().post(URL, body, format="json")


def bearing(secret: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def test_a_token_is_made_from_a_password_and_works() -> None:
    made = ask()
    assert made.status_code == 201
    body = made.json()
    assert set(body) == {"token", "id", "scopes", "limits", "expires_at"}
    assert body["scopes"] == ["read", "trade"]
    assert made["Cache-Control"] == "no-store"
    seen = bearing(body["token"]).get(f"{URL}/{body['id']}").json()
    assert (seen["id"], seen["scopes"]) == (body["id"], ["read", "trade"])
    assert body["token"] not in json.dumps(seen)


def test_only_a_hash_is_kept() -> None:
    secret = ask().json()["token"]
    row = ApiToken.objects.values().get()
    assert secret not in json.dumps(row, default=str)
    assert secret.startswith(row["hint"])
    assert len(secret) > 40


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"scopes": ["reed"]}, "scopes"),
        ({"scopes": {}}, "scopes"),
        ({"scopes": ["admin"]}, "scopes"),
        ({"scopes": [["read"]]}, "scopes"),
        ({"days": 0}, "days"),
        ({"days": 10**9}, "days"),
        ({"days": "soon"}, "days"),
        ({"username": ""}, "username"),
        ({"password": None}, "password"),
        ({"username": ["ada"]}, "username"),
        ({"username": "a\x00"}, "username"),
        ({"otp": "123456"}, "otp"),
        ({"days": 366}, "days"),
    ],
)
def test_a_bad_request_names_the_field(change: dict[str, Any], field: str) -> None:
    answer = ask(**change)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]
    assert not ApiToken.objects.exists()


def test_a_wrong_password_is_refused_and_says_no_more_than_that() -> None:
    wrong, unknown = ask(password="guess"), ask(username="nobody")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


def test_wrong_passwords_lock_the_account(settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    for _ in range(3):
        answer = ask(password="guess")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "locked_out")
    assert ask().status_code == 403


def test_sign_in_is_throttled() -> None:
    codes = [ask(scopes=["reed"]).status_code for _ in range(11)]
    assert codes == [400] * 10 + [429]


def test_a_callers_word_on_where_it_calls_from_does_not_lift_the_throttle() -> None:
    client = APIClient()
    codes = [client.post(URL, {}, format="json", HTTP_X_FORWARDED_FOR=f"10.0.0.{n}").status_code for n in range(11)]
    assert codes[-1] == 429


@pytest.mark.parametrize("state", ["expired", "revoked", "unknown", "inactive", "another password"])
def test_a_token_that_no_longer_counts_is_refused(ada: User, state: str) -> None:
    token, secret = token_create(user=ada, scopes=["read"])
    if state == "expired":
        ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif state == "revoked":
        token_revoke(token=token)
    elif state == "unknown":
        secret = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    elif state == "another password":
        ada.set_password("another one")
        ada.save()
    else:
        User.objects.update(is_active=False)
    answer = bearing(secret).get("/api/v1/backtests")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "authentication_failed")
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_token_has_no_more_than_its_scopes(ada: User) -> None:
    _, secret = token_create(user=ada, scopes=["read"])
    assert bearing(secret).get("/api/v1/backtests").status_code == 200
    assert bearing(secret).post("/api/v1/backtests", {}, format="json").status_code == 403


def test_a_token_has_no_more_than_its_person_has_now(ada: User) -> None:
    _, secret = token_create(user=ada, scopes=["read", "trade"])
    ada.groups.clear()
    User.objects.update(is_staff=True)
    assert bearing(secret).post("/api/v1/backtests", {}, format="json").status_code == 403
    ada.groups.add(find_group("trader"))
    assert bearing(secret).post("/api/v1/backtests", {}, format="json").status_code == 400


def test_a_token_can_end_itself(ada: User) -> None:
    token, secret = token_create(user=ada, scopes=["read"])
    assert bearing(secret).delete(f"{URL}/{token.pk}").status_code == 204
    assert bearing(secret).get(URL).status_code == 401


def test_other_peoples_tokens_are_not_there(ada: User) -> None:
    theirs, _ = token_create(user=User.objects.create(username="vic"), scopes=["read"])
    _, secret = token_create(user=ada, scopes=["read"])
    assert bearing(secret).delete(f"{URL}/{theirs.pk}").status_code == 404
    assert [row["hint"] for row in bearing(secret).get(URL).json()["results"]] == [secret[:8]]


def test_a_token_ends_no_token_that_can_do_more(ada: User) -> None:
    reads, _ = token_create(user=ada, scopes=["read"])
    trades, trading = token_create(user=ada, scopes=["read", "trade"])
    _, reading = token_create(user=ada, scopes=["read"])
    assert bearing(reading).delete(f"{URL}/{trades.pk}").status_code == 403
    assert bearing(trading).get(URL).status_code == 200
    assert bearing(trading).delete(f"{URL}/{reads.pk}").status_code == 204


def test_administrators_see_and_end_everybodys_tokens(ada: User) -> None:
    hers, secret = token_create(user=ada, scopes=["read"])
    boss = make_person("boss", "administrator")
    managing, reading = (bearing(token_create(user=boss, scopes=scopes)[1]) for scopes in (["read", "admin"], ["read"]))
    assert bearing(secret).get(URL, {"all": "true"}).status_code == 403
    assert reading.get(URL, {"all": "true"}).status_code == 403
    assert {row["user"] for row in managing.get(URL, {"all": "true"}).json()["results"]} == {"ada", "boss"}
    assert reading.delete(f"{URL}/{hers.pk}").status_code == 403
    assert managing.delete(f"{URL}/{hers.pk}").status_code == 204
    assert bearing(secret).get(URL).status_code == 401


def test_whose_tokens_are_asked_for_is_said_in_a_word_that_is_known(ada: User) -> None:
    boss = make_person("boss", "administrator")
    managing = bearing(token_create(user=boss, scopes=["read", "admin"])[1])
    token_create(user=ada, scopes=["read"])
    for word, seen in (("1", {"ada", "boss"}), ("0", {"boss"}), ("", {"boss"})):
        assert {row["user"] for row in managing.get(URL, {"all": word}).json()["results"]} == seen
    assert managing.get(URL, {"all": "perhaps"}).json()["error"]["fields"].keys() == {"all"}


def test_who_made_and_revoked_a_token_is_kept(ada: User) -> None:
    made = ask().json()
    bearing(made["token"]).delete(f"{URL}/{made['id']}")
    entries = AuditEntry.objects.order_by("id").values_list("who", "act", "token", "person")
    assert list(entries) == [("ada", "make token", "", ada.pk), ("ada", "revoke token", made["token"][:8], ada.pk)]
    assert made["token"] not in json.dumps(list(AuditEntry.objects.values()), default=str)


def test_tokens_of_an_older_desk_go_on_until_their_person_has_another_password(ada: User) -> None:
    token, secret = token_create(user=ada, scopes=["read"])
    ApiToken.objects.update(credential="", expires_at=timezone.now() + timedelta(days=3000))
    importlib.import_module("access.migrations.0002_security_access").bind_tokens(apps, None)
    assert bearing(secret).get(URL).status_code == 200
    token.refresh_from_db()
    assert token.expires_at - token.created_at == timedelta(days=365)


def test_use_is_noted_at_most_once_a_minute(ada: User, django_assert_num_queries: Any) -> None:
    _, secret = token_create(user=ada, scopes=["read"])
    client = bearing(secret)
    client.get(URL)
    noted = ApiToken.objects.get().last_used_at
    assert noted is not None
    with django_assert_num_queries(2):
        client.get(URL)
    assert ApiToken.objects.get().last_used_at == noted
    ApiToken.objects.update(last_used_at=noted - timedelta(minutes=2))
    client.get(URL)
    assert (ApiToken.objects.get().last_used_at or noted) > noted - timedelta(minutes=1)


def test_the_command_prints_a_token_that_works() -> None:
    out = io.StringIO()
    call_command("create_api_token", "ada", "--scopes", "read,trade", "--days", "5", "--json", stdout=out)
    made = json.loads(out.getvalue())
    assert made["scopes"] == ["read", "trade"]
    assert bearing(made["token"]).get("/api/v1/backtests").status_code == 200


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["adda"], "Did you mean 'ada'"),
        (["ada", "--scopes", "reed"], "Did you mean 'read'"),
        (["ada", "--days", "x"], "whole number"),
    ],
)
def test_the_command_says_what_is_wrong(arguments: list[str], words: str) -> None:
    out = io.StringIO()
    with pytest.raises(CommandError, match=words):
        call_command("create_api_token", *arguments, "--json", stdout=out)
    assert words in json.dumps(json.loads(out.getvalue())["error"]["fields"])
