"""An account's balances, asked of the venue at most once a minute by all processes together, and at once after a fill."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from market.exchanges.base import Balance, Endpoint

STORE = """
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 0
"""
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
HOLD = 5_000
"""Milliseconds that one process may take to ask the venue. After that, another one asks."""
LOOK = 0.02
"""Seconds between two looks at whether the process that asks has its answer."""


class AccountCache:
    """`ask` is the exchange's `balances`. `hits` and `misses` count the questions of this process: a miss went to the venue.
    Without Redis every question goes to the venue."""

    def __init__(
        self,
        redis: Redis,
        endpoint: Endpoint,
        ask: Callable[[], Awaitable[list[Balance]]],
        *,
        seconds: float = 60.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        place = f"exchange:{endpoint.venue}:{endpoint.environment}:{endpoint.account}:balances"
        self._value, self._age, self._lock = place, f"{place}:age", f"{place}:lock"
        self._redis, self._ask, self._seconds, self._sleep = redis, ask, seconds, sleep
        self._store, self._release = redis.register_script(STORE), redis.register_script(RELEASE)
        self.hits = self.misses = 0

    async def balances(self) -> list[Balance]:
        """If several ask at the same time, one of them asks the venue and the others wait for its answer. If the venue's answer is
        an error, it is raised here, and the next caller tries again."""
        try:
            return await self._balances()
        except (RedisError, OSError):
            self.misses += 1
            return await self._ask()

    async def drop(self) -> None:
        """Call it after a fill, a deposit or a withdrawal. The answer to a question that was asked before it is not kept."""
        await self._redis.set(self._age, secrets.token_hex(8))
        await self._redis.delete(self._value)

    async def read_age(self) -> str:
        """Changes with each `drop`: where it is the same, nobody has heard that money moved. Empty where Redis does not say."""
        with suppress(RedisError, OSError):
            return str(await self._redis.get(self._age))
        return ""

    async def _balances(self) -> list[Balance]:
        """The balances from Redis, or from the venue by whoever gets the right to ask first."""
        token = secrets.token_hex(8)
        while True:
            if (kept := await self._redis.get(self._value)) is not None:
                self.hits += 1
                return _unpack_balances(kept)
            if await self._redis.set(self._lock, token, nx=True, px=HOLD):
                break
            await self._sleep(LOOK)
        try:
            if (kept := await self._redis.get(self._value)) is not None:
                self.hits += 1
                return _unpack_balances(kept)
            return await self._fetch()
        finally:
            await self._release(keys=[self._lock], args=[token])

    async def _fetch(self) -> list[Balance]:
        await self._redis.set(self._age, secrets.token_hex(8), nx=True)
        age = await self._redis.get(self._age) or b""
        self.misses += 1
        balances = await self._ask()
        await self._store(keys=[self._value, self._age], args=[age, _pack_balances(balances), int(self._seconds * 1000)])
        return balances


def _pack_balances(balances: list[Balance]) -> bytes:
    return orjson.dumps([(each.asset, str(each.free), str(each.held)) for each in balances])


def _unpack_balances(text: bytes | str) -> list[Balance]:
    return [Balance(asset, Decimal(free), Decimal(held)) for asset, free, held in orjson.loads(text)]
