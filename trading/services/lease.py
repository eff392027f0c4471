"""The right to send orders to a venue, as the statements that need it test it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

LEASED = """
SELECT 1 FROM market_venuestream
WHERE id = %s::bigint AND holder = %s::text AND token = %s::bigint AND held_until > %s::timestamptz
"""
"""Finds a row while the lease holds; its values are `Lease.values`."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A stream worker's hold on a venue's stream. Each new holder gets a higher token, so a lease with an older one is worth
    nothing."""

    stream_id: int
    holder: str
    token: int

    def values(self, now: datetime) -> list[Any]:
        """For `LEASED`."""
        return [self.stream_id, self.holder, self.token, now]
