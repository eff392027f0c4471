"""Whether a process that runs is also at work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HANGS_AFTER = 60.0
LOOKS_EVERY = 5.0
HELD_UP = 30.0
"""Seconds between two looks after which nobody is judged: the machine slept, or the supervisor itself was held up."""


@dataclass
class Pulse:
    """`read` gives something that changes as long as the process works; None before it has begun."""

    read: Callable[[], object]
    seen: object = None
    changed_at: float = 0.0
    looked_at: float = 0.0

    def has_stopped(self, now: float) -> bool:
        """`now`: monotonic. True once after each `HANGS_AFTER` seconds without a change."""
        before = self.looked_at
        if now - before < LOOKS_EVERY:
            return False
        self.looked_at, found = now, self.read()
        if found is None or found != self.seen or now - before > HELD_UP:
            self.seen, self.changed_at = found, now
        if now - self.changed_at < HANGS_AFTER:
            return False
        self.changed_at = now
        return True


@dataclass
class AnswerPulse:
    """Of a server: how often it has answered. It is asked at each look. `find_process` names the one that is asked: a new one has
    not begun."""

    answers: Callable[[], bool]
    find_process: Callable[[], object]
    process: object = None
    count: int = 0

    def __call__(self) -> int | None:
        if (process := self.find_process()) is not self.process:
            self.process, self.count = process, 0
        self.count += self.answers()
        return self.count or None


def read_beat(folder: Path, pid: int) -> float | None:
    """When the process last wrote its heartbeat; None: it has written none."""
    try:
        return (folder / str(pid)).stat().st_mtime
    except OSError:
        return None


def clear_beats(folder: Path) -> None:
    """Those of processes of an earlier desk: their ids come again."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for file in folder.iterdir():
        file.unlink(missing_ok=True)
