"""A fresh clone's first minutes: `python -m benchmarks.film FOLDER [--minutes 6] [--outage 4]`.

Clones this checkout into FOLDER, runs `make run` there with nothing prepared, and keeps a picture and the words of each page every
five seconds, for a person who looks for a false word. With `--outage` the venues of the sandbox stand still for forty seconds, from
that minute on.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from benchmarks.api import ROOT, is_answering
from benchmarks.pairs.processes import find_processes
from benchmarks.pairs.starting import find_port

EVERY, OUTAGE_SECONDS, STOP_SECONDS = 5.0, 40.0, 60.0
LOADED_AGAIN = 6
"""Pictures after which a page is loaded anew. Between them it keeps itself fresh, as for somebody who leaves it open."""
PASSWORD = "film-desk-only"
PAGES = ("/", "/live/", "/bots/", "/bots/a-bot", "/backtests/", "/backtests/a-run", "/market/streams/", "/wallets/")
LINKS = {"/bots/a-bot": ("/bots/", "/bots/"), "/backtests/a-run": ("/backtests/", "/backtests/")}
"""Pages that are found by the first link of this kind on another page."""


@contextmanager
def running_clone(folder: Path) -> Iterator[tuple[str, Path]]:
    """The address and the data of a desk that `make run` is making."""
    port = find_port()
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder / "clone")], check=True)
    unset = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL", "VIRTUAL_ENV"}}
    environment = unset | {"PORT": str(port), "VAR": str(folder / "var"), "ADMIN_PASSWORD": PASSWORD, "PYTHONUNBUFFERED": "1"}
    with (folder / "desk.out").open("wb") as output:
        desk = subprocess.Popen(
            ["make", "run", f"VENV={folder / 'venv'}"],
            cwd=folder / "clone",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield f"http://127.0.0.1:{port}", folder / "var"
    finally:
        desk.send_signal(signal.SIGTERM)
        desk.wait(STOP_SECONDS)


@contextmanager
def signed_in(browser: Browser, url: str) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{url}/sign-in/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", PASSWORD)
    page.click("main button")
    page.wait_for_url(f"{url}/")
    page.close()
    yield context
    context.close()


class Camera:
    """One page of the desk, its pictures and its words."""

    def __init__(self, page: Page, url: str, path: str, folder: Path) -> None:
        self.page, self.url, self.path = page, url, path
        self.name = path.strip("/").replace("/", "-") or "home"
        self.folder = folder
        self.taken = 0

    def take(self, moment: str) -> None:
        if self.taken % LOADED_AGAIN == 0:
            self.page.goto(self.find_address(), wait_until="load")
        self.taken += 1
        self.page.screenshot(path=self.folder / f"{self.name}-{moment}.png", full_page=True)
        words = re.sub(r"[^\S\n]+", " ", self.page.inner_text("body"))
        (self.folder / f"{self.name}-{moment}.txt").write_text(re.sub(r"\s*\n\s*", "\n", words))

    def find_address(self) -> str:
        if self.path not in LINKS:
            return self.url + self.path
        where, kind = LINKS[self.path]
        if self.taken:
            return self.page.url
        self.page.goto(self.url + where, wait_until="load")
        links = self.page.eval_on_selector_all("main a[href]", "all => all.map((one) => one.pathname)")
        found = next((link for link in links if re.fullmatch(rf"{kind}\w{{12,}}/", link)), where)
        return self.url + found


def stop_sandbox(var: Path, number: signal.Signals) -> None:
    for pid in find_processes(var):
        with suppress(OSError):
            if b"sandbox\0--fd" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, number)


def film(folder: Path, minutes: float, outage: float | None) -> None:
    """Seconds count from the first picture: that of a desk whose web server answers."""
    with running_clone(folder) as (url, var), sync_playwright() as started:
        browser = started.chromium.launch(executable_path="/usr/bin/chromium")
        while not is_answering(f"{url}/api/v1/health/live"):
            time.sleep(0.2)
        with signed_in(browser, url) as context:
            cameras = [Camera(context.new_page(), url, path, folder) for path in PAGES]
            began, stopped = time.monotonic(), False
            while (passed := time.monotonic() - began) < 60 * minutes:
                out = outage is not None and 60 * outage <= passed < 60 * outage + OUTAGE_SECONDS
                if out != stopped:
                    stopped = out
                    stop_sandbox(var, signal.SIGSTOP if out else signal.SIGCONT)
                for camera in cameras:
                    try:
                        camera.take(f"{time.monotonic() - began:05.0f}")
                    except Error as error:
                        print(camera.name, str(error).splitlines()[0], flush=True)
                time.sleep(max(0.0, passed + EVERY - (time.monotonic() - began)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--outage", type=float)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    film(options.folder.resolve(), options.minutes, options.outage)


if __name__ == "__main__":
    main()
