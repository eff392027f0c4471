"""Makes, uses and revokes API tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from access.audit import audit_record
from access.limits import KINDS, require_unlimited
from access.models import ApiToken, ObjectLimit
from access.people import Person
from access.rights import require_right
from access.scopes import SCOPES, scopes_of
from access.secrets import new_secret, password_digest, secret_digest
from core.errors import Forbidden
from core.fields import Fields, did_you_mean, show_value

DEFAULT_DAYS = 90
MOST_DAYS = 365
LONGEST_ID = 16
"""Characters."""
TOUCH_EVERY = timedelta(minutes=1)
"""`last_used_at` is no more precise than this, so that a busy token does not write a row for each request."""


def token_create(*, user: User, scopes: Any, days: Any = None, limits: Any = None, by: Person = None) -> tuple[ApiToken, str]:
    """A new token and its secret, which cannot be seen again. It ends with the person's password. `limits` hold it to some objects:
    ids by kind. Raises `Invalid` at `scopes`, `days` or `limits`."""
    form = Fields({"scopes": scopes, "days": days, "limits": limits})
    lasts = form.integer("days", DEFAULT_DAYS, low=1, high=MOST_DAYS)
    wanted = read_scopes(form, user)
    held = read_limits(form)
    form.refuse("The token cannot be made.")
    secret = new_secret()
    expires_at = timezone.now() + timedelta(days=lasts)
    with transaction.atomic():
        token = ApiToken.objects.create(
            user=user,
            digest=secret_digest(secret),
            hint=secret[:8],
            scopes=wanted,
            limits=held,
            expires_at=expires_at,
            credential=password_digest(user.password),
        )
        audit_record(by, "make token", str(token), scopes=wanted, days=lasts, limits=held)
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


def read_limits(form: Fields) -> dict[str, list[str]]:
    """Ids by kind. A kind with an empty list is held to nothing."""
    raw = form.take("limits", {})
    lists = list(raw.values()) if isinstance(raw, dict) else [raw]
    sound = isinstance(raw, dict) and all(isinstance(ids, list) for ids in lists)
    sound = sound and all(isinstance(one, str) and len(one) <= LONGEST_ID for ids in lists for one in ids)
    if not sound or not set(raw) <= set(KINDS):
        form.fault("limits", f"must be lists of ids by kind, which is of {', '.join(KINDS)}; got {show_value(raw)}.")
        return {}
    return {kind: sorted(set(ids)) for kind, ids in raw.items()}


def limit_add(*, person: User, kind: str, key: str, by: Person = None) -> ObjectLimit:
    """Limits a person to this object, and to what else of its kind is named. `Invalid` at `kind` or `key`."""
    require_right(by, "access.add_objectlimit", scope="admin")
    require_unlimited(by)
    form = Fields({"kind": kind, "key": key})
    given: dict[str, Any] = {"kind": form.choice("kind", "", KINDS), "key": form.text("key", longest=16)}
    if not given["key"] and "key" not in form.faults:
        form.fault("key", "is required: the id of a bot or wallet, or an account's number.")
    form.refuse("The limit cannot be set.")
    with transaction.atomic():
        found, made = ObjectLimit.objects.get_or_create(person=person, **given)
        if made:
            audit_record(by, "limit person", str(found))
    return found


def limit_remove(*, limit: ObjectLimit, by: Person = None) -> None:
    """Takes an object from those that a person is limited to; with the last of a kind, the limit of that kind is gone."""
    require_right(by, "access.delete_objectlimit", scope="admin")
    require_unlimited(by)
    with transaction.atomic():
        audit_record(by, "end limit", str(limit))
        limit.delete()


def token_touch(*, token: ApiToken) -> None:
    """Notes that the token is in use."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at >= TOUCH_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)


def token_revoke(*, token: ApiToken, by: Person = None) -> None:
    """Ends the token. Its row stays as a record. `Forbidden` for somebody else's, and with a token that can do less; any token may
    end itself."""
    used = vars(by).get("bearer") if by else None
    if used is not None and used.pk != token.pk and not set(token.scopes) <= set(used.scopes):
        raise Forbidden("A token can revoke itself, and tokens that can do no more than it can.")
    if used is not None and used.limits and used.limits != token.limits:
        raise Forbidden("A token that is limited can revoke itself, and tokens with the same limits.")
    if by is not None and by.pk != token.user_id:
        require_right(by, "access.change_apitoken", scope="admin")
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
            audit_record(by, "revoke token", str(token))
