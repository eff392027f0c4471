"""What a database error says, for logs and people: never the statement's parameters, which may be anybody's data."""

from __future__ import annotations

from django.db import Error as DatabaseError


def describe_database_error(error: DatabaseError) -> str:
    """The first line of the server's message and its SQLSTATE, where the server has said something; else that of the driver."""
    cause = error.__cause__ or error
    message = getattr(getattr(cause, "diag", None), "message_primary", None) or next(iter(str(error).splitlines()), "")
    state = getattr(cause, "sqlstate", None)
    return " ".join(filter(None, (f"{type(error).__name__}:", message, f"({state})" if state else ""))).removesuffix(":")
