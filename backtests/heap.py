"""Memory of one run for the next: a worker simulates again and again."""

from __future__ import annotations

import ctypes

TRIM, MMAP = -1, -3
"""glibc's options: when the end of the heap is given back to the system, and which blocks are mapped apart from it."""
KEPT, APART = 128 * 2**20, 32 * 2**20


def keep_freed() -> None:
    """A year of minutes takes fifteen megabytes. Given back and had again, their pages are cleared each time: a third of the run.
    Does nothing where the C library is not glibc."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(TRIM, KEPT)
        mallopt(MMAP, APART)
