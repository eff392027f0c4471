"""Who sends a request, from its headers alone: asked before anything of its body is read."""

from __future__ import annotations

from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import HttpRequest

from access import selectors
from access.models import ApiToken

Caller = tuple[AbstractBaseUser | AnonymousUser, ApiToken | None]


def caller_of(headers: Iterable[tuple[bytes, bytes]]) -> Caller:
    """The person, and the token where there is one; reads the database. A token counts before a session, as everywhere."""
    given = {name.lower(): value.decode("latin-1") for name, value in headers}
    kind, _, secret = given.get(b"authorization", "").partition(" ")
    if kind.lower() == "bearer":
        token = selectors.token_valid(secret.strip())
        return (token.user, token) if token else (AnonymousUser(), None)
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key(given.get(b"cookie", "")))
    return get_user(request), None


def session_key(cookies: str) -> str | None:
    try:
        found = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    return found.value if found else None
