"""Makes, uses and revokes API tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from access.models import ApiToken
from access.scopes import SCOPES, scopes_of
from access.secrets import new_secret, secret_digest
from core.fields import Fields, did_you_mean, show_value

DEFAULT_DAYS = 90
MOST_DAYS = 3650
TOUCH_EVERY = timedelta(minutes=1)
"""`last_used_at` is no more precise than this, so that a busy token does not write a row for each request."""


def token_create(*, user: User, scopes: Any, days: Any = None) -> tuple[ApiToken, str]:
    """A new token and its secret, which cannot be seen again. Raises `Invalid` at `scopes` or `days`."""
    form = Fields({"scopes": scopes, "days": days})
    lasts = form.integer("days", DEFAULT_DAYS, low=1, high=MOST_DAYS)
    wanted = read_scopes(form, user)
    form.refuse("The token cannot be made.")
    secret = new_secret()
    expires_at = timezone.now() + timedelta(days=lasts)
    token = ApiToken.objects.create(user=user, digest=secret_digest(secret), hint=secret[:8], scopes=wanted, expires_at=expires_at)
    return token, secret


def read_scopes(form: Fields, user: User) -> list[str]:
    """The scopes in their usual order, from a list or from text with commas."""
    raw = form.take("scopes", ["read"])
    listed: Sequence[Any] = [part.strip() for part in raw.split(",")] if isinstance(raw, str) else raw
    if not isinstance(listed, list) or not listed:
        form.fault("scopes", f"must be a list of {', '.join(SCOPES)}; got {show_value(raw)}.")
        return []
    for scope in listed:
        if scope not in SCOPES:
            form.fault("scopes", f"must be of {', '.join(SCOPES)}; got {show_value(scope)}.{did_you_mean(scope, SCOPES)}")
        elif scope not in scopes_of(user):
            form.fault("scopes", f"{user.get_username()} has no scope {scope!r} to give to a token.")
    return [scope for scope in SCOPES if scope in listed]


def token_touch(*, token: ApiToken) -> None:
    """Notes that the token is in use."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at >= TOUCH_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)


def token_revoke(*, token: ApiToken) -> None:
    """Ends the token. Its row stays as a record."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
