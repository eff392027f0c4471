"""Scopes: what a caller may do.

`read` looks, `trade` changes things (runs, imports, bots), `admin` manages. A token has the scopes it was made with. A person
who is signed in has `read`; staff and members of the groups operator and trader also have `trade`, and superusers have all
three. A token can never do more than its person can now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from access.models import ApiToken
from access.scopes import scopes_of

if TYPE_CHECKING:  # the module of it reads the settings that name this one
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """Reading methods need `read`, others `trade`, unless the view names another in `scope`."""

    message = "The token's or person's scopes do not allow this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user.is_authenticated:
            return False
        needed = getattr(view, "scope", None) or ("read" if request.method in SAFE_METHODS else "trade")
        self.message = f"This needs the scope {needed!r}."
        return needed in granted_scopes(request.user, request.auth)


def granted_scopes(user: AbstractBaseUser | AnonymousUser, auth: Any) -> frozenset[str]:
    scopes = scopes_of(user)
    return scopes & frozenset(auth.scopes) if isinstance(auth, ApiToken) else scopes
