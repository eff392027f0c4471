"""The scopes, and which of them a person has."""

from __future__ import annotations

from typing import Any

from access.rights import MANAGE_PEOPLE, OURS, REAL_MONEY, rights_of

SCOPES = ("read", "trade", "admin")


def scopes_of(user: Any) -> frozenset[str]:
    """Everyone may read; who has the right to write anything of the desk's may trade, as far as that right goes; who manages people
    or real money may manage."""
    if not user.is_active:
        return frozenset()
    if user.is_superuser:
        return frozenset(SCOPES)
    rights = rights_of(user)
    writes = any(right.startswith(OURS) and ".view_" not in right for right in rights)
    manages = MANAGE_PEOPLE in rights or REAL_MONEY in rights
    return frozenset({"read"} | ({"trade"} if writes else set()) | ({"admin"} if manages else set()))
