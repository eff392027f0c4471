"""Child processes that end with their parent, in whatever way it ends."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from core.env import PROJECT
from operations.embedded.pulse import HANGS_AFTER, Pulse

PR_SET_PDEATHSIG = 1
LOG_BYTES_MAX = 5_000_000
LOGS_KEPT = 3
BACK_OFF_MAX = 30.0
HEALTHY_AFTER = 60.0


def prctl(option: int, *arguments: int) -> bool:
    """Linux's prctl(2). False if it is refused, or if there is none."""
    if sys.platform != "linux":
        return False
    padded = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:4]]
    return bool(ctypes.CDLL(None).prctl(option, *padded) == 0)


def end_with_parent(deadly: signal.Signals = signal.SIGKILL, *, parent: int | None = None) -> None:
    """Makes the kernel send this process `deadly` when its parent ends, even by SIGKILL. `parent` is the process id that it should
    have. If that process is gone already, nothing would ever be sent, so we end at once."""
    prctl(PR_SET_PDEATHSIG, deadly)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), deadly)


def on_signals(handler: Callable[..., object]) -> None:
    """Has `handler` called for Ctrl-C, SIGTERM and a closed terminal (unless that is ignored on purpose, as nohup does)."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, handler)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, handler)


def interrupt_once(*_: object) -> NoReturn:
    """Interrupts once. A closed terminal sends several signals, and the second must not break into the clean-up after the first."""
    on_signals(lambda *_: None)
    raise KeyboardInterrupt


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def wait_until(condition: Callable[[], bool], seconds: float, *, every: float = 0.02) -> bool:
    """True as soon as `condition` holds; False if it has not held within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def rotate_log(log: Path) -> None:
    """Puts the content of a long log aside, and drops the oldest one. The writer appends, and so goes on in the emptied file."""
    if not log.exists() or log.stat().st_size < LOG_BYTES_MAX:
        return
    for number in range(LOGS_KEPT, 1, -1):
        older = log.with_suffix(f".log.{number - 1}")
        if older.exists():
            older.replace(log.with_suffix(f".log.{number}"))
    shutil.copyfile(log, log.with_suffix(".log.1"))
    os.truncate(log, 0)


@dataclass
class Child:
    """One supervised process: it is started, restarted with growing pauses, and stopped."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] | None = None
    pass_fds: Sequence[int] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    deadly: signal.Signals = signal.SIGKILL
    before_exec: Callable[[], object] | None = None
    before_start: Callable[[], None] | None = None
    pulse: Pulse | None = None
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started_at: float = 0.0
    restart_at: float = field(default=0.0)

    def start(self) -> None:
        """Starts it in a session of its own, so that the terminal's Ctrl-C reaches only the supervisor. Call this from the main
        thread, because the kernel's death signal is tied to the thread that starts a process."""
        if self.before_start:
            self.before_start()
        rotate_log(self.log)
        parent = os.getpid()

        def prepare() -> None:
            if self.before_exec:
                self.before_exec()
            end_with_parent(self.deadly, parent=parent)

        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd=PROJECT,
                pass_fds=self.pass_fds,
                start_new_session=True,
                preexec_fn=prepare,
            )
        self.started_at = time.monotonic()

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def mend(self) -> str | None:
        """Restarts it if it has ended and its pause has passed, and ends it if it hangs. Says what happened, if anything did."""
        now = time.monotonic()
        if self.running:
            return self.end_hanging(now)
        if self.process is not None:
            code, self.process = self.process.returncode, None
            if now - self.started_at > HEALTHY_AFTER:
                self.failures = 0
            wait = min(2.0**self.failures, BACK_OFF_MAX)
            self.failures += 1
            self.restart_at = now + wait
            return f"{self.name} ended ({describe_ending(code)}); it starts again in {wait:.0f} s. See {self.log}."
        if now < self.restart_at:
            return None
        self.start()
        return f"{self.name} started again."

    def end_hanging(self, now: float) -> str | None:
        if self.pulse is None or not self.pulse.has_stopped(now):
            return None
        self.kill()
        return f"{self.name} gave no sign of work for {HANGS_AFTER:.0f} s, and was ended. See {self.log}."

    def ask_to_stop(self) -> None:
        if self.process and self.running:
            self.process.send_signal(self.stop_signal)

    def await_end(self, seconds: float) -> None:
        """Waits for its end, and forces it if it does not listen."""
        if not self.process:
            return
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            self.process.wait()

    def kill(self) -> None:
        """Ends it and everything that it started."""
        if self.process and self.running:
            os.killpg(self.process.pid, signal.SIGKILL)


def describe_ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
