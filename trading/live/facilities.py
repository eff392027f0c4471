"""What a stream worker lends to each of its venues."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from redis.asyncio import Redis

from market.exchanges.account_cache import AccountCache
from market.exchanges.base import Endpoint, Exchange
from market.feed import Timing
from trading.live.background import BackgroundTasks
from trading.live.leases import Leases
from trading.live.pools import Pools


@dataclass(frozen=True, slots=True)
class Facilities:
    """`name`: the worker's, as the holder of leases. `clock`: the markets' time in seconds since 1970. `timing`: of the feeds."""

    name: str
    loop: asyncio.AbstractEventLoop
    pools: Pools
    background: BackgroundTasks
    leases: Leases
    redis: Redis
    clock: Callable[[], float]
    timing: Timing | None
    connect: Callable[[Endpoint], Exchange]
    open_cache: Callable[[Endpoint, Exchange], AccountCache]
