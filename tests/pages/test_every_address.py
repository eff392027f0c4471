"""Every address of the product in a browser, at two widths in two themes: nothing in its console, and no request that fails."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request, Response

from tests.pages.addresses import NOBODY
from tests.pages.looking import SIZES, THEMES
from tests.running import RunningDesk

pytestmark = pytest.mark.browser

TABS = 8
"""Pages that load beside each other: each has to be silent for half a second before it counts as loaded."""
NO_PAGES = ("Download is starting", "ERR_ABORTED", "ERR_HTTP_RESPONSE_CODE_FAILURE")
"""What the browser says of files that it saves, and of a refusal without a body."""


@dataclass
class Tab:
    """A browser page that keeps what it has complained of, by the address that it was at."""

    page: Page
    path: str = ""
    complaints: list[str] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)

    def listen(self) -> Tab:
        self.page.on("console", self.on_console)
        self.page.on("pageerror", lambda error: self.complain(str(error)))
        self.page.on("requestfailed", self.on_failure)
        self.page.on("response", self.on_response)
        return self

    def complain(self, what: str) -> None:
        self.complaints.append(f"{self.path}: {what}")

    def on_console(self, message: ConsoleMessage) -> None:
        # What could not be loaded is seen by `on_response`, which knows the page itself from what the page asks for.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.complain(message.text)

    def on_response(self, answer: Response) -> None:
        if answer.status >= 400 and not answer.request.is_navigation_request():
            self.complain(f"{answer.url}: {answer.status}")

    def on_failure(self, request: Request) -> None:
        # What is under way when one goes elsewhere, and files that are saved and not shown.
        if request.failure != "net::ERR_ABORTED" and not request.is_navigation_request():
            self.complain(f"{request.url}: {request.failure}")

    def go(self, url: str, path: str) -> None:
        self.path = path
        try:
            answer = self.page.goto(url + path, wait_until="commit")
        except Error as error:
            if not any(words in str(error) for words in NO_PAGES):
                raise
        else:
            self.statuses[path] = answer.status if answer else 0

    def look(self) -> None:
        self.page.wait_for_load_state("networkidle")
        for viewport in SIZES.values():
            self.page.set_viewport_size(viewport)
            for theme in THEMES:
                self.page.emulate_media(color_scheme=theme)
        self.page.evaluate("() => new Promise(requestAnimationFrame)")


def walk(context: BrowserContext, url: str, paths: Sequence[str]) -> tuple[list[str], dict[str, int]]:
    """What was complained of, and the status of each address."""
    tabs = [Tab(context.new_page()).listen() for _ in range(TABS)]
    for first in range(0, len(paths), TABS):
        busy = list(zip(tabs, paths[first:], strict=False))
        for tab, path in busy:
            tab.go(url, path)
        for tab, _ in busy:
            tab.look()
    complaints = [one for tab in tabs for one in tab.complaints]
    statuses = {path: status for tab in tabs for path, status in tab.statuses.items()}
    context.close()
    return complaints, statuses


def test_no_address_complains_to_somebody_who_is_signed_in(
    browser: Browser, live_desk: RunningDesk, signed_in_state: Any, addresses: list[str]
) -> None:
    complaints, statuses = walk(browser.new_context(storage_state=signed_in_state), live_desk.url, addresses)
    assert not complaints, "\n".join(complaints)
    assert {path: status for path, status in statuses.items() if status >= 500} == {}
    # The comparison of a bot's run wants one that was repeated as a backtest, which this desk lacks.
    own = [path for path in addresses if not path.startswith(("/api/", "/admin/")) and not re.match("/bots/.*/compare/", path)]
    pages = [path for path in own if NOBODY not in path.split("/")]
    assert {path: statuses[path] for path in pages if statuses.get(path, 200) not in (200, 400, 405)} == {}


def test_no_address_complains_to_a_stranger(browser: Browser, live_desk: RunningDesk, addresses: list[str]) -> None:
    context = browser.new_context()
    led_away = [path for path in addresses if is_led_to_the_sign_in(context, live_desk.url + path)]
    shown = [path for path in addresses if path not in led_away]
    assert all(path.startswith(("/api/", "/sign-", "/metrics", "/favicon.ico")) for path in shown)
    complaints, statuses = walk(context, live_desk.url, [*shown, led_away[0]])
    assert not complaints, "\n".join(complaints)
    assert {path: status for path, status in statuses.items() if status >= 500} == {}


def is_led_to_the_sign_in(context: BrowserContext, address: str) -> bool:
    answer = context.request.get(address, max_redirects=0)
    return answer.status == 302 and "/sign-in/" in answer.headers["location"]


def test_the_documentation_of_the_api_is_drawn(browser: Browser, live_desk: RunningDesk, signed_in_state: Any) -> None:
    context = browser.new_context(storage_state=signed_in_state)
    page = context.new_page()
    page.goto(f"{live_desk.url}/api/v1/docs/")
    page.locator(".opblock-tag", has_text="bots").click(timeout=60_000)
    page.locator(".opblock-summary-path", has_text="/api/v1/bots").first.wait_for()
    assert page.locator("nav.rail").is_visible()
    context.close()
