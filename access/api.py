"""API tokens over the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied, Throttled
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access import selectors, services
from access.limits import KINDS
from access.models import ApiToken
from access.openapi import describe_endpoint, name_path, query_parameter
from access.queries import read_query, refuse_query
from access.rights import require_right
from access.scopes import SCOPES
from access.sign_in import failure_note, name_wait
from access.throttles import SignInThrottle
from core.fields import Fields
from core.shapes import (
    ABSENT,
    FLAG_ASKED,
    MOMENT,
    TEXT,
    allow_absent,
    allow_null,
    choice_shape,
    given_integer,
    list_shape,
    name_object,
    name_page,
    name_shape,
    note_reader,
    object_shape,
    required_text,
)

TOKEN_ID = {"type": "integer", "minimum": 1}
name_path("token_id", TOKEN_ID, "A token's id.")
SCOPE_LIST = list_shape(choice_shape(SCOPES))
LIMITS = object_shape(optional=KINDS, **dict.fromkeys(KINDS, list_shape({"type": "string", "maxLength": services.LONGEST_ID}))) | {
    "additionalProperties": False,
    "description": "By kind, the ids of all that the token may act on; an account's is its number.",
}
TOKEN = name_object(
    "Token",
    {
        "id": 7,
        "user": "ada",
        "hint": "qd_4fJx2",
        "scopes": ["read", "trade"],
        "limits": {"bot": ["3f1c9a2b7d40"]},
        "created_at": "2026-11-21T09:00:00Z",
        "expires_at": "2027-02-19T09:00:00Z",
        "last_used_at": None,
        "revoked_at": None,
    },
    id=TOKEN_ID,
    user=TEXT,
    hint=TEXT,
    scopes=SCOPE_LIST,
    limits=LIMITS,
    created_at=MOMENT,
    expires_at=MOMENT,
    last_used_at=allow_null(MOMENT),
    revoked_at=allow_null(MOMENT),
)
TOKENS = name_page(TOKEN)
MADE = name_object(
    "TokenMade",
    {
        "token": "qd_4fJx2...",
        "id": 7,
        "scopes": ["read", "trade"],
        "limits": {"bot": ["3f1c9a2b7d40"]},
        "expires_at": "2027-02-19T09:00:00Z",
    },
    token=TEXT,
    id=TOKEN_ID,
    scopes=SCOPE_LIST,
    limits=LIMITS,
    expires_at=MOMENT,
)


def token_json(token: ApiToken) -> dict[str, Any]:
    return {name: getattr(token, name) for name in TOKEN.schema["properties"] if name != "user"} | {
        "user": token.user.get_username()
    }


def read_sign_in(form: Fields) -> str:
    """The name of who signs in. The password is taken as it is, and the rest is read where the token is made."""
    form.known += ["scopes", "days", "limits"]
    username, password = form.text("username", longest=150), form.text("password", longest=1_000)
    for name, value in (("username", username), ("password", password)):
        if not value and name not in form.faults:
            form.fault(name, "is required.")
    form.close()
    return username


SCOPE_TEXT = {"type": "string", "pattern": rf"^ *({'|'.join(SCOPES)}) *(, *({'|'.join(SCOPES)}) *)*$"}
REQUEST = name_shape(
    "TokenRequest",
    note_reader(
        read_sign_in,
        username=required_text(150),
        password=required_text(1_000) | {"format": "password"},
        scopes={"anyOf": [list_shape(choice_shape(SCOPES), minItems=1), SCOPE_TEXT, *ABSENT["anyOf"]]},
        days=given_integer(1, services.MOST_DAYS),
        limits=allow_absent(LIMITS),
    )
    | {"required": ["username", "password"]},
    {"username": "ada", "password": "...", "scopes": ["read", "trade"], "days": 90},
)


class TokensView(APIView):
    scope = "read"

    def get_authenticators(self) -> list[Any]:
        # A password is given instead. A browser's session would only bring its CSRF check along.
        return [] if self.request is not None and self.request.method == "POST" else super().get_authenticators()

    def get_authenticate_header(self, request: Request) -> str:
        return "Bearer"  # Without this, a wrong password would be answered with 403.

    def get_permissions(self) -> list[Any]:
        return [AllowAny()] if self.request.method == "POST" else list(super().get_permissions())

    def get_throttles(self) -> list[Any]:
        return [SignInThrottle()] if self.request.method == "POST" else super().get_throttles()

    @describe_endpoint(
        summary="Your tokens",
        description="With `all=true` everybody's, each with its `user`: for administrators, and with the scope `admin`.",
        scope="read",
        answer=TOKENS,
        parameters=[query_parameter("all", "`true`: everybody's.", FLAG_ASKED)],
    )
    def get(self, request: Request) -> Response:
        form = read_query(request)
        wanted = form.flag("all")
        refuse_query(form)
        if wanted:
            require_right(request.user, "access.view_apitoken", scope="admin")
        found = selectors.tokens_of(user=None if wanted else signed_in(request))
        return Response({"results": [token_json(token) for token in found], "next": None})

    @describe_endpoint(
        summary="Make a token",
        description="The token is shown this once; only its hash is kept. Wrong passwords lock the account for a while.",
        scope=None,
        status=201,
        answer=MADE,
        body=REQUEST,
        beyond=["scopes"],
        errors=[401, 403],
    )
    def post(self, request: Request) -> Response:
        given: Mapping[str, Any] = request.data if isinstance(request.data, Mapping) else {}
        user = authenticate_person(request, given)
        asked = {name: given.get(name) for name in ("scopes", "days", "limits")}
        token, secret = services.token_create(user=user, **asked, by=user)
        made = {"token": secret, "id": token.pk, "scopes": token.scopes, "limits": token.limits, "expires_at": token.expires_at}
        return Response(made, status=201, headers={"Cache-Control": "no-store"})


def signed_in(request: Request) -> User:
    return cast(User, request.user)


def authenticate_person(request: Request, given: Mapping[str, Any]) -> User:
    """The person who signs in with this password. Raises what the API answers to a wrong one."""
    form = Fields(given)
    username = read_sign_in(form)
    form.refuse("The request has fields that cannot be used.")
    if wait := name_wait(request._request, username):
        raise Throttled(wait)
    user = authenticate(request._request, username=username, password=given["password"])
    if getattr(request._request, "axes_locked_out", False):
        # Reset it, or the middleware of axes would put its own page in place of this answer.
        vars(request._request)["axes_locked_out"] = False
        raise PermissionDenied("Too many wrong passwords: this account is locked for a while.", code="locked_out")
    if user is None:
        failure_note(request._request, username)
        raise AuthenticationFailed("Username or password is wrong.")
    return user


class TokenView(APIView):
    scope = "read"

    @describe_endpoint(summary="One of your tokens", scope="read", answer=TOKEN, errors=[404])
    def get(self, request: Request, token_id: int) -> Response:
        return Response(token_json(selectors.token_get(token_id=token_id, user=signed_in(request))))

    @describe_endpoint(
        summary="Revoke a token",
        description="A token can revoke itself, and its person's that can do no more than it can. Administrators revoke any.",
        scope="read",
        status=204,
        answer=None,
        errors=[404],
    )
    def delete(self, request: Request, token_id: int) -> Response:
        services.token_revoke(token=selectors.token_get(token_id=token_id, user=signed_in(request)), by=request.user)
        return Response(status=204)
