"""A whole desk as a process of its own, for tests that look at it from outside."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

PROJECT = Path(__file__).resolve().parent.parent
PATIENCE = 180  # a busy machine is no failure
PASSWORD = "correct horse battery"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], bool], what: str, seconds: float = PATIENCE, *, pause: float = 0.05) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(pause)


@dataclass
class RunningDesk:
    var: Path
    port: int = field(default_factory=free_port)
    extra: dict[str, str] = field(default_factory=dict)
    project: Path = PROJECT
    """Whose code it runs."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        path = self.var.with_suffix(".out")
        return path.read_text() if path.exists() else ""

    @property
    def environment(self) -> dict[str, str]:
        """Ours, without the services of the tests."""
        inherited = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        own = {"VAR": str(self.var), "PORT": str(self.port), "DEMO": "0", "PYTHONUNBUFFERED": "1", "WORKERS": "1"}
        return inherited | own | self.extra

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def start(self, command: Sequence[str] = (sys.executable, "manage.py", "desk")) -> RunningDesk:
        self.process = self.spawn(command)
        try:
            wait_for(lambda: "The desk is open" in self.output or self.ended, "a desk that opens")
        finally:
            assert "The desk is open" in self.output, f"The desk said only: {self.output}"
        return self

    def spawn(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with self.var.with_suffix(".out").open("wb") as output:
            return subprocess.Popen(
                command,
                cwd=self.project,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def await_end(self, seconds: float = PATIENCE) -> int:
        assert self.process is not None
        return self.process.wait(seconds)

    def stop(self) -> None:
        if not self.ended:
            self.signal(signal.SIGTERM)
            self.await_end()

    def answers(self) -> bool:
        with contextlib.suppress(HTTPError, URLError, OSError), urlopen(f"{self.url}/api/v1/health/ready", timeout=5) as response:
            return bool(response.status == 200)
        return False

    def processes(self) -> dict[int, str]:
        """Every live process of this desk, once its supervisor has taken over."""
        return {pid: line for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if (line := self.describe(pid))}

    def describe(self, pid: int) -> str:
        """Its command line, where it is ours. PostgreSQL's processes overwrite their marks, but work in their data folder."""
        folder = Path("/proc", str(pid))
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            marked = f"QUARTERDECK_VAR={self.var}\0".encode() in (folder / "environ").read_bytes()
            inside = Path(os.readlink(folder / "cwd")).is_relative_to(self.var)
        except OSError:
            return ""
        return line if marked or inside or f'"var": "{self.var}"' in line else ""

    def pid_of(self, words: str) -> int:
        """The first started of the processes whose command line holds `words`; 0 where there is none."""
        return min((pid for pid, line in self.processes().items() if words in line), default=0)
