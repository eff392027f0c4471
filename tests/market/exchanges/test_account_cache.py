"""Balances are fetched once for everybody, and are never older than the last fill."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from redis.asyncio import Redis

from market.exchanges.account_cache import AccountCache
from market.exchanges.base import Balance, Endpoint, Retryable

HERE = Endpoint("binance", "sandbox", account="7")


class Venue:
    """A venue that answers when the test lets it."""

    def __init__(self, *, waits: bool = False) -> None:
        self.questions, self.free = 0, Decimal(100)
        self.asked, self.answer = asyncio.Event(), asyncio.Event()
        if not waits:
            self.answer.set()

    async def balances(self) -> list[Balance]:
        self.questions += 1
        found = [Balance("USDT", self.free, Decimal("0.5"))]
        self.asked.set()
        await self.answer.wait()
        return found


async def test_of_all_processes_one_asks(redis: Redis) -> None:
    venue = Venue(waits=True)
    caches = [AccountCache(redis, HERE, venue.balances) for _ in range(20)]
    asking = [asyncio.create_task(cache.balances()) for cache in caches]
    await venue.asked.wait()
    venue.answer.set()
    answers = await asyncio.gather(*asking)
    assert venue.questions == 1
    assert all(answer == [Balance("USDT", Decimal(100), Decimal("0.5"))] for answer in answers)
    assert (sum(cache.hits for cache in caches), sum(cache.misses for cache in caches)) == (19, 1)


async def test_a_fill_drops_what_was_known(redis: Redis) -> None:
    venue = Venue()
    cache = AccountCache(redis, HERE, venue.balances)
    await cache.balances()
    venue.free = Decimal(90)
    assert (await cache.balances())[0].free == 100
    await cache.drop()
    assert (await cache.balances())[0].free == 90


async def test_an_answer_from_before_the_fill_is_not_kept(redis: Redis) -> None:
    venue = Venue(waits=True)
    cache = AccountCache(redis, HERE, venue.balances)
    early = asyncio.create_task(cache.balances())
    await venue.asked.wait()
    venue.free = Decimal(90)
    await cache.drop()  # a fill, while the question is under way
    venue.answer.set()
    assert (await early)[0].free == 100
    assert (await cache.balances())[0].free == 90


async def test_a_failed_question_leaves_it_to_the_next_one(redis: Redis) -> None:
    async def broken() -> list[Balance]:
        raise Retryable("busy")

    with pytest.raises(Retryable):
        await AccountCache(redis, HERE, broken).balances()
    assert (await AccountCache(redis, HERE, Venue().balances).balances())[0].free == 100


async def test_accounts_do_not_mix_and_answers_grow_old(redis: Redis) -> None:
    venue = Venue()
    other = AccountCache(redis, Endpoint("binance", "sandbox", account="8"), venue.balances)
    short = AccountCache(redis, HERE, venue.balances, seconds=0.001)
    await other.balances()
    await short.balances()
    await asyncio.sleep(0.01)
    await short.balances()
    assert venue.questions == 3


async def test_without_redis_the_venue_is_asked_each_time() -> None:
    venue, gone = Venue(), Redis.from_url("redis://127.0.0.1:1/0")
    cache = AccountCache(gone, HERE, venue.balances)
    await cache.balances()
    await cache.balances()
    assert (venue.questions, cache.misses) == (2, 2)
    await gone.aclose()
