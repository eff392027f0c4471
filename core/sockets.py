"""One client's WebSocket: signs in, gets what its outbox holds, is closed where it cannot keep up or may not listen any more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, ClassVar

import orjson
from django.db import DatabaseError

from core.hub import MESSAGES, SUBSCRIBERS, Outbox
from core.text import utc_text

logger = logging.getLogger(__name__)

REFUSED, UNKNOWN, SLOW, AWAY, UNUSABLE = 4401, 4404, 4408, 4503, 4400
"""Close codes: not signed in, or not any more; what the address names does not exist; too slow, come again with `since`; the
database is away, come again later; the address cannot be used."""
LONGEST = 65_536
"""Characters of one request."""

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
MayListen = Callable[[dict[str, Any]], Awaitable[bool]]
"""Whether the person of this scope may read now."""


class Refusal(Exception):
    """Closes the socket with `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Socket:
    """An ASGI application for one client. Subclasses join a hub in `begin`."""

    channel: ClassVar[str]
    most: ClassVar[int] = 1_000
    """Messages that may wait for the client before it is dropped."""
    asked_again = 60.0
    """Seconds after which we ask again whether the person may listen."""

    def __init__(self, scope: dict[str, Any], may_listen: MayListen) -> None:
        self.scope, self.may_listen = scope, may_listen
        self.outbox = Outbox(self.most)

    @classmethod
    def as_asgi(cls, may_listen: MayListen) -> Any:
        """For `path`, whose type knows views only: an application that makes one of these for each client."""

        async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
            await cls(scope, may_listen).serve(receive, send)

        return application

    async def begin(self) -> list[str]:
        """What the client gets first."""
        return []

    async def on_request(self, text: str) -> None:
        """The client sent something; nothing is asked over most sockets."""

    def end(self) -> None:
        """The client is gone."""

    async def serve(self, receive: Receive, send: Send) -> None:
        if (await receive())["type"] != "websocket.connect":
            return
        # Accepted first: a socket that is refused before cannot say why.
        await send({"type": "websocket.accept"})
        try:
            if not self.scope["user"].is_authenticated:
                raise Refusal(REFUSED)
            with SUBSCRIBERS.labels(self.channel).track_inprogress():
                await self.talk(receive, send)
        except Refusal as refusal:
            await send({"type": "websocket.close", "code": refusal.code})
        except DatabaseError:
            logger.warning("a WebSocket was closed: the database does not answer", exc_info=True)
            await send({"type": "websocket.close", "code": AWAY})
        finally:
            self.end()

    async def talk(self, receive: Receive, send: Send) -> None:
        """Reads, writes and watches until one of these ends."""
        first = await self.begin()
        tasks = [asyncio.create_task(part) for part in (self.read(receive), self.write(send, first), self.watch())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError, Exception):
                    await task

    async def read(self, receive: Receive) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            if text := message.get("text"):
                await self.on_request(text[: LONGEST + 1])

    async def write(self, send: Send, first: list[str]) -> None:
        sent = MESSAGES.labels(self.channel, "out")
        texts = first
        while True:
            for text in texts:
                await send({"type": "websocket.send", "text": text})
            sent.inc(len(texts))
            texts = await self.outbox.take()

    async def watch(self) -> None:
        """Ends by a refusal only."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.outbox.overflow.wait(), self.asked_again)
                raise Refusal(SLOW)
            if not await self.may_listen(self.scope):
                raise Refusal(REFUSED)


def socket_message(kind: str, payload: dict[str, Any], *, seq: int | None = None, correlation_id: str | None = None) -> str:
    """In the form that every socket carries, as of now."""
    now = utc_text(datetime.now(UTC))
    return orjson.dumps({"type": kind, "seq": seq, "ts": now, "correlation_id": correlation_id, "payload": payload}).decode()
