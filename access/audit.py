"""Who did what, where no row of its own says so."""

from __future__ import annotations

from typing import Any

from access.models import AuditEntry
from access.people import Person, signed_in_user

DESK = "the desk"


def audit_record(person: Person, act: str, about: str = "", **detail: Any) -> AuditEntry:
    """`act` is a verb, such as `delete candles`; `detail` is plain JSON without secrets."""
    token = vars(person).get("bearer") if person else None
    return AuditEntry.objects.create(
        person=signed_in_user(person),
        who=person.get_username() if person else DESK,
        token=token.hint if token else "",
        act=act,
        about=about[:200],
        detail=detail,
    )
