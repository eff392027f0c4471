"""What every walk does with its steps: tries each and prints it with what went wrong."""

from __future__ import annotations

import asyncio
import json
import queue
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

PATIENCE = 15
"""Seconds for a stream to say something."""


def read_addresses(path: str) -> dict[str, Any]:
    """What `manage.py sandbox --json` prints, and under `secure` the same behind TLS."""
    found: dict[str, Any] = json.loads(Path(path).read_text())
    return found


def try_step(step: Callable[[], Any]) -> str:
    """What went wrong, or nothing."""
    try:
        step()
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:200]
    return ""


def try_steps(steps: Mapping[str, Callable[[], Any]]) -> dict[str, str]:
    return {name: try_step(step) for name, step in steps.items()}


async def try_await(step: Callable[[], Awaitable[Any]]) -> str:
    """What went wrong, or nothing. Too late is wrong, too."""
    try:
        await asyncio.wait_for(step(), PATIENCE)
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:200]
    return ""


def take_frame(frames: queue.Queue[Any], wanted: Callable[[Any], Any]) -> Any:
    """The first frame that is wanted."""
    deadline = time.monotonic() + PATIENCE
    while not wanted(frame := frames.get(timeout=max(0, deadline - time.monotonic()))):
        pass
    return frame


def print_steps(venue: str, found: Mapping[str, str]) -> int:
    """1 where a step failed."""
    for name, problem in found.items():
        print(f"{venue:<9} {name:<34} {problem or 'ok'}", flush=True)
    return min(sum(map(bool, found.values())), 1)
