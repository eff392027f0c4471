"""What can go wrong, named by who must act.

DomainError
├── Invalid          the caller mends the request; `fields` says where and how
│   └── Unreadable   what was stored is of another version
├── NotFound         the thing named does not exist
├── Conflict         the request is fine but the state forbids it
├── Forbidden        the request is fine but this person may not do it
└── StrategyFailed   the author of the strategy mends it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """A refusal that a person or program can act on. `fields` maps a field's name to its messages."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, fields: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(message)
        self.code = code or self.code
        self.fields = {name: list(messages) for name, messages in (fields or {}).items()}

    def in_full(self) -> str:
        """The message, and what each field says."""
        message = str(self)
        return " ".join([message, *(f"{name}: {one}" for name, told in self.fields.items() for one in told if one != message)])


class Invalid(DomainError):
    """Input that cannot be used."""

    code = "invalid"

    @classmethod
    def at(cls, field: str, message: str) -> Invalid:
        """One field's fault."""
        return cls(message, fields={field: [message]})


class Unreadable(Invalid):
    """What was stored is of another version, or cannot be read at all. What it said has to be found out elsewhere."""

    code = "unreadable"


class NotFound(DomainError):
    """There is nothing of that name."""

    code = "not_found"


class Conflict(DomainError):
    """It is not possible in the present state."""

    code = "conflict"


class Forbidden(DomainError):
    """This person, or this token, may not do it."""

    code = "permission_denied"


class StrategyFailed(DomainError):
    """A strategy raised, took too long, or answered with the wrong shape."""

    code = "strategy_failed"


class Cancelled(DomainError):
    """A person asked for it to stop."""

    code = "cancelled"
