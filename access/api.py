"""API tokens over the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from access import selectors, services
from access.models import ApiToken
from access.openapi import describe_endpoint
from access.scopes import SCOPES
from core.fields import Fields

TOKEN = {
    "id": 7,
    "hint": "qd_4fJx2",
    "scopes": ["read", "trade"],
    "created_at": "2026-11-21T09:00:00Z",
    "expires_at": "2027-02-19T09:00:00Z",
    "last_used_at": None,
    "revoked_at": None,
}
MADE = {"token": "qd_4fJx2...", "id": 7, "scopes": ["read", "trade"], "expires_at": "2027-02-19T09:00:00Z"}
BODY = {
    "type": "object",
    "required": ["username", "password"],
    "properties": {
        "username": {"type": "string"},
        "password": {"type": "string", "format": "password"},
        "otp": {"type": "string", "description": "For people with a second factor."},
        "scopes": {"type": "array", "items": {"type": "string", "enum": list(SCOPES)}, "default": ["read"]},
        "days": {"type": "integer", "minimum": 1, "maximum": services.MOST_DAYS, "default": services.DEFAULT_DAYS},
    },
}
BODY_EXAMPLE = {"username": "ada", "password": "...", "scopes": ["read", "trade"], "days": 90}


def token_json(token: ApiToken) -> dict[str, Any]:
    return {name: getattr(token, name) for name in TOKEN}


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
        self.throttle_scope = "sign_in"
        return [ScopedRateThrottle()] if self.request.method == "POST" else super().get_throttles()

    @describe_endpoint(summary="Your tokens", scope="read", example={"results": [TOKEN], "next": None})
    def get(self, request: Request) -> Response:
        return Response({"results": [token_json(token) for token in selectors.tokens_of(user=signed_in(request))], "next": None})

    @describe_endpoint(
        summary="Make a token",
        description="The token is shown this once; only its hash is kept. Wrong passwords lock the account for a while.",
        scope=None,
        status=201,
        example=MADE,
        body=BODY,
        body_example=BODY_EXAMPLE,
        errors=[400, 401, 403],
    )
    def post(self, request: Request) -> Response:
        given: Mapping[str, Any] = request.data if isinstance(request.data, Mapping) else {}
        user = authenticate_person(request, given)
        token, secret = services.token_create(user=user, scopes=given.get("scopes"), days=given.get("days"))
        made = {"token": secret, "id": token.pk, "scopes": token.scopes, "expires_at": token.expires_at}
        return Response(made, status=201, headers={"Cache-Control": "no-store"})


def signed_in(request: Request) -> User:
    return cast(User, request.user)


def authenticate_person(request: Request, given: Mapping[str, Any]) -> User:
    """The person who signs in with this password. Raises what the API answers to a wrong one."""
    form = Fields(given)
    username, password = form.text("username", longest=150), form.text("password", longest=1_000)
    for name, value in (("username", username), ("password", password)):
        if not value and name not in form.faults:
            form.fault(name, "is required.")
    form.refuse("Username and password are needed.")
    user = authenticate(request._request, username=username, password=given["password"])
    if getattr(request._request, "axes_locked_out", False):
        # Reset it, or the middleware of axes would put its own page in place of this answer.
        vars(request._request)["axes_locked_out"] = False
        raise PermissionDenied("Too many wrong passwords: this account is locked for a while.", code="locked_out")
    if user is None:
        raise AuthenticationFailed("Username or password is wrong.")
    return user


class TokenView(APIView):
    scope = "read"

    @describe_endpoint(summary="One of your tokens", scope="read", example=TOKEN, errors=[404])
    def get(self, request: Request, token_id: int) -> Response:
        return Response(token_json(selectors.token_get(token_id=token_id, user=signed_in(request))))

    @describe_endpoint(summary="Revoke a token", scope="read", status=204, example=None, errors=[404])
    def delete(self, request: Request, token_id: int) -> Response:
        services.token_revoke(token=selectors.token_get(token_id=token_id, user=signed_in(request)))
        return Response(status=204)
