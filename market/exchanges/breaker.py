"""A circuit breaker for each venue. After some failures in a row nobody asks the venue for a while; then one of all processes
tries. The count is kept in Redis, so that a hundred processes do not each have to find out that a venue is down."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Literal

from redis.asyncio import Redis
from redis.exceptions import RedisError

from market.exchanges.base import Endpoint, Retryable

logger = logging.getLogger(__name__)
State = Literal["closed", "open", "half_open"]

ALLOW = """
local failures = tonumber(redis.call('HGET', KEYS[1], 'failures') or '0')
local until_ = tonumber(redis.call('HGET', KEYS[1], 'until') or '0')
local now, probe, later = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if until_ == 0 then return {0, failures} end
if until_ + later > now then return {until_ + later - now, failures} end
redis.call('HSET', KEYS[1], 'until', now + probe)
return {0, failures}
"""
FAIL = """
local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
if failures >= tonumber(ARGV[2]) then redis.call('HSET', KEYS[1], 'until', tonumber(ARGV[1]) + tonumber(ARGV[3])) end
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[3]) * 10)
return failures
"""


TRUST = 1000
LATER = 1000
"""Both in milliseconds. LATER: for so long orders, and questions about orders, have the first try to themselves."""


class Breaker:
    """Opens for `rest` seconds after `failures` in a row. Then one request in each `probe` seconds may try, until one succeeds.
    Without Redis it lets everything through, and the venue's own answers decide."""

    def __init__(
        self,
        redis: Redis,
        endpoint: Endpoint,
        *,
        failures: int = 5,
        rest: float = 10.0,
        probe: float = 5.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.venue, self._redis, self._clock = endpoint.venue, redis, clock
        self._key = f"exchange:{endpoint.venue}:{endpoint.environment}:breaker"
        self._failures, self._rest, self._probe = failures, rest, probe
        self._allow, self._fail = redis.register_script(ALLOW), redis.register_script(FAIL)
        self._dirty = False
        self._trusted = 0

    async def allow(self, *, later: bool = False) -> None:
        """Raises `Retryable` while it is open. An answer that nothing has failed is used again for a moment, so that an order does
        not have to wait for Redis to repeat it. `later`: leaves the first try after the rest to what is more urgent."""
        if self._now() < self._trusted:
            return
        try:
            arguments = [self._now(), int(self._probe * 1000), LATER if later else 0]
            wait, failures = await self._allow(keys=[self._key], args=arguments)
        except (RedisError, OSError):
            return
        self._dirty = failures > 0
        self._trusted = 0 if self._dirty else self._now() + TRUST
        if wait > 0:
            raise Retryable(
                f"{self.venue}: not asked, since it failed {failures} times in a row.", code="breaker", after=wait / 1000
            )

    async def note_success(self) -> None:
        if not self._dirty:
            return
        self._dirty = False
        try:
            await self._redis.delete(self._key)
        except (RedisError, OSError):
            logger.warning("%s: the circuit breaker in Redis cannot be reached", self.venue)

    async def note_failure(self) -> None:
        self._dirty, self._trusted = True, 0
        try:
            count = await self._fail(keys=[self._key], args=[self._now(), self._failures, int(self._rest * 1000)])
        except (RedisError, OSError):
            return
        if count == self._failures:
            logger.warning("%s: the circuit breaker opens after %d failures in a row", self.venue, count)

    async def state(self) -> State:
        """For the metrics and the page. `half_open` means that the rest is over and no request has succeeded yet."""
        until = int(await self._redis.hget(self._key, "until") or 0)
        if not until:
            return "closed"
        return "open" if until > self._now() else "half_open"

    def _now(self) -> int:
        return int(self._clock() * 1000)
