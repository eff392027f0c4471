"""A process tells its supervisor that it is at work: by the time of a file that bears its process id."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

FOLDER = "QUARTERDECK_HEARTBEATS"
"""The variable by which the supervisor says where. Without it nobody watches, and nothing is written."""
BEAT_EVERY = 2.0


def heartbeat_write() -> None:
    """Call it every `BEAT_EVERY` seconds from where all work of the process passes by."""
    if folder := os.environ.get(FOLDER):
        with suppress(OSError):  # a full disk is no reason to end a process that works
            Path(folder, str(os.getpid())).touch()


async def keep_beating() -> None:
    """For ever, on the loop that all work passes by: it stops where a call holds the loop up."""
    while True:
        heartbeat_write()
        await asyncio.sleep(BEAT_EVERY)


def heartbeat_end() -> None:
    """While the process waits for something outside of it, nobody takes its silence for a fault."""
    if folder := os.environ.get(FOLDER):
        Path(folder, str(os.getpid())).unlink(missing_ok=True)
