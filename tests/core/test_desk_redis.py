"""Two desks on one database of one Redis do not see each other's keys, messages and tasks."""

from __future__ import annotations

from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from django.core.cache import cache
from redis import Redis

from config.celery import app
from core.broker import ask_broker, broker_address, loop_client
from core.desk_redis import name_keys
from core.push import push_message


@pytest.fixture
def everything() -> Redis:
    """The Redis as it is, without a desk's name."""
    return Redis.from_url(broker_address())


def ours(key: str) -> str:
    return f"{settings.REDIS_PREFIX}:{key}"


def put_in_pipeline(broker: Redis) -> None:
    pipeline = broker.pipeline()
    pipeline.set("metrics:test", "2")
    pipeline.execute()


async def test_every_client_of_the_desk_names_its_keys(everything: Redis) -> None:
    cache.set("a-page", 1)
    ask_broker("test", lambda broker: broker.hset("prices:test", mapping={"BTC-USD": "1"}))
    ask_broker("test", put_in_pipeline)
    async with loop_client() as redis:
        script = redis.register_script("return redis.call('SET', KEYS[1], ARGV[1])")
        await script(keys=["exchange:test"], args=["3"])
        assert await redis.mget(["metrics:test", "exchange:test"]) == [b"2", b"3"]
        written = {"prices:test", "metrics:test", "exchange:test"}
        assert everything.exists(*map(ours, written)) == 3
        assert everything.exists(*written) == 0
        assert await redis.delete(*written) == 3
    assert everything.exists(f"{settings.REDIS_PREFIX}:1:a-page")


def test_a_command_whose_keys_are_not_known_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="SORT"):
        name_keys(["SORT", "somebody's"])


def test_a_task_reaches_only_the_workers_of_its_desk(everything: Redis) -> None:
    """Also on a Redis that has one database only."""
    other = Celery(broker=settings.CELERY_BROKER_URL, set_as_current=False)
    other.conf.broker_transport_options = {"global_keyprefix": "another:"}
    app.control.purge()
    app.send_task("nobody.does.it")
    assert everything.llen(ours(app.conf.task_default_queue)) == 1
    assert other.control.purge() == 0
    assert app.control.purge() == 1


def test_a_push_is_heard_by_its_own_desk(everything: Redis) -> None:
    heard: Any = everything.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
    heard.psubscribe("*__group__live")
    heard.get_message(timeout=5)
    push_message("live", "fill")
    channels = [message["channel"].decode() for message in iter(lambda: heard.get_message(timeout=0.3), None)]
    assert channels == [f"{settings.REDIS_PREFIX}__group__live"]
    heard.close()
