"""What a test forgets of the broker."""

from __future__ import annotations

from django.conf import settings
from redis import Redis

from core.broker import broker_address


def forget_keys(pattern: str) -> None:
    """Those of this desk that match."""
    with Redis.from_url(broker_address()) as redis:
        for key in redis.scan_iter(f"{settings.REDIS_PREFIX}:{pattern}"):
            redis.delete(key)
