"""CPU of other processes, in seconds, read from Linux's /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

TICK = 1.0 / os.sysconf("SC_CLK_TCK")


def read_cpu_exactly(pids: Iterable[int]) -> dict[int, float]:
    """Of processes with one thread, by process: to the nanosecond."""
    return {pid: int(text.split()[0]) / 1e9 for pid in pids if (text := read_text(pid, "schedstat"))}


def read_cpu_of_desk(var: Path) -> float:
    """Of all processes that run on a folder, and of those of theirs that have ended: to the hundredth."""
    return sum(map(read_cpu, find_processes(var)))


def read_cpu(pid: int) -> float:
    """User and system, its own and that of its children that have ended and been waited for."""
    words = read_text(pid, "stat").rpartition(")")[2].split()
    return TICK * sum(map(int, words[11:15]))


def find_processes(var: Path) -> list[int]:
    """Those that have the folder in their environment, and PostgreSQL's, which overwrite theirs but work in it."""
    return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if pid != os.getpid() and runs_on(pid, var)]


def runs_on(pid: int, var: Path) -> bool:
    folder = Path("/proc", str(pid))
    try:
        marked = f"\0VAR={var}\0".encode() in b"\0" + (folder / "environ").read_bytes()
        return marked or Path(os.readlink(folder / "cwd")).is_relative_to(var)
    except OSError:
        return False


def read_text(pid: int, name: str) -> str:
    """Empty where it has ended."""
    try:
        return Path("/proc", str(pid), name).read_text()
    except OSError:
        return ""
