"""People of the roles that every desk has."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, User

from access.roles import roles_write


def make_person(name: str, role: str = "", **given: Any) -> User:
    """A user in the group of that role. A test that empties the tables has emptied the groups, too."""
    user = User.objects.create_user(name, **given)
    if role:
        user.groups.add(find_group(role))
    return user


def find_group(role: str) -> Group:
    if not Group.objects.filter(name=role, permissions__isnull=False).exists():
        roles_write(apps)
    return Group.objects.get(name=role)
