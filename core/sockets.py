"""One client's WebSocket. It gets the messages of its outbox, and is closed once it cannot keep up or may not listen any more."""

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

REFUSED, UNKNOWN, SLOW, AWAY, UNUSABLE, CROWDED = 4401, 4404, 4408, 4503, 4400, 4429
"""Close codes: not signed in, or not any more; what the address names does not exist; too slow, come again with `since`; the
database is away, come again later; the address cannot be used; this token has as many sockets as a token may have."""
LONGEST = 65_536
"""Characters of one request."""

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
MayListen = Callable[[dict[str, Any]], Awaitable[bool]]
"""Answers whether the person of this scope may read now."""


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
        """Joins a hub; answers the messages that the client gets first."""
        return []

    async def on_request(self, text: str) -> None:
        """Called for each message of the client; most sockets take none."""

    def end(self) -> None:
        """Called once the client is gone, also where `begin` was not reached."""

    async def serve(self, receive: Receive, send: Send) -> None:
        """The whole life of the connection. It always ends by a close code that says why, unless the client went by itself."""
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
        """Reads, writes and watches at once, until one of the three ends."""
        first = await self.begin()
        tasks = [asyncio.create_task(part) for part in (self.read_requests(receive), self.write_outbox(send, first), self.watch())]
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

    async def read_requests(self, receive: Receive) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            if text := message.get("text"):
                await self.on_request(text[: LONGEST + 1])

    async def write_outbox(self, send: Send, first: list[str]) -> None:
        sent = MESSAGES.labels(self.channel, "out")
        texts = first
        while True:
            for text in texts:
                await send({"type": "websocket.send", "text": text})
            sent.inc(len(texts))
            texts = await self.outbox.take()

    async def watch(self) -> None:
        """Ends by raising `Refusal` only: the client is too slow, or may not listen any more."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.outbox.overflow.wait(), self.asked_again)
                raise Refusal(SLOW)
            if not await self.may_listen(self.scope):
                raise Refusal(REFUSED)


async def refuse_unknown(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """ASGI: for every address without a socket. Accepted first, like the others, because the close code says why."""
    if (await receive())["type"] == "websocket.connect":
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": UNKNOWN})


def socket_message(kind: str, payload: dict[str, Any], *, seq: int | None = None, correlation_id: str | None = None) -> str:
    """In the form that every socket carries, as of now."""
    now = utc_text(datetime.now(UTC))
    return orjson.dumps({"type": kind, "seq": seq, "ts": now, "correlation_id": correlation_id, "payload": payload}).decode()
