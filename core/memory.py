"""How much memory a process has, and may have."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STATUS = Path("/proc/self/status")
RESIDENT, OWN = "VmRSS", "VmData"


def held_bytes(kind: str = RESIDENT) -> int:
    """Memory of this process: what is in use, or all that it was given and RLIMIT_DATA counts. 0 where only Linux could tell."""
    lines = STATUS.read_text().splitlines() if STATUS.exists() else []
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith(kind)), 0)


@contextmanager
def limiting_memory(most: int) -> Iterator[None]:
    """While it lasts, this process is refused what it asks for beyond `most` bytes more than it has now. Python raises
    `MemoryError` then; many a library ends the process, so this is for the last resort."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    if has := held_bytes(OWN):
        wanted = [has + most, *(limit for limit in before if limit != resource.RLIM_INFINITY)]
        resource.setrlimit(resource.RLIMIT_DATA, (min(wanted), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
