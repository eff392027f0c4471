"""The running desk in a browser: pushed, polled, cut off, killed. Rows and pushes are the tests' own: no stream worker runs."""

from __future__ import annotations

import operator
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import override_settings
from playwright.sync_api import Browser, BrowserContext, Page, Route, WebSocketRoute, expect

from core.push import push_message
from market.models import CandleSeries
from tests.pages import live_rows
from tests.pages.looking import Looker
from tests.running import PASSWORD, PATIENCE, PROJECT, RunningDesk, free_port, wait_for
from trading.models import Bot, KillSwitch, Order
from trading.services.bots import kill_switch_set

pytestmark = [pytest.mark.browser, pytest.mark.services]

DATABASE = "live_pages"
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@dataclass
class Web:
    """A web server on a database of its own, and a thread in which these tests write to it."""

    url: str
    media: Path
    blocker: Any

    def rows(self, make: Callable[[], Any]) -> Any:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(self.work, make).result()

    def work(self, make: Callable[[], Any]) -> Any:
        own = connections["default"]  # this thread's
        options = {name: value for name, value in own.settings_dict["OPTIONS"].items() if name != "pool"}
        own.settings_dict = {**own.settings_dict, "NAME": DATABASE, "OPTIONS": options}
        with self.blocker.unblock(), override_settings(MEDIA_ROOT=self.media):
            try:
                return make()
            finally:
                own.close()


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The address of an empty one, beside that of the tests that need no browser."""
    address = os.environ["DATABASE_URL"]
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {DATABASE}")
        yield urlsplit(address)._replace(path=f"/{DATABASE}").geturl()
        server.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@pytest.fixture(scope="module")
def web(live_desk: RunningDesk, database: str, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """With three bots of which one trades. Static files are those that the running desk has collected."""
    port = free_port()
    media = tmp_path_factory.mktemp("media")
    own = {"DATABASE_URL": database, "REDIS_URL": os.environ["REDIS_URL"], "PORT": str(port), "MEDIA_ROOT": str(media)}
    environment = live_desk.environment | own
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0", "--skip-checks"]
    subprocess.run(migrate, cwd=PROJECT, env=environment, check=True, timeout=PATIENCE)
    command = [sys.executable, "-m", "daphne", "-p", str(port), "-b", "127.0.0.1", "config.asgi:application"]
    process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = Web(f"http://127.0.0.1:{port}", media, django_db_blocker)
    try:
        found.rows(fill_database)
        wait_for(lambda: answers(found.url) or process.poll() is not None, "a web server that answers")
        yield found
    finally:
        process.kill()
        process.wait()


def fill_database() -> None:
    User.objects.create_superuser("admin", password=PASSWORD)
    live_rows.unresolved(live_rows.busy())
    live_rows.drifts()


def answers(url: str) -> bool:
    with suppress(URLError, OSError), urlopen(f"{url}/api/v1/health/live", timeout=5) as response:
        return bool(response.status == 200)
    return False


@pytest.fixture(scope="module")
def state(browser: Browser, web: Web) -> Any:
    context = browser.new_context()
    Looker(context.new_page(), web.url).sign_in()
    found = context.storage_state()
    context.close()
    return found


@pytest.fixture
def looker(context: BrowserContext, web: Web, state: Any) -> Looker:
    context.add_cookies(state["cookies"])
    web.rows(live_rows.prices)
    return Looker(context.new_page(), web.url).watch()


def trend() -> Bot:
    return Bot.objects.select_related("run", "wallet").get(name="Trend by the hour")


def next_fill() -> str:
    """One more fill of the bot that trades; its key on the page."""
    return f"fill-{live_rows.filled(trend(), 100 + Order.objects.count()).pk}"


def keys(page: Page, part: str) -> list[str]:
    found: list[str] = page.eval_on_selector_all(f"#part-{part} [data-key]", "rows => rows.map(row => row.dataset.key)")
    return found


@pytest.mark.parametrize(("size", "theme"), [(WIDE, "light"), (PHONE, "dark"), (WIDE, "dark"), (PHONE, "light")])
def test_every_page_is_sound(browser: Browser, web: Web, state: Any, size: Any, theme: Any) -> None:
    bot_id, order_id = web.rows(
        lambda: (trend().bot_id, Order.objects.filter(status="filled").values_list("order_id", flat=True)[0])
    )
    paths = ["/live/", "/portfolio/", f"/bots/{bot_id}/"]
    if (size is WIDE) == (theme == "light"):
        paths += [
            "/bots/",
            "/bots/new/?preset=trend",
            f"/orders/{order_id}/",
            "/live/unresolved/",
            "/wallets/reconciliation/",
            "/market/watchlist/",
            "/market/streams/",
        ]
    context = browser.new_context(viewport=size, color_scheme=theme, storage_state=state)
    looker = Looker(context.new_page(), web.url).watch()
    faults = {}
    for path in paths:
        status = looker.open(path)
        if found := looker.faults() | ({} if status == 200 else {"status": status}):
            faults[path] = found
        looker.errors.clear()
    context.close()
    assert faults == {}


# An age is read as the moment that it tells of: two readings of "42 min ago" may lie on both sides of a minute.
WORDS = """() => {
  const said = (part) => {
    const copy = part.cloneNode(true);
    for (const time of copy.querySelectorAll("time[data-relative]")) time.textContent = time.dateTime;
    return copy.textContent.replace(/\\s+/g, " ").trim();
  };
  const words = (root) => [...root.querySelectorAll("[data-part]")].map(said);
  return fetch(location.pathname, { headers: { Accept: "text/html" } }).then((answer) => answer.text()).then((text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    return [words(document), words(fresh)];
  });
}"""


def test_a_pushed_page_equals_the_page_fetched_afresh(looker: Looker, web: Web) -> None:
    looker.open("/live/")
    page = looker.page
    expect(page.locator("#connection")).to_have_text("Live (WebSocket)")
    key = web.rows(next_fill)
    row = page.locator(f"[data-key='{key}']")
    expect(row).to_be_visible(timeout=5000)
    web.rows(lambda: live_rows.block(trend(), "order_rate", 77))
    expect(page.locator("#part-blocks")).to_contain_text("Order rate")
    shown = keys(page, "fills")
    assert len(shown) == len(set(shown))
    assert shown[0] == key
    patched, fresh = page.evaluate(WORDS)
    assert patched == fresh


def block_another(number: int) -> None:
    live_rows.block(trend(), "order_rate", 500 + number)


def test_an_open_page_asks_for_nothing_while_its_socket_is_up(looker: Looker, web: Web) -> None:
    looker.open("/live/")
    page, asked = looker.page, list[str]()
    expect(page.locator("#connection")).to_have_text("Live (WebSocket)")
    # A change of each part shows that the server sends it, before anything is counted.
    web.rows(next_fill)
    expect(page.locator("#part-fills")).to_have_attribute("data-part", "fills")
    page.on("request", lambda request: asked.append(request.url))
    began = page.evaluate("performance.now()")
    for number in range(6):
        key = web.rows(next_fill)
        expect(page.locator(f"[data-key='{key}']")).to_be_visible()
        web.rows(partial(block_another, number))
        expect(page.locator("#part-blocks .block-list li")).not_to_have_count(0)
        web.rows(lambda: push_message("live", "bot_metrics", type="bot_metrics", seq=None, payload={"bot": trend().bot_id}))
    seconds = (page.evaluate("performance.now()") - began) / 1000
    # Now and then it looks by itself, whether something was lost.
    assert len(asked) <= 2 * (1 + seconds // 30), asked
    wait_for(lambda: operator.eq(*page.evaluate(WORDS)), "the last push, and a page as it is fetched afresh", 20)
    assert looker.faults() == {}


def test_new_rows_do_not_shove_what_someone_points_at(looker: Looker, web: Web) -> None:
    looker.open("/live/")
    page = looker.page
    expect(page.locator("#connection")).to_have_text("Live (WebSocket)")
    before = keys(page, "fills")
    page.hover("#part-fills tbody tr:first-child")
    key = web.rows(next_fill)
    offer = page.locator("#part-fills .arrived")
    expect(offer).to_have_text("Show 1 new", timeout=5000)
    assert keys(page, "fills") == before
    offer.click()
    expect(page.locator(f"[data-key='{key}']")).to_be_visible()


def test_a_cut_line_is_yellow_then_red_then_green_again_without_doubles(looker: Looker, web: Web) -> None:
    page, cut = looker.page, {"sockets": True, "polls": False}

    def socket(line: WebSocketRoute) -> None:
        if cut["sockets"]:
            line.close()
        else:
            line.connect_to_server()

    def poll(route: Route) -> None:
        if cut["polls"]:
            route.abort()
        else:
            route.continue_()

    page.route_web_socket("**/ws/live/**", socket)
    page.route("**/live/*?part=*", poll)
    page.route("**/live/bar/", poll)
    looker.open("/live/")
    words = page.locator("#connection")
    expect(words).to_have_text("Live (polling)")
    first = web.rows(next_fill)
    expect(page.locator(f"[data-key='{first}']")).to_be_visible(timeout=8000)
    cut["polls"] = True
    expect(words).to_contain_text("Stale, as of", timeout=8000)
    cut.update(sockets=False, polls=False)
    second = web.rows(next_fill)
    expect(words).to_have_text("Live (WebSocket)", timeout=15_000)
    expect(page.locator(f"[data-key='{second}']")).to_be_visible(timeout=8000)
    shown = keys(page, "fills")
    assert len(shown) == len(set(shown))
    assert looker.faults() == {}


def prices_stop() -> None:
    live_rows.stream(heard=timedelta(seconds=-20))
    push_message("live", "bot_metrics", type="bot_metrics", seq=None, payload={})


def prices_come() -> None:
    live_rows.stream()
    push_message("live", "bot_metrics", type="bot_metrics", seq=None, payload={})


def test_every_page_says_when_prices_stop_and_when_they_come_again(looker: Looker, web: Web, context: BrowserContext) -> None:
    # A browser whose clock is wrong by an hour tells it no other way.
    looker.page.clock.install(time=datetime.now(UTC) + timedelta(hours=1))
    looker.open("/live/")
    polled = context.new_page()
    polled.route_web_socket("**/ws/**", lambda line: line.close())
    polled.goto(f"{web.url}/")
    words, others = looker.page.locator("#connection"), polled.locator("#connection")
    expect(words).to_have_text("Live (WebSocket)")
    try:
        web.rows(prices_stop)
        for place in (words, others):
            expect(place).to_have_text(re.compile(r"Stale, prices of \d\d:\d\d:\d\d UTC"))
            expect(place).to_have_attribute("data-state", "down")
        expect(looker.page.locator("#part-alerts")).to_contain_text("binance (sandbox): stale: no prices")
        assert looker.faults() == {}
    finally:
        web.rows(prices_come)
    expect(words).to_have_text("Live (WebSocket)")
    expect(others).not_to_contain_text("Stale")
    expect(looker.page.locator("#part-alerts")).not_to_contain_text("no prices")


def test_the_kill_switch_is_two_clicks_and_reaches_every_open_page(looker: Looker, web: Web, context: BrowserContext) -> None:
    looker.open("/live/")
    other = context.new_page()
    other.goto(f"{web.url}/market/")
    page = looker.page
    page.get_by_role("button", name="Kill switch").click()
    dialog = page.locator("#kill")
    expect(dialog).to_contain_text("2 bots stop")
    expect(dialog.get_by_role("button", name="Keep trading")).to_be_visible()
    assert looker.faults() == {}
    page.fill("#kill-reason", "odd fills")
    try:
        dialog.get_by_role("button", name="Kill: stop 2 bots").click()
        expect(page.locator("#desk-banner")).to_contain_text("Killed by admin at")
        expect(other.locator("#desk-banner")).to_contain_text("odd fills", timeout=8000)
        assert web.rows(lambda: KillSwitch.objects.get().killed)
        assert looker.faults() == {}
        page.get_by_role("button", name="Arm again").click()
        page.locator("#kill").get_by_role("button", name="Arm again").click()
        expect(page.locator("#desk-banner")).to_be_hidden()
    finally:
        web.rows(lambda: kill_switch_set(killed=False))


def test_a_bot_is_made_from_a_preset(looker: Looker) -> None:
    looker.open("/bots/new/?preset=trend")
    page = looker.page
    page.fill("#id_name", "Made in a browser")
    expect(page.locator("#plan")).to_contain_text("Tick at least one symbol")
    page.get_by_label("BTC-USDT").check()
    expect(page.locator("#plan")).to_contain_text("Decides at the close of each 1h candle of BTC-USDT")
    page.click("#start")
    expect(page.locator("h1")).to_contain_text("Made in a browser")
    expect(page.locator("h1")).to_contain_text("stopped")


def series_with_book(symbol: str, bid: str) -> int:
    live_rows.candles(symbol)
    live_rows.book(bid, symbol=symbol)
    return CandleSeries.objects.get(instrument__symbol=symbol, interval="1m").pk


def test_a_book_shows_both_sides_with_the_spread_and_follows_its_changes(looker: Looker, web: Web) -> None:
    looker.open(f"/market/series/{web.rows(lambda: series_with_book('BTC-USDT', '62140.5'))}/")
    page = looker.page
    place = page.locator("#book")
    rows, state, spread = place.locator("tbody tr"), place.locator("[data-field=state]"), place.locator("[data-field=spread]")
    expect(rows).to_have_count(3)
    expect(rows.first.locator("td")).to_have_text(["0.5", "62140.5", "62142.5", "0.5"])
    expect(rows.last.locator("td")).to_have_text(["2.5", "62138.5", "62144.5", "2.5"])
    expect(spread).to_have_text("Spread 0.32 bps.")
    expect(state).to_have_text("live")

    def changed() -> bool:
        # A push is heard by those who have subscribed by then.
        web.rows(lambda: push_message("market", "batch", depths=[live_rows.book("60000")]))
        return "60000" in rows.first.inner_text()

    wait_for(changed, "a book that changes", 10)
    expect(rows.first.locator("td")).to_have_text(["0.5", "60000", "60002", "0.5"])
    expect(spread).to_have_text("Spread 0.33 bps.")
    assert looker.faults() == {}
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert looker.faults() == {}


def test_a_book_that_nobody_brings_any_more_is_told_as_old(looker: Looker, web: Web) -> None:
    page = looker.page
    page.clock.install()
    looker.open(f"/market/series/{web.rows(lambda: series_with_book('ETH-USDT', '3105'))}/")
    state = page.locator("#book [data-field=state]")
    expect(state).to_have_text("live")
    page.clock.fast_forward(66_000)
    expect(state).to_have_text(re.compile(r"as of \d\d:\d\d:\d\d UTC, old"))


def test_a_bots_chart_has_its_fills_and_grows(looker: Looker, web: Web) -> None:
    bot_id, now = web.rows(lambda: (trend().bot_id, live_rows.candles()))
    looker.open(f"/bots/{bot_id}/")
    chart = looker.page.locator("#chart")
    expect(chart).to_have_attribute("data-ready", "BTC-USDT")
    expect(chart).to_have_attribute("data-marks", re.compile("[1-9]"))
    time = datetime.fromtimestamp(now, UTC).isoformat()
    prices = dict.fromkeys(("open", "high", "low", "close"), "62200")
    candle = {
        "venue": "binance",
        "environment": "sandbox",
        "symbol": "BTC-USDT",
        "interval": "1m",
        "time": time,
        "volume": "1",
        "closed": False,
    }

    def grown() -> bool:
        # A push is heard by those who have subscribed by then.
        web.rows(lambda: push_message("market", "batch", candles=[candle | prices]))
        return chart.get_attribute("data-last") == str(now)

    wait_for(grown, "a chart that grows", 10)
    assert looker.faults() == {}
