"""Workers in a checkout, asked line by line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

WORKER = Path(__file__).resolve().parent / "worker.py"
NOT_INHERITED = {"DATABASE_URL", "REDIS_URL", "MEDIA_ROOT", "SECRET_KEY", "ENCRYPTION_KEYS", "PYTHONPATH"}
END_SECONDS = 120.0


class WorkerFailed(Exception):
    """What a worker said before it ended."""


class Worker:
    """A process that measures one probe in `checkout`, with `var` for all that it writes. `rounds`: the most it will be asked."""

    def __init__(self, checkout: Path, probe: str, var: Path, rounds: int) -> None:
        self.checkout, self.probe = checkout, probe
        self.log = var.with_suffix(".log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", str(WORKER), probe, str(var), str(rounds)],
                cwd=checkout,
                env=make_environment(checkout, var),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """It ends with its input."""
        assert self.process.stdin
        self.process.stdin.close()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def hear(self) -> dict[str, Any]:
        """Its next line. Raises WorkerFailed where there is none."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            said = self.log.read_text(errors="replace").strip().splitlines()[-15:]
            raise WorkerFailed("\n".join([f"The probe {self.probe} ended in {self.checkout}:", *said]))
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, request: Mapping[str, Any] | None = None) -> dict[str, Any]:
        assert self.process.stdin
        print(json.dumps(request or {}), file=self.process.stdin, flush=True)
        return self.hear()


def make_environment(checkout: Path, var: Path) -> dict[str, str]:
    """Ours, without what an operator may have set for a desk of their own."""
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    own = {"VAR": str(var), "ENV_FILE": os.devnull, "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(checkout)}
    return inherited | own
