"""Whether PostgreSQL and Redis of the operator's own are set up so that a desk can stand on them: what stands in front of the
database, and what Redis does when it is full."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.base.base import NO_DB_ALIAS
from redis import Redis
from redis.exceptions import RedisError

from operations.state import HealthCheck

WORKERS_HEAR = "celery.pidbox"
"""How the channel ends on which Celery workers hear questions. It begins with the name of their desk, if that is one of ours."""
ROUNDS = 8


def check_pooler() -> HealthCheck:
    """Two connections that meet in one process of the server, or one that comes to two of them, are a pooler's: it hands sessions
    from one client to another, and with them what the other has prepared."""
    link: Any = connection
    sessions = [link.copy(alias=NO_DB_ALIAS) for _ in range(2)]
    try:
        one, other = ({process_id(session) for _ in range(ROUNDS)} for session in sessions)
    finally:
        for session in sessions:
            session.close()
    if len(one) == len(other) == 1 and one != other:
        return HealthCheck("Pooler", "up", "Each connection has a session of its own")
    if connection.settings_dict["OPTIONS"]["prepare_threshold"] is None:
        return HealthCheck("Pooler", "up", "In transaction mode, and the desk knows of it")
    detail = "A pooler in transaction mode takes prepared statements and cursors apart: orders wait, and pages fail"
    return HealthCheck("Pooler", "down", detail, "Set TRANSACTION_POOLER=1 for every process, or have it hand out whole sessions.")


def process_id(session: Any) -> int:
    with session.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def check_redis() -> list[HealthCheck]:
    """Nothing where Redis does not answer: the broker's own check says so."""
    try:
        with Redis.from_url(settings.TASKS_REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as redis:
            info: Any = redis.info()
            channels: Any = redis.pubsub_channels(f"*{WORKERS_HEAR}*")
    except RedisError:
        return []
    return [*check_memory(info), *check_neighbours(channel.decode() for channel in channels)]


def check_memory(info: dict[str, Any]) -> Iterator[HealthCheck]:
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        remedy = "Set it to noeviction, in its file or its service's parameters: queued work and rate budgets must not vanish."
        yield HealthCheck("Redis memory", "down", f"When it is full, it drops what it holds (maxmemory-policy {policy})", remedy)
    elif info.get("cluster_enabled"):
        yield HealthCheck(
            "Redis memory", "down", "It is a Redis Cluster", "Name one that is not: tasks and scripts use several keys."
        )
    else:
        yield HealthCheck("Redis memory", "up", "Nothing is dropped when it is full")


def check_neighbours(channels: Iterator[str]) -> Iterator[HealthCheck]:
    """Workers of others who use the same Redis, whatever the number of the database: channels have none."""
    others = sorted({name.partition(":")[0] for name in channels if not name.startswith(f"{settings.REDIS_PREFIX}:")})
    if others:
        remedy = "Names keep them apart, but memory, connections and a FLUSHALL are shared. Give this desk a Redis of its own."
        yield HealthCheck("Redis shared", "unknown", f"Workers of others are on this Redis: {', '.join(others)}", remedy)
