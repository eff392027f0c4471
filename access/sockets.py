"""Who is at the other end of a WebSocket. The sign-in is the same as for pages and API.

A token comes in the `Authorization` header and nowhere else, because addresses end up in logs. Browsers send a session's cookie
without being asked, so with a cookie the page's origin has to be ours; browsers always send the origin.
"""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from channels.auth import AuthMiddlewareStack, get_user
from channels.db import database_sync_to_async
from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain

from access import selectors
from access.models import ApiToken
from access.permissions import has_scope
from core.sockets import CROWDED


class SignIn:
    """ASGI: sets `scope["user"]`, and `scope["auth"]` to the token where there is one."""

    def __init__(self, application: Any) -> None:
        self.by_token = application
        self.by_session = AuthMiddlewareStack(application)
        self.stranger = WebsocketDenier()
        self.open: Counter[int] = Counter()
        """Sockets of this process by token."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        headers = dict(scope["headers"])
        if b"authorization" in headers:
            token = await database_sync_to_async(token_of)(headers[b"authorization"].decode("latin-1"))
            signed = {**scope, "user": token.user if token else AnonymousUser(), "auth": token}
            return await self.serve_token(token.pk if token else 0, signed, receive, send)
        origin, host = (headers.get(name, b"").decode("latin-1") for name in (b"origin", b"host"))
        ours = not origin or is_our_page(origin, host)
        return await (self.by_session if ours else self.stranger)(scope, receive, send)

    async def serve_token(self, token_id: int, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        if token_id and self.open[token_id] >= settings.SOCKETS_PER_TOKEN:
            await receive()
            await send({"type": "websocket.accept"})
            return await send({"type": "websocket.close", "code": CROWDED})
        self.open[token_id] += 1
        try:
            return await self.by_token(scope, receive, send)
        finally:
            self.open[token_id] -= 1
            self.open += Counter()  # drops those that have none any more


def is_our_page(origin: str, host: str) -> bool:
    """Whether a page of this origin is one of ours: of the host and port that the socket is asked for, or of an origin that forms
    may come from, too (CSRF_TRUSTED_ORIGINS)."""
    asks = urlsplit(origin)
    trusted = (urlsplit(one) for one in settings.CSRF_TRUSTED_ORIGINS)
    if any(asks.scheme == one.scheme and is_same_domain(asks.netloc, one.netloc.lstrip("*")) for one in trusted):
        return True
    name, _ = split_domain_port(host)
    return validate_host(name, settings.ALLOWED_HOSTS) and place_of(asks.netloc, asks.scheme) == place_of(host, asks.scheme)


def place_of(netloc: str, scheme: str) -> tuple[str, str]:
    """Name and port, the scheme's own where none is written."""
    name, port = split_domain_port(netloc)
    return name, port or {"http": "80", "https": "443"}.get(scheme, "")


def token_of(header: str) -> ApiToken | None:
    """The token in an `Authorization` header, where it may read; reads the database."""
    kind, _, secret = header.partition(" ")
    token = selectors.token_valid(secret.strip()) if kind.lower() == "bearer" else None
    return token if token and has_scope(token.user, token, "read") else None


async def may_listen(scope: dict[str, Any]) -> bool:
    """Whether the person may read now. It is asked again and again, because sockets outlive sessions and tokens."""
    if token := scope.get("auth"):
        return await database_sync_to_async(selectors.token_usable)(pk=token.pk) is not None
    if "session" not in scope or not scope["session"].session_key:
        return False
    store = import_module(settings.SESSION_ENGINE).SessionStore(scope["session"].session_key)
    user = await get_user({"session": store})
    return bool(user.is_authenticated and user.is_active)
