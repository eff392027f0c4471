"""Secrets at rest: AES-256-GCM, each sealed for its own row, under keys that have ids so that they can be replaced.

A sealed secret is `v1:KEY ID:`, then the nonce and the ciphertext, as bytes. What cannot be opened raises; there is no fallback.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from core.errors import Conflict

VERSION = b"v1"
NONCE = 12


class SecretUnreadable(Conflict):
    """A stored secret cannot be opened. The operator puts the key back, or a person enters the secret again."""

    code = "secret_unreadable"


class SecretBox:
    """Seals under the first of `keys` (id to 32 bytes), opens under any of them."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = {name.encode(): AESGCM(key) for name, key in keys.items()}
        self._first = next(iter(self._keys))

    def seal(self, secret: str, place: str) -> bytes:
        """`place` (table:pk:column) is bound in: moved to another row, the secret does not open."""
        nonce = os.urandom(NONCE)
        return b":".join((VERSION, self._first, nonce + self._keys[self._first].encrypt(nonce, secret.encode(), place.encode())))

    def open(self, sealed: bytes | memoryview, place: str) -> str:
        """`SecretUnreadable` for another key, another place, or bytes that are not a sealed secret."""
        version, key_id, body = (*bytes(sealed).split(b":", 2), b"", b"")[:3]
        if version != VERSION:
            raise SecretUnreadable("The stored secret is damaged. Enter it again.")
        if key_id not in self._keys:
            raise SecretUnreadable(
                f"The stored secret is sealed under the key {key_id.decode('ascii', 'replace')!r}, not in ENCRYPTION_KEYS. "
                "Put the key back, or enter the secret again."
            )
        try:
            return self._keys[key_id].decrypt(body[:NONCE], body[NONCE:], place.encode()).decode()
        except (InvalidTag, ValueError):
            raise SecretUnreadable(
                "The stored secret does not open: it was changed or moved, or its key in ENCRYPTION_KEYS is another one. "
                "Put the right key back, or enter the secret again."
            ) from None

    def is_current(self, sealed: bytes | memoryview) -> bool:
        """Whether it is sealed under the first key."""
        return bytes(sealed).startswith(b":".join((VERSION, self._first, b"")))


def secret_box() -> SecretBox:
    return SecretBox(settings.ENCRYPTION_KEYS)
