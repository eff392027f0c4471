"""Reads API tokens."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils import timezone

from access.models import ApiToken
from access.secrets import secret_digest
from core.errors import Invalid, NotFound
from core.fields import did_you_mean


def token_valid(secret: str) -> ApiToken | None:
    """The token that has this secret, if it may be used now."""
    usable = ApiToken.objects.filter(revoked_at=None, expires_at__gt=timezone.now(), user__is_active=True)
    return usable.select_related("user").filter(digest=secret_digest(secret)).first()


def token_usable(*, token_id: int) -> bool:
    """Whether a token that was valid still is."""
    return ApiToken.objects.filter(pk=token_id, revoked_at=None, expires_at__gt=timezone.now(), user__is_active=True).exists()


def token_get(*, token_id: int, user: User) -> ApiToken:
    """A person's own token. Raises `NotFound` for anybody else's."""
    token = ApiToken.objects.filter(pk=token_id, user=user).first()
    if token is None:
        raise NotFound(f"You have no token {token_id}.")
    return token


def tokens_of(*, user: User) -> list[ApiToken]:
    """A person's tokens, newest first."""
    return list(ApiToken.objects.filter(user=user))


def user_named(username: str) -> User:
    """The user of this name. Raises `Invalid` at `user`, with a hint, if there is none."""
    found = User.objects.filter(username=username).first()
    if found is None:
        hint = did_you_mean(username, User.objects.values_list("username", flat=True))
        raise Invalid.at("user", f"There is no user {username!r}.{hint}")
    return found
