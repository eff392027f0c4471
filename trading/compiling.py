"""Compiling the engine, which takes a minute once on a machine: how far it is, told to people who wait for bots and runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from core.progress import Progress, progress_end, progress_get, progress_put
from engine.warm import cache_folder

ENGINE = "engine"
KERNELS = 46
"""Functions that are compiled for bots and runs together."""
TOLD_EVERY = 1.0


@contextmanager
def telling_progress() -> Iterator[None]:
    """While it lasts, a thread tells how much of the engine is compiled, whichever process compiles it."""
    over = threading.Event()

    def tell_until_over() -> None:
        while not over.wait(TOLD_EVERY):
            progress_put(ENGINE, Progress(min(count_compiled(), KERNELS), KERNELS))
        progress_end(ENGINE)

    thread = threading.Thread(target=tell_until_over, name="compiling", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def count_compiled() -> int:
    """numba keeps one index for each compiled function."""
    return sum(1 for _ in cache_folder().rglob("*.nbi"))


def engine_progress() -> Progress | None:
    """None while nobody waits for the engine."""
    return progress_get(ENGINE)


def compiling_words(found: Progress | None) -> str:
    """For a person; empty where nobody compiles."""
    return f"The engine is compiled for this machine, once: {found.done} of {found.of} parts are done." if found else ""
