"""Clients of Redis whose keys all begin with the desk's name, because several desks, or other programs, may share one Redis.

A command that is not in the lists here is refused: its keys would be anybody's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.client import Pipeline as AsyncPipeline
from redis.client import Pipeline

ONE_KEY = {
    *("GET", "SET", "SETEX", "GETDEL", "INCRBY", "DECRBY", "EXPIRE", "PEXPIRE", "TTL", "PTTL"),
    *("HGET", "HSET", "HMGET", "HGETALL", "HDEL", "HINCRBY", "HLEN", "HEXISTS"),
    *("LPUSH", "RPUSH", "LPOP", "RPOP", "LRANGE", "LTRIM", "LLEN", "SADD", "SREM", "SMEMBERS", "SCARD"),
    *("ZADD", "ZREM", "ZRANGE", "ZCARD", "ZSCORE", "ZRANGEBYSCORE", "ZREMRANGEBYSCORE"),
}
ALL_KEYS = {"DEL", "MGET", "EXISTS"}
# Channels have the desk's name already: the channel layer gives it to them.
NO_KEY = {"PING", "PUBLISH", "INFO", "SCRIPT LOAD", "SCRIPT EXISTS", "PUBSUB CHANNELS", "CLIENT LIST", "CLIENT KILL"}


def desk_key(key: Any) -> str:
    text = key.decode() if isinstance(key, bytes) else str(key)
    return f"{settings.REDIS_PREFIX}:{text}"


def name_keys(args: Sequence[Any]) -> list[Any]:
    """The words of a command, with the desk's name before each key."""
    command, *rest = args
    if command in ONE_KEY:
        return [command, desk_key(rest[0]), *rest[1:]]
    if command in ALL_KEYS:
        return [command, *map(desk_key, rest)]
    if command == "EVALSHA":
        script, many, *more = rest
        return [command, script, many, *map(desk_key, more[: int(many)]), *more[int(many) :]]
    if command in NO_KEY:
        return [command, *rest]
    raise NotImplementedError(f"It is not known which words of {command} are keys.")


class DeskPipeline(Pipeline):
    def execute_command(self, *args: Any, **options: Any) -> Any:
        parent: Any = super()
        return parent.execute_command(*name_keys(args), **options)


class DeskRedis(Redis):
    def execute_command(self, *args: Any, **options: Any) -> Any:
        parent: Any = super()
        return parent.execute_command(*name_keys(args), **options)

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:
        return DeskPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


class AsyncDeskPipeline(AsyncPipeline):
    def execute_command(self, *args: Any, **options: Any) -> Any:
        parent: Any = super()
        return parent.execute_command(*name_keys(args), **options)


class AsyncDeskRedis(AsyncRedis):
    async def execute_command(self, *args: Any, **options: Any) -> Any:
        parent: Any = super()
        return await parent.execute_command(*name_keys(args), **options)

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> AsyncPipeline:
        return AsyncDeskPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
