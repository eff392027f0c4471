"""Each venue's API key, made from the seed, so that a client keeps working when the sandbox starts again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of the curve P-256. Private keys are below it."""


@dataclass(frozen=True, slots=True)
class ClientKey:
    """What a client signs with. It sends `name`; `secret` stays with it: text for Binance, a PEM for Coinbase."""

    name: str
    secret: str = field(repr=False)


def binance_key(seed: int) -> ClientKey:
    """A key whose secret signs with HMAC SHA-256."""
    return ClientKey(_hash_text("binance key", seed), _hash_text("binance secret", seed))


def coinbase_key(seed: int) -> ClientKey:
    """A key of Coinbase's Developer Platform (CDP): its name, and an EC P-256 key as PEM, which signs with ES256."""
    number = int(_hash_text("coinbase secret", seed), 16) % (ORDER - 1) + 1
    pem = ec.derive_private_key(number, ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    name = _hash_text("coinbase key", seed)
    return ClientKey(f"organizations/{_uuid_text(name[:32])}/apiKeys/{_uuid_text(name[32:])}", pem.decode())


def _hash_text(what: str, seed: int) -> str:
    return hashlib.sha256(f"sandbox {what} {seed}".encode()).hexdigest()


def _uuid_text(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
