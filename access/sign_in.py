"""Guessing at passwords is held up by address and by name, and the person whose name it is gets in all the same.

A browser that somebody has signed in with before carries a signed mark of that name. Wrong passwords that come from elsewhere
never count against it; its own count by themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core import signing
from django.http import HttpRequest, HttpResponse

from access.addresses import address_group, client_address
from access.throttles import attempts_forget, attempts_left, count_attempt, parse_rate

COOKIE = "known_browser"
SALT = "access.sign_in"
KNOWN_FOR = 180 * 24 * 3600
Credentials = Mapping[str, Any] | None


def name_key(name: str) -> str:
    """A name as a cache's key can be, whatever was typed."""
    return hashlib.sha256(name.strip().lower().encode()).hexdigest()[:32]


def known_browser(request: HttpRequest, name: str) -> bool:
    """Whether this person has signed in with this browser before."""
    try:
        marked = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=KNOWN_FOR)
    except signing.BadSignature:
        return False
    return bool(marked == name_key(name))


def known_attempt(request: HttpRequest | None, credentials: Credentials = None) -> bool:
    """For axes: attempts that its lock by name and address does not count."""
    return request is not None and known_browser(request, str((credentials or {}).get("username", "")))


def remember_browser(request: HttpRequest, response: HttpResponse, user: AbstractBaseUser) -> None:
    mark = signing.dumps(name_key(user.get_username()), salt=SALT)
    response.set_cookie(COOKIE, mark, max_age=KNOWN_FOR, secure=request.is_secure(), httponly=True, samesite="Lax")


def attempt_wait(request: HttpRequest, name: str) -> int | None:
    """Counts an attempt of this name from this address; the seconds to wait where it may not be made. None: it may."""
    if known_browser(request, name):
        return count_attempt("sign_in_known", name_key(name))
    if wait := count_attempt("sign_in_page", address_group(client_address(request))):
        return wait
    return name_wait(request, name)


def name_wait(request: HttpRequest, name: str) -> int | None:
    """The seconds to wait where too many wrong passwords were given for this name, wherever they came from."""
    if known_browser(request, name) or attempts_left("sign_in_name", name_key(name)):
        return None
    return parse_rate("sign_in_name")[1]


def failure_note(request: HttpRequest, name: str) -> None:
    """One more wrong password for this name."""
    if not known_browser(request, name):
        count_attempt("sign_in_name", name_key(name))


def name_unlock(name: str) -> None:
    """Forgets what was counted against a name."""
    for scope in ("sign_in_name", "sign_in_known"):
        attempts_forget(scope, name_key(name))
