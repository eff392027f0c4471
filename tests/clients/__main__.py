"""`python -m tests.clients [NAME ...]`: installs each client apart, starts a sandbox, and walks. 1 where a step failed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.clients.tls import open_front, write_certificate
from tests.running import PROJECT

CLIENTS = {
    "ccxt": ("ccxt==4.5.90",),
    "binance_sdk": ("binance-sdk-spot==13.3.0",),
    "binance_connector": ("binance-connector==3.13.0",),
    "python_binance": ("python-binance==1.0.37",),
    "coinbase_sdk": ("coinbase-advanced-py==1.8.4",),
    "cryptofeed": ("cryptofeed==2.4.1",),
    "freqtrade": ("freqtrade==2026.9",),
}


@contextmanager
def open_sandbox(folder: Path, certificate: Path) -> Iterator[Path]:
    """A file of its addresses and keys, while it runs."""
    command = [sys.executable, "manage.py", "sandbox", "--json", "--port", "0"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            text = ""
            while not is_json(text):
                text += process.stdout.readline()
            with open_front(certificate, port := urlsplit(json.loads(text)["binance"]["rest"]).port or 0) as front:
                found = folder / "addresses.json"
                found.write_text(json.dumps(json.loads(text) | {"secure": encrypt_addresses(text, port, front)}))
                yield found
        finally:
            process.terminate()


def encrypt_addresses(text: str, port: int, front: int) -> object:
    """The same addresses, as they are reached through TLS."""
    for scheme in ("http", "ws"):
        text = text.replace(f"{scheme}://127.0.0.1:{port}", f"{scheme}s://127.0.0.1:{front}")
    return json.loads(text)


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


def walk_client(name: str, python: Path, addresses: Path, certificate: Path) -> int:
    """Runs its walk, which trusts the front's certificate and no other."""
    trust = {"SSL_CERT_FILE": str(certificate), "REQUESTS_CA_BUNDLE": str(certificate)}
    command: list[str | Path] = [python, "-m", f"tests.clients.{name}_walk", addresses]
    return subprocess.run(command, cwd=PROJECT, env=os.environ | trust, check=False).returncode


def main(names: list[str]) -> int:
    code = 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        certificate = write_certificate(folder)
        for name in names or list(CLIENTS):
            python = install_client(folder / name, CLIENTS[name])
            with open_sandbox(folder, certificate) as addresses:
                code = max(code, walk_client(name, python, addresses, certificate))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
