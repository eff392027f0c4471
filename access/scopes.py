"""The scopes, and which of them a person has."""

from __future__ import annotations

from typing import Any

SCOPES = ("read", "trade", "admin")
TRADING_GROUPS = ("trader", "operator", "admin")


def scopes_of(user: Any) -> frozenset[str]:
    """Everyone may read; staff and members of a trading group may change things; superusers may manage."""
    if not user.is_active:
        return frozenset()
    if user.is_superuser:
        return frozenset(SCOPES)
    if user.is_staff or user.groups.filter(name__in=TRADING_GROUPS).exists():
        return frozenset({"read", "trade"})
    return frozenset({"read"})
