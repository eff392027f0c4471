"""Reads API tokens."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from access.models import ApiToken
from access.rights import has_right
from access.secrets import password_digest, secret_digest
from core.errors import Invalid, NotFound
from core.fields import did_you_mean


def token_valid(secret: str) -> ApiToken | None:
    """The token that has this secret, if it may be used now."""
    return token_usable(digest=secret_digest(secret))


def token_usable(**which: Any) -> ApiToken | None:
    """That token, unless it is revoked or too old, its person is gone, or has another password by now."""
    usable = ApiToken.objects.filter(revoked_at=None, expires_at__gt=timezone.now(), user__is_active=True)
    token = usable.select_related("user").filter(**which).first()
    return token if token and token.credential == password_digest(token.user.password) else None


def token_get(*, token_id: int, user: User) -> ApiToken:
    """A person's own token; an administrator's is anybody's. Raises `NotFound` for the rest."""
    token = ApiToken.objects.select_related("user").filter(pk=token_id).first()
    if token and token.user_id != user.pk and not has_right(user, "access.view_apitoken"):
        token = None
    if token is None:
        raise NotFound(f"You have no token {token_id}.")
    return token


def tokens_of(*, user: User | None) -> list[ApiToken]:
    """A person's tokens, newest first; None: everybody's."""
    tokens = ApiToken.objects.select_related("user")
    return list(tokens.filter(user=user) if user else tokens)


def user_named(username: str) -> User:
    """The user of this name. Raises `Invalid` at `user`, with a hint, if there is none."""
    found = User.objects.filter(username=username).first()
    if found is None:
        hint = did_you_mean(username, User.objects.values_list("username", flat=True))
        raise Invalid.at("user", f"There is no user {username!r}.{hint}")
    return found
