"""`Authorization: Bearer TOKEN`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from access import selectors, services
from access.addresses import address_group, client_address
from access.models import ApiToken
from access.throttles import count_attempt


class BearerAuthentication(BaseAuthentication):
    """Signs in the person of a token. A token that is unknown, expired or revoked is answered with 401, and not told which of these
    it is."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        kind, _, secret = get_authorization_header(request).decode("latin-1").partition(" ")
        if kind.lower() != "bearer":
            return None
        token = selectors.token_valid(secret.strip())
        if token is None:
            # A right token from the same address goes on to work: it cannot be guessed, and its owner must not be kept out.
            if wait := count_attempt("wrong_token", address_group(client_address(request._request))):
                raise Throttled(wait)
            raise AuthenticationFailed("The token is unknown, expired or revoked. Make a new one: POST /api/v1/auth/tokens.")
        services.token_touch(token=token)
        # So that services, which are given the person only, know by which token that person acts.
        vars(token.user)["bearer"] = token
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "access.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token from POST auth/tokens or create_api_token."}
