"""The Channels consumer that holds the exchanges' sockets, in a task that it owns: it starts the task again when that died, and
cancels it at its own end."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from channels.consumer import AsyncConsumer

from trading.live.worker import StreamWorker

logger = logging.getLogger(__name__)

CHANNEL = "stream"
ENSURE_EVERY = 5.0


class StreamConsumer(AsyncConsumer):  # type: ignore[misc]
    """Each message `stream.ensure` says that a stream worker should run here. The worker is a task, since a handler that looped
    would get no further message; and the task is cancelled, since it would otherwise go on streaming after the consumer's end."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.task is not None:
                self.task.cancel()
                await asyncio.gather(self.task, return_exceptions=True)

    async def stream_ensure(self, message: dict[str, Any]) -> None:
        if self.task is not None and not self.task.done():
            return
        if self.task is not None and not self.task.cancelled():
            logger.error("the stream worker died and starts again", exc_info=self.task.exception())
        self.task = asyncio.create_task(StreamWorker().run(), name="stream worker")


async def serve_consumer() -> None:
    """Runs the consumer until cancelled, and has it ensure every few seconds that its worker runs."""
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def ensure() -> None:
        while True:
            await inbox.put({"type": "stream.ensure"})
            await asyncio.sleep(ENSURE_EVERY)

    async def send(message: dict[str, Any]) -> None:
        """Nobody waits for an answer."""

    scope = {"type": "channel", "channel": CHANNEL}
    ensuring = asyncio.create_task(ensure())
    try:
        await StreamConsumer.as_asgi()(scope, inbox.get, send)
    finally:
        ensuring.cancel()
