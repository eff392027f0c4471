"""This process's connection to Redis or Valkey, for pushes and for the newest prices.

It never holds its callers up: an answer that does not come in time is an error, and after an error nobody asks again for `REST`
seconds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from django.conf import settings
from prometheus_client import Gauge, Histogram
from redis import Redis
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as AsyncRedis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from core.desk_redis import AsyncDeskRedis, DeskRedis

logger = logging.getLogger(__name__)
T = TypeVar("T")

CONNECTED_IN = 0.03
HURRIED, PATIENT = 0.06, 0.5
"""Seconds that an answer may take: for an order that is on its way, and for a page."""
REST = 1.0
SECONDS = Histogram(
    "redis_operation_duration_seconds",
    "Pushes, and prices written and read.",
    ["operation"],
    buckets=(0.0001, 0.001, 0.01, 0.1, 0.5),
)


TURNS = 16
"""How many connections the questions of an event loop share."""
TURN_WITHIN = 2.0


class Unanswered(Exception):
    """The broker did not answer, now or a moment ago."""


class Pause:
    """The time until which nobody asks. Any thread writes it; a thread that looks a moment too early only waits once more."""

    until = 0.0


def layer_config() -> dict[str, Any]:
    config: dict[str, Any] = settings.CHANNEL_LAYERS["default"]["CONFIG"]
    return config


def broker_address() -> str:
    """The address of the channel layer."""
    return str(layer_config()["hosts"][0]["address"])


def task_client() -> AsyncRedis:
    """A client of its own for one short task."""
    return AsyncDeskRedis.from_url(broker_address(), socket_timeout=TURN_WITHIN, protocol=2)


def loop_client() -> AsyncRedis:
    """A client for the running event loop. If each question had a connection of its own, hundreds of orders that leave together
    would open hundreds at once, none would be answered in time, and the orders would go out uncounted."""
    pool = BlockingConnectionPool.from_url(
        broker_address(), max_connections=TURNS, timeout=TURN_WITHIN, socket_timeout=TURN_WITHIN, protocol=2
    )
    return AsyncDeskRedis.from_pool(pool)


@lru_cache(maxsize=2)
def broker_client(patience: float) -> Redis:
    """It can be shared between threads and after a fork. Connections are opened as they are needed."""
    return DeskRedis.from_url(
        broker_address(), socket_timeout=patience, socket_connect_timeout=CONNECTED_IN, retry=Retry(NoBackoff(), 0), protocol=2
    )


def count_connections() -> int:
    """How many connections this process keeps open, idle ones included."""
    return sum(
        count for patience in (HURRIED, PATIENT) for count, _ in broker_client(patience).connection_pool.get_connection_count()
    )


CONNECTIONS = Gauge("redis_connection_pool_active", "Connections to Redis for pushes, prices and figures, idle ones included.")
CONNECTIONS.set_function(count_connections)


def ask_broker(operation: str, question: Callable[[Redis], T], *, patience: float = HURRIED) -> T:
    """What the broker answers. Raises `Unanswered` at once if it did not answer a moment ago."""
    if time.monotonic() < Pause.until:
        raise Unanswered(operation)
    broker = broker_client(patience)
    try:
        with SECONDS.labels(operation).time():
            return question(broker)
    except (RedisError, OSError) as error:
        Pause.until = time.monotonic() + REST
        broker.connection_pool.disconnect(inuse_connections=False)  # after a restart of the broker, every idle connection is dead
        logger.warning("%s: Redis does not answer: %s", operation, error)
        raise Unanswered(operation) from error
