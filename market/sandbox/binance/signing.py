"""Who asks: API key, signature and time of a request."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from market.sandbox.binance.notation import BinanceError
from market.sandbox.binance.params import Params, read_required, read_whole
from market.sandbox.keys import ClientKey

RECEIVE_WINDOW, LONGEST_WINDOW, AHEAD = 5000, 60_000, 1000


class SignatureChecker:
    """Verifies HMAC signatures of the one key there is. `wall` is the server's clock (ms)."""

    def __init__(self, key: ClientKey, wall: Callable[[], int]) -> None:
        self._key, self._wall = key, wall

    def authenticate(self, api_key: str, payload: str, signature: str, given: Params) -> str:
        """The account's name. `payload` is what was signed, percent-encoded as it came. `Problem` says what is wrong."""
        self.check_key(api_key)
        if not signature:
            raise BinanceError(-1102, "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.")
        self.check_time(given)
        right = hmac.new(self._key.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right.encode(), signature.encode()):
            raise BinanceError(-1022, "Signature for this request is not valid.")
        return api_key

    def check_key(self, api_key: str) -> None:
        if not api_key:
            raise BinanceError(-2014, "API-key format invalid.", status=401)
        if not hmac.compare_digest(api_key.encode(), self._key.name.encode()):
            raise BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", status=401)

    def check_time(self, given: Params) -> None:
        read_required(given, "timestamp")
        sent, window = read_whole(given, "timestamp") or 0, read_whole(given, "recvWindow", RECEIVE_WINDOW) or 0
        if window > LONGEST_WINDOW:
            raise BinanceError(-1131, f"recvWindow must be less than {LONGEST_WINDOW}.")
        now = self._wall()
        if sent >= now + AHEAD:
            raise BinanceError(-1021, f"Timestamp for this request was {AHEAD}ms ahead of the server's time.")
        if now - sent > window:
            raise BinanceError(-1021, "Timestamp for this request is outside of the recvWindow.")
