"""Token secrets. 256 random bits need no slow hash: there is nothing to guess."""

from __future__ import annotations

import hashlib
import secrets

PREFIX = "qd_"
"""So that secret scanners and people know what they found."""


def new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def secret_digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
