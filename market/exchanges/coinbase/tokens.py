"""The tokens that Coinbase wants, by the venue's clock. Those of the library are by ours, and to the venue a clock that is off
looks like a wrong key."""

from __future__ import annotations

import secrets
import time

import jwt
from coinbase import jwt_generator

from market.exchanges.base import Endpoint

LIFE = 20
"""Seconds. The venue allows 120, but an order whose answer was lost cannot be settled before its token has expired."""


class BadKey(Exception):
    """This secret cannot be used to sign."""


class Signer:
    """`offset`: seconds that the venue's clock is ahead of ours."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.offset = 0.0
        self._name = endpoint.api_key
        # In a key file, line ends are escaped.
        secret = endpoint.api_secret.replace("\\n", "\n")
        try:
            self._key = jwt_generator._load_private_key(secret)
            self._algorithm = jwt_generator._algorithm_for(self._key)
        except Exception as error:
            raise BadKey(type(error).__name__) from None

    def token(self, uri: str = "") -> str:
        """A token for one request, `GET host/path`, or without one for the subscription of a WebSocket."""
        now = int(time.time() + self.offset)
        claims = {"sub": self._name, "iss": "cdp", "nbf": now, "exp": now + LIFE} | ({"uri": uri} if uri else {})
        headers = {"kid": self._name, "nonce": secrets.token_hex()}
        return jwt.encode(claims, self._key, algorithm=self._algorithm, headers=headers)
