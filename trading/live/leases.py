"""What a worker has of a venue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VenueLease:
    """`token` fences: see market.services.stream_hold. `renewed`: monotonic seconds."""

    stream_id: int
    holder: str
    token: int
    renewed: float
