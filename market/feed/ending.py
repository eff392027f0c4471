"""Ending tasks for certain."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

AGAIN = 0.5
"""Seconds after which a task that was cancelled and has not ended is cancelled again."""


async def end_tasks(tasks: Collection[asyncio.Future[Any]]) -> None:
    """Cancels until all have ended. Once is not enough: `asyncio.wait_for` of Python 3.11 loses a cancellation that comes together
    with its result, and the close of `websockets` 13 takes it for the cancellation of its own reader."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=AGAIN)
    await asyncio.gather(*tasks, return_exceptions=True)  # otherwise an error that nobody asks for is logged as never retrieved
