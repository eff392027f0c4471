"""Bodies of requests have a limit before anything is read of them, and nobody waits for one that is on its way. The web server is
the real one, in a process of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from django.contrib.auth.models import User
from django.db import connection

from access.services import token_create
from tests.running import PATIENCE, PROJECT, free_port, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]
USUAL, SIGN_IN = 1 << 20, 1 << 16
IMPORT = "/api/v1/market/imports"
HEAD = "time,open,high,low,close,volume\n"


@dataclass
class Web:
    port: int
    pid: int

    @contextmanager
    def request(self, path: str, *headers: str) -> Iterator[socket.socket]:
        """A connection on which the head of a POST has been sent, and nothing of its body."""
        lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *headers, "", ""]
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as made:
            made.sendall("\r\n".join(lines).encode())
            yield made

    def peak_memory(self) -> int:
        """The most that the process has ever had in memory, in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024

    def answers(self) -> bool:
        with suppress(URLError, OSError), urlopen(f"http://127.0.0.1:{self.port}/api/v1/health/live", timeout=5) as answer:
            return bool(answer.status == 200)
        return False


@pytest.fixture(scope="module")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    port = free_port()
    own = {"DATABASE_URL": address, "DATABASE_POOL": "0", "MEDIA_ROOT": str(tmp_path_factory.mktemp("media"))}
    command = [sys.executable, "-m", "daphne", "-p", str(port), "-b", "127.0.0.1", "config.asgi:application"]
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=PROJECT, env={**os.environ, **own}, **quiet)
    found = Web(port, process.pid)
    try:
        wait_for(lambda: found.answers() or process.poll() is not None, "a web server that answers")
        yield found
    finally:
        process.kill()
        process.wait()


def answer_on(made: socket.socket) -> tuple[int, str]:
    """Status and body of the answer, which ends the connection or says how long it is."""
    with made.makefile("rb") as stream:
        status = int(stream.readline().split()[1])
        length = 0
        while line := stream.readline().strip():
            name, _, value = line.decode().partition(":")
            length = int(value) if name.lower() == "content-length" else length
        return status, stream.read(length).decode()


def bearer(scopes: list[str]) -> str:
    user, _ = User.objects.get_or_create(username="ada", is_superuser=True)
    return f"Authorization: Bearer {token_create(user=user, scopes=scopes)[1]}"


@pytest.mark.parametrize(("path", "limit"), [("/api/v1/bots", USUAL), ("/bots/new/", USUAL), ("/sign-in/", SIGN_IN)])
@pytest.mark.parametrize("signed_in", [False, True])
def test_a_body_above_the_limit_is_refused_before_it_is_sent(web: Web, path: str, limit: int, signed_in: bool) -> None:
    who = [bearer(["read", "trade"])] if signed_in else []
    with web.request(path, f"Content-Length: {limit + 1}", *who) as made:
        status, body = answer_on(made)
    assert status == 413
    assert f"{limit:,} bytes" in body
    if path.startswith("/api/"):
        assert json.loads(body)["error"]["code"] == "too_large"


def test_a_body_at_the_limit_is_read(web: Web) -> None:
    text = json.dumps({"name": "x"}).encode()
    body = text + b" " * (USUAL - len(text))
    with web.request("/api/v1/bots", f"Content-Length: {USUAL}", "Content-Type: application/json", bearer(["trade"])) as made:
        made.sendall(body)
        status, answer = answer_on(made)
    assert (status, json.loads(answer)["error"]["code"]) == (400, "invalid")


def test_a_body_without_a_length_is_counted(web: Web) -> None:
    with web.request("/api/v1/bots", "Transfer-Encoding: chunked") as made:
        piece = b" " * 65_536
        for _ in range(USUAL // len(piece) + 1):
            made.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        assert answer_on(made)[0] == 413


@pytest.mark.parametrize(("scopes", "status"), [([], 401), (["read"], 403)])
def test_a_file_is_read_for_those_only_who_may_import(web: Web, scopes: list[str], status: int) -> None:
    who = [bearer(scopes)] if scopes else []
    for path in (IMPORT, "/market/import/"):
        with web.request(path, f"Content-Length: {8 * USUAL}", *who) as made:
            assert answer_on(made)[0] == status


def test_a_file_that_is_larger_than_any_import_is_refused(web: Web) -> None:
    with web.request(IMPORT, f"Content-Length: {1 << 40}", bearer(["trade"])) as made:
        assert answer_on(made)[0] == 413


def test_a_large_file_arrives_whole_and_others_are_served_meanwhile(web: Web) -> None:
    """32 MB of rows with one that is faulty at the very end. The memory of the process grows by less than the file."""
    row = "2022-01-01T00:00:00Z,1,1,1,1,1\n"
    boundary, fields = "part", {"symbol": "BTC-USD", "interval": "1m"}
    parts = [f'--part\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    parts.append('--part\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\n\r\n' + HEAD)
    first, last = "".join(parts).encode(), b"\r\n--part--\r\n"
    block = row.encode() * 20_000
    count = (32 << 20) // len(block)
    kind = f"Content-Type: multipart/form-data; boundary={boundary}"
    assert web.answers()
    before = web.peak_memory()
    length = len(first) + count * len(block) + len(last)
    with web.request(IMPORT, f"Content-Length: {length}", kind, bearer(["trade"])) as made:
        made.sendall(first)
        for _ in range(count):
            made.sendall(block)
        assert web.answers()
        made.sendall(last)
        status, body = answer_on(made)
    assert (status, list(json.loads(body)["error"]["fields"])) == (400, ["venue"])
    assert web.peak_memory() - before < length / 2
