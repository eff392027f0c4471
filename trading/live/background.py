"""Tasks of a stream worker that nobody waits for: a failure is logged, and all end with the worker. Everything is called on the
loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from market.feed.ending import end_tasks
from trading.live.threads import LOOP, called_from

logger = logging.getLogger(__name__)


@called_from(LOOP)
class BackgroundTasks:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.on_done)

    def on_done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("a background task failed", exc_info=error)

    async def cancel_all(self) -> None:
        await end_tasks(list(self.tasks))
