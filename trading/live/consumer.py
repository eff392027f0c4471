"""The Channels consumer that holds the exchanges' sockets: a task that it owns, starts again when it died, and cancels at its
end."""

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
    """Each `stream.ensure` says that a stream worker should run here. A handler that looped itself would hear nothing more, and a
    task that nobody cancels would go on streaming: hence a task, and the cancelling."""

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
    """Runs the consumer until cancelled, telling it every few seconds what should be."""
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def ensure() -> None:
        while True:
            await inbox.put({"type": "stream.ensure"})
            await asyncio.sleep(ENSURE_EVERY)

    async def send(message: dict[str, Any]) -> None:
        """It has nobody to answer."""

    scope = {"type": "channel", "channel": CHANNEL}
    teller = asyncio.create_task(ensure())
    try:
        await StreamConsumer.as_asgi()(scope, inbox.get, send)
    finally:
        teller.cancel()
