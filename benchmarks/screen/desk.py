"""A desk whose bots trade, a person who is signed in to it, and fills that are written beside its own."""

from __future__ import annotations

import http.cookiejar
import json
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.api import PASSWORD, BenchDesk, wait_until
from benchmarks.pairs.processes import find_processes, read_text

WRITER = Path(__file__).resolve().parent / "writer.py"
TRADES_WITHIN = 600.0


class ScreenDesk(BenchDesk):
    """It knows who is signed in by `cookies`."""

    cookies: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def var(self) -> Path:
        return Path(self.environment["VAR"])

    def sign_in(self) -> None:
        jar = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        opener.open(f"{self.url}/sign-in/", timeout=60).read()
        token = next(str(one.value) for one in jar if one.name == "csrftoken")
        form = {"username": "bench", "password": PASSWORD, "csrfmiddlewaretoken": token}
        opener.open(f"{self.url}/sign-in/", urllib.parse.urlencode(form).encode(), timeout=60).read()
        self.cookies = {one.name: str(one.value) for one in jar}

    def find_web(self) -> int:
        """The process id of its web server."""
        return next(pid for pid in find_processes(self.var) if "daphne" in read_text(pid, "cmdline"))

    def start_writer(self, count: int, pace: float, *, seed: int = 7) -> subprocess.Popen[str]:
        """Writes fills in a process of its own, with the code of its checkout; each is a line of its output."""
        return subprocess.Popen(
            [sys.executable, "-P", str(WRITER), str(count), str(pace), str(seed)],
            cwd=self.root,
            env=self.environment | {"PYTHONPATH": str(self.root), "DJANGO_SETTINGS_MODULE": "config.settings"},
            stdout=subprocess.PIPE,
            text=True,
        )

    def has_traded(self) -> bool:
        return bool(self.call("GET", "live/fills")["results"])


@contextmanager
def open_desk(root: Path, var: Path) -> Iterator[ScreenDesk]:
    """On which a bot has traded."""
    desk = ScreenDesk(var, root, DEMO="1")
    desk.start()
    try:
        desk.token = desk.command("create_api_token", "bench", "--scopes", "read")["token"]
        wait_until(desk.has_traded, TRADES_WITHIN, 1.0)
        desk.sign_in()
        yield desk
    finally:
        desk.stop()


def read_lines(writer: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """What it wrote, once it has ended."""
    output, _ = writer.communicate()
    return [json.loads(line) for line in output.splitlines()]
