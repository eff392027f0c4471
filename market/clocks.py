"""How far the venues' clocks are from ours, as stream workers last measured. Exchanges refuse requests with a wrong time."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from django.core.cache import cache
from redis.exceptions import RedisError

MOST_APART = 2.0
"""Seconds beyond which a person should look at the clocks."""
KNOWN_FOR = 900


def clock_put(*, key: str, offset: float) -> None:
    """`key` is the venue's. `offset` is how many seconds its clock is ahead of ours."""
    with suppress(RedisError):
        cache.set(f"clock:{key}", offset, KNOWN_FOR)


def clocks_get(keys: Iterable[str]) -> dict[str, float]:
    """Offsets that were measured within the last quarter of an hour, by venue key."""
    names = {f"clock:{key}": key for key in keys}
    try:
        found = cache.get_many(names)
    except RedisError:
        return {}
    return {names[name]: float(offset) for name, offset in found.items()}
