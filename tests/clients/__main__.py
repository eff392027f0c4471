"""`python -m tests.clients [NAME ...]`: installs each client apart, starts a sandbox, and walks. 1 where a step failed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.running import PROJECT

HERE = Path(__file__).parent
CLIENTS = {"ccxt": ("ccxt==4.5.90",), "binance_sdk": ("binance-sdk-spot==13.3.0",)}


@contextmanager
def open_sandbox(folder: Path) -> Iterator[Path]:
    """A file of its addresses and keys, while it runs."""
    command = [sys.executable, "manage.py", "sandbox", "--json", "--port", "0"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            text = ""
            while not is_json(text):
                text += process.stdout.readline()
            found = folder / "addresses.json"
            found.write_text(text)
            yield found
        finally:
            process.terminate()


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def install_client(folder: Path, packages: tuple[str, ...]) -> Path:
    """A Python that has them and nothing of ours."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], check=True)
    return python


def main(names: list[str]) -> int:
    code = 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in names or list(CLIENTS):
            python = install_client(folder / name, CLIENTS[name])
            with open_sandbox(folder) as addresses:
                code = max(code, subprocess.run([python, HERE / f"{name}_walk.py", addresses], check=False).returncode)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
