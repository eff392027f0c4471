"""Rights: who may write what. Services ask here, so that a page, the API, the admin and a command get the same answer."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Q

from access.people import Person
from core.errors import Forbidden

REAL_MONEY = "trading.trade_live"
"""The right to let bots trade real money."""
MANAGE_PEOPLE = "auth.change_user"
OURS = ("trading", "backtests", "market", "wallets")


def rights_of(person: Any) -> frozenset[str]:
    """`app.change_model` and so on, of the person and of the groups; one query for each object of a person. A superuser has all,
    which no list says: see `has_right`."""
    if not person.is_active or person.pk is None:
        return frozenset()
    kept: dict[str, Any] = vars(person)
    if "_rights" not in kept:
        rows = Permission.objects.filter(Q(user=person.pk) | Q(group__user=person.pk)).distinct().order_by()
        kept["_rights"] = frozenset(f"{app}.{name}" for app, name in rows.values_list("content_type__app_label", "codename"))
    found: frozenset[str] = kept["_rights"]
    return found


def has_right(person: Any, right: str) -> bool:
    return bool(person.is_active and (person.is_superuser or right in rights_of(person)))


def require_right(person: Person, right: str, *, scope: str = "trade") -> None:
    """Raises `Forbidden` unless the person has the right, and the token, where there is one, the scope. None is the desk itself, or
    a command: who can run one has the machine."""
    if person is None:
        return
    if not has_right(person, right):
        raise Forbidden(f"You have no right to do this ({right}). An administrator gives it, by a group such as trader.")
    token = vars(person).get("bearer")
    if token is not None and scope not in token.scopes:
        raise Forbidden(f"This needs a token with the scope {scope!r}.")


def role_of(person: Any) -> str:
    """In a word, what a person is here."""
    steps = (("Administrator", MANAGE_PEOPLE), ("Operator", "market.delete_candleseries"), ("Trader", "trading.change_bot"))
    return next((word for word, right in steps if has_right(person, right)), "Viewer")
