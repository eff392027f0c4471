"""Which thread may call what in the live worker, written down where a test can hold the code to it.

LOOP is the event loop of the worker. BOT is a thread of the pools for bots' jobs, where one thread at a time works for a bot. DESK
is a thread of the pool for database work that belongs to no bot. The decorator writes a declaration down and returns what it was
given, so a call costs nothing. `tests/trading/live/test_threads.py` checks each call of a worker that trades against them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

LOOP, BOT, DESK = "loop", "bot", "desk"
ANY = (LOOP, BOT, DESK)
DECLARED: dict[str, tuple[str, ...]] = {}
"""By the full name of the class or method; a method's own declaration goes before that of its class."""

T = TypeVar("T", bound=Callable[..., Any])


def called_from(*threads: str) -> Callable[[T], T]:
    """Declare that a method, or the methods of a class, are called from these threads only."""

    def declare(one: T) -> T:
        DECLARED[f"{one.__module__}.{one.__qualname__}"] = threads
        return one

    return declare
