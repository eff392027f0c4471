"""Ending tasks for certain."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

AGAIN = 0.5
"""Seconds after which a task that was told to end and has not is told again."""


async def end_tasks(tasks: Collection[asyncio.Future[Any]]) -> None:
    """Cancels until all have ended. Once is not enough: `asyncio.wait_for` of Python 3.11 loses a cancellation that comes with its
    result, and the close of `websockets` 13 takes it for its own reader's."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=AGAIN)
    await asyncio.gather(*tasks, return_exceptions=True)  # an error that nobody asks for would be logged as forgotten
