"""Token secrets. They have 256 random bits, so they cannot be guessed, and need no slow hash."""

from __future__ import annotations

import hashlib
import secrets

PREFIX = "qd_"
"""A prefix by which secret scanners and people recognise a token."""


def new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def password_digest(encoded: str) -> str:
    """Of a password as the database has it, to see whether it is still the same one."""
    return hashlib.sha256(encoded.encode()).hexdigest()


def secret_digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
