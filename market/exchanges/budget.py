"""One rate budget for each venue, shared by all processes through Redis and corrected by what the venue itself counts.

A request is counted before it is sent, so that many processes together stay below the limit. A part of each limit is kept for
orders and cancellations: market data and polling never use it up.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from prometheus_client import Counter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.venues import venue_key
from market.exchanges.base import Endpoint, RateLimited, Retryable
from market.exchanges.registry import VENUES, RequestLimit

logger = logging.getLogger(__name__)

SPEND = """
local shut = redis.call('PTTL', KEYS[1])
if shut > 0 then return {-1, shut} end
for i = 2, #KEYS do
  local cost, allowed = tonumber(ARGV[i * 3 - 5]), tonumber(ARGV[i * 3 - 4])
  if tonumber(redis.call('GET', KEYS[i]) or '0') + cost > allowed then return {i - 1, 0} end
end
for i = 2, #KEYS do
  redis.call('INCRBY', KEYS[i], ARGV[i * 3 - 5])
  redis.call('PEXPIRE', KEYS[i], ARGV[i * 3 - 3])
end
return {0, 0}
"""
OBSERVE = """
if tonumber(redis.call('GET', KEYS[1]) or '0') < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return 0
"""
SHUT = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) end
return 0
"""


LIMITED = Counter("exchange_rate_limited", "Times that a venue told us to wait (429, 418).", ["venue"])
RESERVE = 0.15
"""Share of each limit that only orders, cancellations and questions about orders may use."""


class Budget:
    """`clock` (seconds since 1970) and `sleep` are for tests. `waited`, `denied` and `limited` are counts for the metrics."""

    def __init__(
        self,
        redis: Redis,
        endpoint: Endpoint,
        *,
        limits: tuple[RequestLimit, ...] | None = None,
        patience: float = 5.0,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.venue = endpoint.venue
        self._count_limited = LIMITED.labels(venue_key(endpoint.venue, endpoint.environment))
        usual = VENUES[endpoint.venue].limits_for(keyed=bool(endpoint.api_key))
        self.limits = {limit.name: limit for limit in limits or usual}
        self.patience, self._clock, self._sleep = patience, clock, sleep
        self.waited = self.denied = self.limited = 0
        self._away = False  # whether it was logged that Redis cannot be reached
        place = f"exchange:{endpoint.venue}:{endpoint.environment}"
        self._prefix = {"venue": place, "account": f"{place}:{endpoint.account}"}
        self._shut = f"{place}:shut"
        self._spend, self._observe, self._close = (redis.register_script(script) for script in (SPEND, OBSERVE, SHUT))

    async def spend(self, costs: Mapping[str, int], *, urgent: bool = False) -> None:
        """Count requests that are about to be sent. Reads wait up to `patience` seconds for the next window, then `RateLimited` is
        raised. `urgent` requests (orders) may use the reserve and never wait. Without Redis urgent requests pass, and reads
        raise `Retryable`."""
        deadline = self._clock() + (0 if urgent else self.patience)
        while (wait := await self._try(costs, urgent)) > 0:
            if self._clock() + wait > deadline:
                self.denied += 1
                raise RateLimited(f"{self.venue}: our rate budget is used up for {wait:.1f} s.", code="budget", after=wait)
            self.waited += 1
            await self._sleep(wait)

    async def _try(self, costs: Mapping[str, int], urgent: bool) -> float:
        """Seconds until it is worth asking again. 0 means that the request is counted and may be sent."""
        now = self._clock()
        limits = [self.limits[name] for name in costs]
        arguments: list[int] = []
        for limit in limits:
            allowed = limit.amount if urgent else int(limit.amount * (1 - RESERVE))
            arguments += [costs[limit.name], allowed, limit.seconds * 2000]
        keys = [self._shut, *(self._window(limit, now) for limit in limits)]
        try:
            full, shut = await self._spend(keys=keys, args=arguments)
        except (RedisError, OSError):
            self._miss()
            if urgent:
                return 0.0
            raise Retryable(f"{self.venue}: the rate budget in Redis cannot be reached.", code="redis", after=1.0) from None
        self._away = False
        if full < 0:
            return float(shut) / 1000
        return _window_rest(limits[full - 1], now) if full else 0.0

    async def observe(self, name: str, used: int, limit: int | None = None, *, date: str = "") -> None:
        """Take over what the venue says of its window: this shows what other clients of the same address use. `date` is the header
        of that answer, because an answer that crosses the end of a window is about the window before."""
        if limit and limit != self.limits[name].amount:
            old = self.limits[name]
            self.limits[name] = RequestLimit(name, old.seconds, limit, old.scope)
        window = self.limits[name]
        await self._run(self._observe, self._window(window, _parse_date(date) or self._clock()), used, window.seconds * 2000)

    async def close(self, seconds: float) -> None:
        """The venue answered 429 or 418, so nobody sends anything until then."""
        self.limited += 1
        self._count_limited.inc()
        logger.warning("%s: rate limited by the venue; no requests for %.1f s", self.venue, seconds)
        await self._run(self._close, self._shut, max(1, int(seconds * 1000)))

    async def _run(self, script: Any, key: str, *arguments: int) -> None:
        try:
            await script(keys=[key], args=list(arguments))
        except (RedisError, OSError):
            self._miss()

    def _miss(self) -> None:
        """Logged once for as long as Redis cannot be reached."""
        if not self._away:
            logger.warning("%s: the rate budget in Redis cannot be reached; orders go out uncounted", self.venue)
        self._away = True

    def _window(self, limit: RequestLimit, now: float) -> str:
        return f"{self._prefix[limit.scope]}:{limit.name}:{int(now // limit.seconds)}"


def _parse_date(date: str) -> float:
    """An HTTP date in seconds since 1970; 0 if it is none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return 0.0


def _window_rest(limit: RequestLimit, now: float) -> float:
    """Seconds to the end of the window. It is never zero, because a caller whose clock has just turned would spin."""
    return max(limit.seconds - now % limit.seconds, 0.001)
