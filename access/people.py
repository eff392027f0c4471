"""Who acts: as services take it from pages, the API, commands and the desk itself."""

from __future__ import annotations

from typing import TypeAlias

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

Person: TypeAlias = AbstractBaseUser | AnonymousUser | None
"""None: nobody in particular, which is the desk itself or a command."""


def signed_in_user(person: Person) -> User | None:
    """The row to point at as the maker of something; None where nobody is signed in."""
    return person if isinstance(person, User) else None
