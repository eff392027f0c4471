"""`Authorization: Bearer TOKEN`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from access import selectors, services
from access.models import ApiToken


class BearerAuthentication(BaseAuthentication):
    """Signs in the person of a token. A token that is unknown, expired or revoked is answered with 401, and not told which of these
    it is."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        kind, _, secret = get_authorization_header(request).decode("latin-1").partition(" ")
        if kind.lower() != "bearer":
            return None
        token = selectors.token_valid(secret.strip())
        if token is None:
            raise AuthenticationFailed("The token is unknown, expired or revoked. Make a new one: POST /api/v1/auth/tokens.")
        services.token_touch(token=token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "access.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token from POST auth/tokens or create_api_token."}
