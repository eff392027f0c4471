"""All processes share what one of them spends, the venue's own count wins, and orders get through where reads wait."""

from __future__ import annotations

import asyncio
from email.utils import formatdate

import pytest
from redis.asyncio import Redis

from core.broker import TURNS, loop_client
from market.exchanges.base import Endpoint, ExchangeError, RateLimited, Retryable
from market.exchanges.binance.errors import lost_answer
from market.exchanges.breaker import TRUST, Breaker
from market.exchanges.budget import Budget
from market.exchanges.guard import Guard
from market.exchanges.registry import RequestLimit

HERE = Endpoint("binance", "sandbox", account="7")
LIMITS = (RequestLimit("weight", 60, 100, "venue"), RequestLimit("orders", 10, 3, "account"))


class Clock:
    """A clock whose seconds pass by sleeping."""

    def __init__(self) -> None:
        self.now, self.slept = 1_000_000_020.0, 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def budget(redis: Redis, clock: Clock, *, account: str = "7", patience: float = 5.0) -> Budget:
    endpoint = Endpoint("binance", "sandbox", account=account)
    return Budget(redis, endpoint, limits=LIMITS, patience=patience, clock=clock, sleep=clock.sleep)


async def test_two_processes_share_one_budget_and_leave_the_reserve(redis: Redis, clock: Clock) -> None:
    one, other = budget(redis, clock), budget(redis, clock)
    for each in [one, other] * 4:
        await each.spend({"weight": 10})
    with pytest.raises(RateLimited) as refusal:  # 80 of 100, of which 15 are for orders
        await one.spend({"weight": 10})
    assert refusal.value.after == pytest.approx(clock.now // 60 * 60 + 60 - clock.now)
    await other.spend({"weight": 15}, urgent=True)
    with pytest.raises(RateLimited):
        await one.spend({"weight": 6}, urgent=True)


async def test_hundreds_of_orders_at_once_are_counted_on_a_few_connections(redis: Redis, clock: Clock) -> None:
    before = len(await redis.client_list())
    async with loop_client() as many:
        plenty = Budget(many, HERE, limits=(RequestLimit("weight", 60, 10_000, "venue"),), clock=clock)
        await asyncio.gather(*(plenty.spend({"weight": 1}, urgent=True) for _ in range(600)))
        assert len(await redis.client_list()) - before <= TURNS
        key = f"exchange:binance:sandbox:weight:{int(clock.now // 60)}"
        assert await many.get(key) == b"600"
        await many.delete(key)


@pytest.mark.parametrize(("key", "many"), [("", 10), ("a key", 30)])
async def test_coinbase_takes_fewer_requests_without_a_key(redis: Redis, clock: Clock, key: str, many: int) -> None:
    endpoint = Endpoint("coinbase", "live", account="public", api_key=key)
    spender = Budget(redis, endpoint, patience=0.0, clock=clock, sleep=clock.sleep)
    tries = (spender.spend({"requests": 1}, urgent=True) for _ in range(40))
    assert (await asyncio.gather(*tries, return_exceptions=True)).count(None) == many


async def test_many_at_once_never_spend_more_than_there_is(redis: Redis, clock: Clock) -> None:
    budgets = [budget(redis, clock, patience=0.0) for _ in range(40)]
    done = await asyncio.gather(*(each.spend({"weight": 5}) for each in budgets), return_exceptions=True)
    assert done.count(None) == 17
    assert all(isinstance(each, RateLimited) for each in done if each is not None)


async def test_a_read_waits_for_the_next_window_if_it_is_near(redis: Redis, clock: Clock) -> None:
    spender = budget(redis, clock, patience=30.0)
    await spender.spend({"weight": 80})
    clock.now += 60 - clock.now % 60 - 20
    await spender.spend({"weight": 10})
    assert clock.slept == pytest.approx(20, abs=0.01)
    assert spender.waited == 1


async def test_the_venues_own_count_is_believed(redis: Redis, clock: Clock) -> None:
    one, other = budget(redis, clock), budget(redis, clock)
    await one.spend({"weight": 5})
    await one.observe("weight", 95)
    with pytest.raises(RateLimited):
        await other.spend({"weight": 1})
    await one.observe("weight", 3)  # an answer that was overtaken by another takes nothing back
    with pytest.raises(RateLimited):
        await other.spend({"weight": 1})
    await other.observe("weight", 0, limit=1000)
    await other.spend({"weight": 300})


async def test_an_answer_speaks_of_the_window_in_which_it_was_given(redis: Redis, clock: Clock) -> None:
    one = budget(redis, clock)
    given = formatdate(clock.now, usegmt=True)
    clock.now += 60
    await one.observe("weight", 99, date=given)
    await one.spend({"weight": 50})
    await one.observe("weight", 99, date=formatdate(clock.now, usegmt=True))
    with pytest.raises(RateLimited):
        await one.spend({"weight": 1})
    await one.observe("weight", 99, date="not a date")


async def test_weight_is_counted_by_address_and_orders_by_key(redis: Redis, clock: Clock) -> None:
    one, other = budget(redis, clock), budget(redis, clock, account="8")
    for _ in range(3):
        await one.spend({"weight": 1, "orders": 1}, urgent=True)
    with pytest.raises(RateLimited):
        await one.spend({"weight": 1, "orders": 1}, urgent=True)
    await other.spend({"weight": 90, "orders": 1}, urgent=True)
    with pytest.raises(RateLimited):
        await one.spend({"weight": 10}, urgent=True)


async def test_a_429_stops_everybody_until_it_is_over(redis: Redis, clock: Clock) -> None:
    one, other = budget(redis, clock), budget(redis, clock, account="8")
    await one.close(30.0)
    await one.close(3.0)  # a shorter ban does not lift a longer one
    for urgent in (False, True):
        with pytest.raises(RateLimited) as refusal:
            await other.spend({"weight": 1}, urgent=urgent)
        assert 25 < refusal.value.after <= 30
    assert one.limited == 2


async def test_without_redis_orders_go_out_and_reads_do_not(caplog: pytest.LogCaptureFixture) -> None:
    gone = Redis.from_url("redis://127.0.0.1:1/0")
    spender = Budget(gone, HERE, limits=LIMITS)
    await spender.spend({"weight": 1, "orders": 1}, urgent=True)
    with pytest.raises(Retryable):
        await spender.spend({"weight": 1})
    await spender.observe("weight", 5)
    await spender.close(1.0)
    assert caplog.text.count("orders go out uncounted") == 1
    breaker = Breaker(gone, HERE)
    await breaker.allow()
    await breaker.note_failure()
    await gone.aclose()


async def test_who_trusts_a_closed_breaker_hears_within_a_moment_that_it_opened(redis: Redis, clock: Clock) -> None:
    one, trusting = (Breaker(redis, HERE, failures=3, rest=10.0, clock=clock) for _ in range(2))
    await trusting.allow()
    for _ in range(3):
        await one.note_failure()
    with pytest.raises(Retryable):
        await one.allow()
    clock.now += TRUST / 1000
    with pytest.raises(Retryable, match="not asked"):
        await trusting.allow()


async def test_the_breaker_opens_for_all_and_lets_one_try(redis: Redis, clock: Clock) -> None:
    one, other = (Breaker(redis, HERE, failures=3, rest=10.0, clock=clock) for _ in range(2))
    for each in (one, other):
        await each.allow()
        await each.note_failure()
    assert await one.state() == "closed"
    await one.note_failure()
    with pytest.raises(Retryable) as refusal:
        await other.allow()
    assert refusal.value.after == pytest.approx(10.0)
    assert await other.state() == "open"
    clock.now += 11
    assert await other.state() == "half_open"
    await other.allow()
    with pytest.raises(Retryable):
        await one.allow()  # somebody is trying
    await other.note_success()
    await one.allow()
    assert await one.state() == "closed"


async def test_the_first_try_is_left_to_what_is_urgent(redis: Redis, clock: Clock) -> None:
    breaker = Breaker(redis, HERE, failures=1, rest=10.0, clock=clock)
    await breaker.note_failure()
    clock.now += 10.5
    with pytest.raises(Retryable) as refusal:
        await breaker.allow(later=True)
    assert refusal.value.after == pytest.approx(0.5)
    await breaker.allow()
    clock.now += 6  # that try had no end, and nothing urgent came after it
    await breaker.allow(later=True)


@pytest.mark.parametrize("acts", [False, True])
async def test_an_answer_that_cannot_be_read_opens_no_breaker(redis: Redis, clock: Clock, acts: bool) -> None:
    breaker = Breaker(redis, HERE, failures=1, clock=clock)
    guard = Guard(budget(redis, clock), breaker, lambda error, acts: lost_answer(str(error), "unreadable", acts))

    async def unreadable() -> None:
        raise KeyError("type")

    with pytest.raises(ExchangeError):
        await guard.run(unreadable, {"weight": 1}, acts=acts)
    assert await breaker.state() == "closed"


async def test_a_trial_that_fails_opens_it_again(redis: Redis, clock: Clock) -> None:
    breaker = Breaker(redis, HERE, failures=2, rest=10.0, clock=clock)
    for _ in range(2):
        await breaker.note_failure()
    clock.now += 11
    await breaker.allow()
    await breaker.note_failure()
    with pytest.raises(Retryable) as refusal:
        await breaker.allow()
    assert refusal.value.after == pytest.approx(10.0)


async def test_a_success_between_failures_forgets_them(redis: Redis, clock: Clock) -> None:
    breaker = Breaker(redis, HERE, failures=2, clock=clock)
    for _ in range(3):
        await breaker.note_failure()
        await breaker.allow()
        await breaker.note_success()
    await breaker.allow()
