"""One REST request, read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from multidict import MultiMapping

from market.sandbox.coinbase.notation import parse_time
from market.sandbox.coinbase.tokens import RegisteredKey

Json: TypeAlias = dict[str, Any]


class CoinbaseError(Exception):
    """An answer other than 200: Coinbase's name of the error, and what a person can do about it."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status, self.error = status, error

    @property
    def body(self) -> Json:
        return {"error": self.error, "error_details": str(self), "message": str(self)}


def invalid_argument(message: str) -> CoinbaseError:
    return CoinbaseError(400, "INVALID_ARGUMENT", message)


def not_found(message: str) -> CoinbaseError:
    return CoinbaseError(404, "NOT_FOUND", message)


@dataclass(frozen=True, slots=True)
class CoinbaseRequest:
    """`key`: who asks; None for public endpoints. `parts`: what the path carries."""

    key: RegisteredKey | None
    parts: Mapping[str, str]
    query: MultiMapping[str]
    body: Json = field(default_factory=dict)

    @property
    def account(self) -> str:
        assert self.key is not None, "only called for endpoints that need a key"
        return self.key.account

    def read_values(self, name: str) -> list[str]:
        """A parameter that may be repeated."""
        return self.query.getall(name, [])

    def read_count(self, name: str, default: int, most: int) -> int:
        """A number from 1 to `most`."""
        value = self.read_whole(name)
        if value is None:
            return default
        if not 1 <= value <= most:
            raise invalid_argument(f"{name} must lie between 1 and {most}")
        return value

    def read_whole(self, name: str) -> int | None:
        """A number of zero or more."""
        text = self.query.get(name, "")
        if not text:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > 15:
            raise invalid_argument(f"{name} must be a whole number")
        return int(text)

    def read_time(self, name: str) -> int | None:
        """An RFC 3339 time, in ms."""
        text = self.query.get(name, "")
        try:
            return parse_time(text) if text else None
        except ValueError:
            raise invalid_argument(f"{name} must be a time such as 2026-01-02T03:04:05Z") from None


Handler: TypeAlias = Callable[[CoinbaseRequest], Json]
