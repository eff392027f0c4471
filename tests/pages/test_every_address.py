"""Every address of the product in a browser, at two widths in two themes: nothing in its console, and no request that fails."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request, Response

from operations.embedded.layout import VarFolder
from tests.pages.looking import SIZES, THEMES
from tests.running import RunningDesk, wait_for

pytestmark = pytest.mark.browser

COMPILED_WITHIN = 600
"""Seconds: the first desk on a machine compiles the engine before its runs."""
TABS = 8
"""Pages that load beside each other: each has to be silent for half a second before it counts as loaded."""
NEWEST = {
    "run_id": "SELECT run_id FROM backtests_backtestrun WHERE status = 'completed' ORDER BY id LIMIT 1",
    "bot_id": "SELECT bot_id FROM trading_bot ORDER BY id LIMIT 1",
    "order_id": "SELECT order_id FROM trading_order ORDER BY id LIMIT 1",
    "correlation_id": "SELECT correlation_id FROM trading_order ORDER BY id LIMIT 1",
    "wallet_id": "SELECT wallet_id FROM wallets_wallet ORDER BY id LIMIT 1",
    "pk": "SELECT id FROM market_candleseries ORDER BY id LIMIT 1",
    "timestamp": 'SELECT to_char(max(last), \'YYYY-MM-DD"T"HH24:MI:SS"Z"\') FROM market_candleseries',
}
FIXED = {"act": "start", "index": "0", "app_label": "market", "url": "nothing/", "content_type_id": "1"}
NO_PAGES = ("Download is starting", "ERR_ABORTED", "ERR_HTTP_RESPONSE_CODE_FAILURE")
"""What the browser says of files that it saves, and of a refusal without a body."""
NOBODY = "1"
"""What the desk of the tests may lack. Its page says so."""


def list_routes(patterns: Sequence[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    """Each address, with its parameters as `<name>`."""
    for one in patterns:
        route = before + re.sub(r"\(\?P(<\w+>)[^)]*\)|[\^$]", r"\1", str(one.pattern))
        if isinstance(one, URLResolver):
            yield from list_routes(one.url_patterns, route)
        else:
            yield re.sub(r"<\w+:(\w+)>", r"<\1>", route)


@dataclass
class Rows:
    """The rows of the desk, from which parameters are taken."""

    database: psycopg.Connection[Any]

    def fill_in(self, route: str) -> str:
        return "/" + re.sub(r"<(\w+)>", lambda name: self.find(name[1], route), route)

    def find(self, name: str, route: str) -> str:
        if name in FIXED:
            return FIXED[name]
        if name == "object_id":
            model = apps.get_model(".".join(route.split("/")[1:3])) if route.count("/") > 2 and "/r/" not in route else None
            question = f"SELECT {model._meta.pk.column} FROM {model._meta.db_table} LIMIT 1" if model else ""
        else:
            question = NEWEST.get(name, "")
        row = self.database.execute(question).fetchone() if question else None
        return str(row[0]) if row and row[0] is not None else NOBODY


@pytest.fixture(scope="module")
def addresses(live_desk: RunningDesk) -> list[str]:
    """Of a desk on which a run is completed and a bot has traded."""
    with psycopg.connect(VarFolder(live_desk.var).database_url, autocommit=True) as database:
        rows = Rows(database)
        there = lambda: NOBODY not in (rows.find("run_id", ""), rows.find("order_id", ""))  # noqa: E731
        wait_for(there, "a run and an order", COMPILED_WITHIN)
        return sorted({rows.fill_in(route) for route in list_routes(get_resolver().url_patterns)})


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
