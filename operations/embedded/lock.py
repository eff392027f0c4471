"""File locks. The kernel drops them when their holder ends, in whatever way it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from operations.embedded.errors import CannotStart


class Lock:
    """A lock on one file, shared or exclusive. The holder of an exclusive lock can leave its process id in the file."""

    def __init__(self, path: Path, handle: int = 0) -> None:
        """`handle` is one that this process inherited, if it is to go on holding a lock."""
        self.path = path
        try:
            self.handle = handle or os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except PermissionError as error:
            raise CannotStart(f"{path} belongs to somebody else. Run as the owner of {path.parent.parent}.") from error

    def take(self, *, shared: bool = False, wait: bool = True) -> bool:
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self.handle, mode if wait else mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def write_pid(self) -> None:
        os.ftruncate(self.handle, 0)
        os.pwrite(self.handle, str(os.getpid()).encode(), 0)

    def pid(self) -> int:
        """The holder's process id; 0 if it has not left any."""
        return int(os.pread(self.handle, 20, 0) or b"0")

    def release(self) -> None:
        os.close(self.handle)


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    lock = Lock(path)
    try:
        lock.take()
        yield
    finally:
        lock.release()


def is_held(path: Path) -> bool:
    """Whether a process holds `path` exclusively."""
    if not path.exists():
        return False
    lock = Lock(path)
    try:
        return not lock.take(shared=True, wait=False)
    finally:
        lock.release()


def read_holder(path: Path) -> int:
    """The process id in a lock's file."""
    lock = Lock(path)
    try:
        return lock.pid()
    finally:
        lock.release()
