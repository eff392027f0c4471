"""Requests per second, as Coinbase counts them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

PRIVATE, PUBLIC = 30, 10
"""A second: for each key, and for each address without one."""


@dataclass(slots=True)
class CoinbaseRateLimits:
    """`now` gives milliseconds. Each second begins with a full allowance."""

    now: Callable[[], int]
    _second: int = -1
    _used: dict[str, int] = field(default_factory=dict)

    def take(self, who: str, most: int) -> tuple[bool, dict[str, str]]:
        """(whether one more request is allowed, the headers that tell)."""
        time = self.now()
        if time // 1000 != self._second:
            self._second, self._used = time // 1000, {}
        used = self._used[who] = self._used.get(who, 0) + 1
        headers = {
            "x-ratelimit-limit": str(most),
            "x-ratelimit-remaining": str(max(0, most - used)),
            "x-ratelimit-reset": "1",
        }
        return used <= most, headers
