"""Limits to some objects: a person, or a token, may be held to some bots, wallets or exchange accounts. Services ask here beside
`access.rights`, with the ids as pages and API show them. Who is limited to none of a kind may act on all of it, as far as the
rights go; limits take away, and give nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from access.models import ObjectLimit
from access.people import Person
from core.errors import Forbidden

KINDS = tuple(ObjectLimit.Kind.values)


def limits_of(person: Any) -> Mapping[str, frozenset[str]]:
    """By kind, what the person with this token is limited to; a kind that is not limited is not there. One query for each object of
    a person."""
    kept: dict[str, Any] = vars(person)
    if "_limits" not in kept:
        own: dict[str, set[str]] = {}
        for kind, key in ObjectLimit.objects.filter(person=person.pk).values_list("kind", "key"):
            own.setdefault(kind, set()).add(key)
        token = kept.get("bearer")
        given = token.limits if token else {}
        kept["_limits"] = {
            kind: frozenset.intersection(*(frozenset(one[kind]) for one in (own, given) if kind in one))
            for kind in KINDS
            if kind in own or kind in given
        }
    found: Mapping[str, frozenset[str]] = kept["_limits"]
    return found


def require_reach(person: Person, **reached: str) -> None:
    """Raises `Forbidden` unless the person may act on all of `reached`: an id for each kind, empty for what is new or not there."""
    limits = limits_of(person) if person is not None else {}
    for kind, key in reached.items():
        if kind in limits and key not in limits[kind]:
            raise Forbidden(f"You, or this token, may act on some {kind}s only, and this is not one of them.")


def require_unlimited(person: Person) -> None:
    """For what concerns the whole desk. Raises `Forbidden` for somebody who is limited to a part of it."""
    if person is not None and limits_of(person):
        raise Forbidden("This concerns the whole desk, and you, or this token, may act on a part of it only.")
