"""All tests, as four processes side by side, each with services of its own: `python -m tests.together`.

Tests in one process share Celery's names and a broker, so pytest-xdist is not for them; folders have nothing to do with each other.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import IO

HERE = Path(__file__).parent
BESIDE = (("operations",), ("pages",), ("chaos", "trading"))
"""Folders that have a process for themselves; every other one is in the first. Many tests wait for processes and pages, so
that four processes keep two cores busy where two do not."""


def list_folders() -> list[list[str]]:
    """The arguments of each process, the first one's first."""
    apart = {name for names in BESIDE for name in names}
    found = sorted(path.name for path in HERE.iterdir() if (path / "__init__.py").exists() and path.name not in apart)
    first = [*(f"tests/{name}" for name in found), *list_files()]
    return [first, *([f"tests/{name}" for name in names] for names in BESIDE)]


def list_files() -> list[str]:
    """Test files beside the folders."""
    return [f"tests/{path.name}" for path in sorted(HERE.glob("test_*.py"))]


def main(arguments: list[str]) -> int:
    """The first exit code that is not 0. What the others print follows what the first one does."""
    command = [sys.executable, "-m", "pytest", *arguments]
    if os.environ.get("DATABASE_URL"):  # given services are one broker and one database: no two processes side by side
        return subprocess.run(command, cwd=HERE.parent, check=False).returncode
    first, *beside = list_folders()
    with ExitStack() as stack:
        others = [start_beside([*command, *folders], number, stack) for number, folders in enumerate(beside, 2)]
        codes = [subprocess.run([*command, *first], cwd=HERE.parent, check=False).returncode]
        for process, output in others:
            codes.append(process.wait())
            output.seek(0)
            print(output.read(), flush=True)
    return next((code for code in codes if code), 0)  # one that a signal ended is below 0


def start_beside(command: list[str], number: int, stack: ExitStack) -> tuple[subprocess.Popen[bytes], IO[str]]:
    """A process that prints into a file, and is killed if the stack is left before it ends."""
    log = HERE.parent / "var" / f"tests-{number}.log"
    log.parent.mkdir(exist_ok=True)
    output = stack.enter_context(log.open("w+"))
    process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=HERE.parent)
    stack.callback(process.kill)
    return process, output


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
