"""Fan-out: a process hears each push once and hands it to the clients that it serves, each through an outbox of its own.

A client never holds up another: its messages wait in its outbox, and a client whose outbox is full is dropped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Hashable
from typing import Any, ClassVar, TypeVar
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer
from django.db import DatabaseError
from prometheus_client import Counter, Gauge, Histogram
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from core.broker import broker_address
from core.push import group_channel

logger = logging.getLogger(__name__)
H = TypeVar("H", bound="Hub")

SUBSCRIBERS = Gauge("websocket_subscribers", "Clients that listen.", ["channel"])
MESSAGES = Counter("websocket_messages", "Messages heard from the broker (in), sent to clients (out).", ["channel", "direction"])
BROADCAST = Histogram(
    "websocket_broadcast_duration_seconds",
    "From a push heard to its being laid out for every client.",
    ["channel"],
    buckets=(0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1),
)


class Outbox:
    """The messages that wait for one client, in order. Of messages with the same key only the newest waits."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.waiting: dict[Hashable, str] = {}
        self.overflow = asyncio.Event()
        self._news = asyncio.Event()

    def put(self, text: str, key: Hashable = None) -> None:
        """Never waits. Sets `overflow` where there is no room: messages are lost from then on, so the client has to reconnect."""
        if key is None:
            key = object()
        self.waiting.pop(key, None)  # the newest goes to the end: a candle's first state must not overtake the one that closed
        if len(self.waiting) >= self.most:
            self.overflow.set()
            return
        self.waiting[key] = text
        self._news.set()

    def holds(self, key: Hashable) -> bool:
        """Whether a message with this key still waits."""
        return key in self.waiting

    async def take(self) -> list[str]:
        """Everything that waits for the client; returns once there is something."""
        await self._news.wait()
        self._news.clear()
        taken, self.waiting = self.waiting, {}
        return list(taken.values())


class Hub:
    """Receives the pushes of one group, once for this process and event loop, while it has clients."""

    group: ClassVar[str]
    quiet = 3.0
    """Seconds without a push after which `silent` is called."""
    again = 1.0
    """Seconds until the broker is asked again after it failed."""
    _hubs: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[type[Hub], Hub]]] = WeakKeyDictionary()

    def __init__(self) -> None:
        self.clients: set[Any] = set()
        self._begun: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    @classmethod
    def here(cls: type[H]) -> H:
        """This process's hub of this kind, on the running loop."""
        hubs = cls._hubs.setdefault(asyncio.get_running_loop(), {})
        found = hubs.setdefault(cls, cls())
        assert isinstance(found, cls)
        return found

    async def join(self, client: Any) -> None:
        """After this returns, the client misses nothing. Raises what `begin` raises."""
        self.clients.add(client)
        if self._task is None:
            self._begun = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._listen(self._begun), name=f"hub {self.group}")
        assert self._begun is not None
        try:
            await asyncio.shield(self._begun)
        except BaseException:
            self.leave(client)
            raise

    def leave(self, client: Any) -> None:
        self.clients.discard(client)
        if not self.clients and self._task is not None:
            self._task.cancel()
            self._task = None

    async def begin(self) -> None:
        """Called before the first client is served, to read the present state."""

    async def on_push(self, kind: str, payload: dict[str, Any]) -> None:
        """Called for each push."""
        raise NotImplementedError

    async def on_silence(self) -> None:
        """Called after `quiet` seconds without a push, and while the broker does not answer."""

    async def _listen(self, begun: asyncio.Future[None]) -> None:
        """Subscribes for as long as there are clients, again and again where the broker is lost. A fault before the first client is
        served goes to those who wait in `join`."""
        try:
            while True:
                try:
                    await self._subscribe(begun)
                except (RedisError, OSError) as error:
                    logger.warning("hub %s: the broker does not answer: %s", self.group, error)
                await self._open(begun)
                await self._guard(self.on_silence())
                await asyncio.sleep(self.again)
        except Exception as error:
            if begun.done():
                raise
            self._task = None
            begun.set_exception(error)

    async def _open(self, begun: asyncio.Future[None]) -> None:
        """Lets clients join: either we listen now, or the broker is away and they live on rows alone."""
        if not begun.done():
            await self.begin()
            begun.set_result(None)

    async def _subscribe(self, begun: asyncio.Future[None]) -> None:
        """Listens until the connection is lost."""
        broker = Redis.from_url(broker_address(), socket_timeout=None, health_check_interval=10)
        async with broker, broker.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(group_channel(self.group))
            await channel.get_message(timeout=self.again)  # the broker confirms that we are subscribed
            await self._open(begun)
            await self._guard(self.on_silence())
            while True:
                await self._next(channel)

    async def _next(self, channel: PubSub) -> None:
        message = await channel.get_message(timeout=self.quiet)
        if message is None:
            await self._guard(self.on_silence())
            return
        MESSAGES.labels(self.group, "in").inc()
        layer = get_channel_layer()
        assert layer is not None
        pushed = layer.deserialize(message["data"])
        with BROADCAST.labels(self.group).time():
            await self._guard(self.on_push(pushed["kind"], pushed["payload"]))

    async def _guard(self, work: Any) -> None:
        """Runs `work`, so that an unreadable push or an unreachable database does not end the listening."""
        try:
            await work
        except DatabaseError:
            logger.warning("hub %s: the database does not answer", self.group, exc_info=True)
        except (KeyError, TypeError, ValueError, AttributeError):
            logger.exception("hub %s: a push that cannot be read", self.group)
