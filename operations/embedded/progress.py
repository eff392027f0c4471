"""Prints a line for each step of a start, with the time that it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def timed_step(step: str) -> Iterator[None]:
    print(f"  {step:<32}", end="", flush=True)
    began = time.monotonic()
    try:
        yield
    except BaseException:
        print("stopped", flush=True)
        raise
    print(f"{time.monotonic() - began:5.1f} s", flush=True)
