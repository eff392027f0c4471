"""Scopes: what a caller may do.

`read` looks, `trade` changes things (runs, imports, bots), `admin` manages people and real money. A token has the scopes it was
made with. A person who is signed in has `read`, and further scopes by the rights of the groups. A token can never do more than its
person can now; what the person may do in particular is asked by the services (`access.rights`).
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
        return has_scope(request.user, request.auth, needed)


def has_scope(user: AbstractBaseUser | AnonymousUser, auth: Any, scope: str) -> bool:
    if isinstance(auth, ApiToken) and scope not in auth.scopes:
        return False
    return user.is_active if scope == "read" else scope in scopes_of(user)  # whoever reads costs no query
