"""beancount in a process and an environment of its own."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.clients.__main__ import install_client

VERSION = "3.2.3"
BOOKS = Path(__file__).with_name("beancount_books.py")


@contextmanager
def open_beancount() -> Iterator[Callable[[str], dict[str, Any]]]:
    """Answers the text of a ledger."""
    with tempfile.TemporaryDirectory() as folder:
        python = install_client(Path(folder) / "beancount", (f"beancount=={VERSION}",))
        command = [str(python), str(BOOKS)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin
            assert process.stdout
            stdin, stdout = process.stdin, process.stdout

            def ask(text: str) -> dict[str, Any]:
                stdin.write(json.dumps(text) + "\n")
                stdin.flush()
                found: dict[str, Any] = json.loads(stdout.readline())
                return found

            try:
                yield ask
            finally:
                stdin.close()
