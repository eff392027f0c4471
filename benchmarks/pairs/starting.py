"""Probes of whole processes: a command, and the desk."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.pairs.probes import Answer
from benchmarks.pairs.processes import read_cpu_of_desk

LOOK_EVERY = 0.05
OPEN_SECONDS, STOP_SECONDS = 300.0, 60.0
MANAGE = (sys.executable, "manage.py")


def make_environment(**own: str) -> dict[str, str]:
    """As a person has it: the worker's own path to the checkout is left out."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | own


class Help:
    """`manage.py help` as a process."""

    def __init__(self, var: str, rounds: int) -> None:
        self.environment = make_environment()

    def prepare(self) -> Answer:
        self.measure({})
        return {}

    def measure(self, request: Answer) -> Answer:
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([*MANAGE, "help"], env=self.environment, stdout=subprocess.DEVNULL, check=True)
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        return {"cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, "wall": wall}

    def close(self) -> None:
        """Each process has ended."""


class Start:
    """`manage.py desk` on a folder that an earlier start has prepared, until it answers that it is ready: the CPU of all of its
    processes up to that moment."""

    def __init__(self, var: str, rounds: int) -> None:
        # A folder within the worker's, whose own environment names that one.
        self.var = Path(var) / "desk"
        self.process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> Answer:
        """The first start makes the database; the second finds the folder as all later ones do."""
        self.var.mkdir(parents=True)
        self.measure({})
        self.measure({})
        return {}

    def measure(self, request: Answer) -> Answer:
        port = find_port()
        own = {"VAR": str(self.var), "PORT": str(port), "DEMO": "0", "ADMIN_PASSWORD": "bench-desk-only"}
        began = time.perf_counter()
        self.process = subprocess.Popen([*MANAGE, "desk", "--with-parent"], env=make_environment(**own), start_new_session=True)
        self.await_ready(port)
        wall, cpu = time.perf_counter() - began, read_cpu_of_desk(self.var)
        self.close()
        return {"cpu": cpu, "wall": wall}

    def await_ready(self, port: int) -> None:
        assert self.process
        deadline = time.monotonic() + OPEN_SECONDS
        while not is_ready(port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("The desk did not open.")
            time.sleep(LOOK_EVERY)

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(STOP_SECONDS)


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/health/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
