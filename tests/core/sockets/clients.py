"""A WebSocket client that speaks ASGI to the desk's own application, as the web server does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from channels.db import database_sync_to_async
from django.contrib.auth.models import User

from access.services import token_create
from config.routing import websocket_application

PATIENCE = 20


class Client:
    """`got` has every message so far, `code` the code that the socket was closed with. A `stuck` one takes no message."""

    def __init__(self, path: str, headers: list[tuple[bytes, bytes]], *, stuck: bool = False) -> None:
        path, _, query = path.partition("?")
        self.scope = {"type": "websocket", "path": path, "query_string": query.encode(), "headers": headers, "subprotocols": []}
        self.reads = asyncio.Event()
        if not stuck:
            self.reads.set()
        self.got: list[dict[str, Any]] = []
        self.code: int | None = None
        self.news = asyncio.Condition()
        self.asked: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def __aenter__(self) -> Client:
        await self.asked.put({"type": "websocket.connect"})
        serving: Any = websocket_application(self.scope, self.asked.get, self.send)
        self.task: asyncio.Task[None] = asyncio.create_task(serving)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.asked.put({"type": "websocket.disconnect", "code": 1000})
        self.reads.set()
        await asyncio.wait_for(self.task, PATIENCE)

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            await self.reads.wait()
            self.got.append(json.loads(message["text"]))
        elif message["type"] == "websocket.close":
            self.code = message.get("code", 1000)
        async with self.news:
            self.news.notify_all()

    async def ask(self, **request: Any) -> None:
        await self.asked.put({"type": "websocket.receive", "text": json.dumps(request)})

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self.news:
            await self.news.wait_for(condition)

    async def until_heard(self, count: int = 1) -> list[dict[str, Any]]:
        await self.until(lambda: len(self.got) >= count)
        return self.got

    async def until_closed(self) -> int:
        await self.until(lambda: self.code is not None)
        assert self.code is not None
        return self.code

    @property
    def seqs(self) -> list[int]:
        """The numbers of the events that it got."""
        return [message["seq"] for message in self.got if message["type"] not in ("hello", "reset") and message["seq"]]


@database_sync_to_async  # type: ignore[untyped-decorator]
def token_headers(name: str = "vic", scopes: tuple[str, ...] = ("read",)) -> list[tuple[bytes, bytes]]:
    """The headers of a program with a token of a viewer's."""
    user, _ = User.objects.get_or_create(username=name)
    _, secret = token_create(user=user, scopes=list(scopes))
    return [(b"authorization", f"Bearer {secret}".encode())]
