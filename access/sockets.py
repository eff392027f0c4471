"""Who is at the other end of a WebSocket. The sign-in is the same as for pages and API.

A token comes in the `Authorization` header and nowhere else, because addresses end up in logs. Browsers send a session's cookie
without being asked, so with a cookie the page's origin has to be ours; browsers always send the origin.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from channels.auth import AuthMiddlewareStack, get_user
from channels.db import database_sync_to_async
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from access import selectors
from access.models import ApiToken
from access.permissions import granted_scopes


class SignIn:
    """ASGI: sets `scope["user"]`, and `scope["auth"]` to the token where there is one."""

    def __init__(self, application: Any) -> None:
        self.by_token = application
        self.by_session = AuthMiddlewareStack(application)
        self.by_page = AllowedHostsOriginValidator(self.by_session)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        headers = dict(scope["headers"])
        if b"authorization" in headers:
            token = await database_sync_to_async(token_of)(headers[b"authorization"].decode("latin-1"))
            signed = {**scope, "user": token.user if token else AnonymousUser(), "auth": token}
            return await self.by_token(signed, receive, send)
        return await (self.by_page if b"origin" in headers else self.by_session)(scope, receive, send)


def token_of(header: str) -> ApiToken | None:
    """The token in an `Authorization` header, where it may read; reads the database."""
    kind, _, secret = header.partition(" ")
    token = selectors.token_valid(secret.strip()) if kind.lower() == "bearer" else None
    return token if token and "read" in granted_scopes(token.user, token) else None


async def may_listen(scope: dict[str, Any]) -> bool:
    """Whether the person may read now. It is asked again and again, because sockets outlive sessions and tokens."""
    if token := scope.get("auth"):
        return bool(await database_sync_to_async(selectors.token_usable)(token_id=token.pk))
    if "session" not in scope or not scope["session"].session_key:
        return False
    store = import_module(settings.SESSION_ENGINE).SessionStore(scope["session"].session_key)
    user = await get_user({"session": store})
    return bool(user.is_authenticated and user.is_active)
