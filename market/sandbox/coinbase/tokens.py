"""Coinbase's keys and the tokens (JWT) that clients sign with them, as the CDP documentation describes: ES256 for EC P-256 keys,
EdDSA for Ed25519 keys, issuer `cdp`, the key's name as `sub` and `kid`, two minutes of life, and for REST the request as `uri`
(or as the first of `uris`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

LEEWAY_S = 5
"""How far a client's clock may be off, in seconds."""
LIFE_S = 120
ISSUERS = ("cdp", "coinbase-cloud")
"""The second is the older name, which the venue still takes."""


class BadToken(Exception):
    """The token is not one of a known key for this request, now."""


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """What the venue knows of a client's key. `account` names the account that it opens; the flags say what it may do."""

    name: str
    public: PublicKey
    account: str
    can_view: bool = True
    can_trade: bool = True
    can_transfer: bool = False


def public_key(secret: str) -> PublicKey:
    """The public part of a private key (PEM)."""
    key = serialization.load_pem_private_key(secret.encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise TypeError("Coinbase has EC and Ed25519 keys only")
    return key.public_key()


def check_token(token: str, keys: Mapping[str, RegisteredKey], now_s: float) -> tuple[RegisteredKey, str]:
    """(the key that signed, the request that it signed for, which is empty for a WebSocket).

    `Unauthorised` for an unknown key, a signature that does not fit, a time outside of the token's life, a life longer than two
    minutes, or a claim that is missing. `now_s`: the venue's clock, seconds since 1970.
    """
    try:
        name = jwt.get_unverified_header(token).get("kid")
        key = keys.get(name) if isinstance(name, str) else None
        if not isinstance(name, str) or key is None:
            raise BadToken("unknown key")
        claims = jwt.decode(
            token,
            key.public,
            algorithms=[_algorithm_name(key.public)],
            issuer=ISSUERS,
            # Times are checked below, by the venue's clock, which faults may move. Any audience goes: some clients name the
            # service, some do not.
            options={
                "require": ["exp", "nbf", "sub", "iss"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "verify_aud": False,
            },
        )
    except jwt.PyJWTError as error:
        raise BadToken(str(error)) from None
    _check_claims(claims, name, now_s)
    return key, str(claims.get("uri") or next(iter(claims.get("uris") or ()), ""))


def _check_claims(claims: Mapping[str, Any], name: str, now_s: float) -> None:
    begin, end = claims["nbf"], claims["exp"]
    if not isinstance(begin, int) or not isinstance(end, int) or claims["sub"] != name:
        raise BadToken("claims that cannot be")
    if not begin - LEEWAY_S <= now_s < end + LEEWAY_S:
        raise BadToken("not valid now")
    if end - begin > LIFE_S + LEEWAY_S:
        raise BadToken("lives too long")


def _algorithm_name(key: PublicKey) -> str:
    return "ES256" if isinstance(key, ec.EllipticCurvePublicKey) else "EdDSA"
