"""The pages of backtests in a browser: from the form to a result that is understood, played back, compared and deleted."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages.looking import SIZES, Looker
from tests.running import RunningDesk, wait_for

pytestmark = pytest.mark.browser

CONFIG = {
    "strategy": "sma_cross",
    "params": {"fast": 10, "slow": 50},
    "venue": "sandbox",
    "symbols": ["BTC-USD"],
    "interval": "1m",
    "start": "2026-02-01T00:00:00Z",
    "end": "2026-03-01T00:00:00Z",
}
ASK = """async ([path, method, body]) => {
  const { "X-CSRFToken": token } = JSON.parse(document.body.getAttribute("hx-headers"));
  const headers = { "X-CSRFToken": token, "Content-Type": "application/json" };
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  return answer.status === 204 ? null : answer.json();
}"""

Make = Callable[..., str]


def ask(page: Page, path: str, body: dict[str, Any] | None = None) -> Any:
    """What the API answers the person of this page."""
    return page.evaluate(ASK, [f"/api/v1/{path}", "POST" if body else "GET", body])


@pytest.fixture(scope="session")
def asker(browser: Browser, live_desk: RunningDesk, signed_in_state: Any) -> Iterator[Page]:
    """A page to ask the API from, so that no test's own page is disturbed."""
    context = browser.new_context(storage_state=signed_in_state)
    page = context.new_page()
    page.goto(live_desk.url)
    yield page
    context.close()


def ended(page: Page, path: str) -> str:
    """The status at `path` once there is nothing more to wait for."""
    wait_for(lambda: ask(page, path)["status"] not in {"queued", "running"}, f"an end of {path}")
    return str(ask(page, path)["status"])


@pytest.fixture(scope="session")
def make(asker: Page) -> Make:
    """Makes a run that has ended, and answers its id."""

    def make(**changes: Any) -> str:
        run_id = str(ask(asker, "backtests", {**CONFIG, **changes})["run_id"])
        ended(asker, f"backtests/{run_id}")
        return run_id

    return make


@pytest.fixture(scope="session")
def finished(make: Make) -> str:
    """A completed run that everybody may look at."""
    return make(name="To look at")


@pytest.fixture(scope="session")
def swept(asker: Page) -> str:
    """A completed sweep that everybody may look at."""
    config = {**CONFIG, "name": "To look at", "params": {}, "space": {"fast": "5:20:5", "slow": "10:40:10"}}
    sweep_id = str(ask(asker, "sweeps", config)["sweep_id"])
    assert ended(asker, f"sweeps/{sweep_id}") == "completed"
    return sweep_id


@contextmanager
def worker_held(desk: RunningDesk) -> Iterator[None]:
    """The worker stands still meanwhile, so that a run waits for as long as the test looks at it."""
    pid = desk.pid_of("config worker")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def start_from_the_form(looker: Looker) -> None:
    looker.open("/backtests/new/?strategy=sma_cross&symbol=BTC-USD&interval=1m")
    page = looker.page
    expect(page.locator("#plan dl")).to_contain_text("of 1m")
    page.fill("#id_params-fast", "12")
    page.click("#start")
    page.wait_for_url(re.compile(r"/backtests/[0-9a-f]{16}/$"))


def see_it_wait_and_end(looker: Looker, connection: str, desk: RunningDesk) -> None:
    page = looker.page
    with worker_held(desk):
        start_from_the_form(looker)
        expect(page.locator("#progress")).to_contain_text("Waiting for a worker")
        expect(page.locator("#connection")).to_have_text(connection)
        page.evaluate("window.kept = true")
    expect(page.locator("#run")).to_have_attribute("data-status", "completed", timeout=30_000)
    expect(page.locator("#chart")).to_have_attribute("data-ready", re.compile(r"\d+"))
    assert page.evaluate("window.kept"), "the page was loaded anew"
    expect(page.locator(".tile").first).to_contain_text("%")
    assert looker.faults() == {}


def test_a_run_is_followed_over_the_socket_from_the_form_to_its_result(desk_page: Looker, live_desk: RunningDesk) -> None:
    told: list[str] = []
    desk_page.page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: told.append(str(frame))))
    see_it_wait_and_end(desk_page, "Live (WebSocket)", live_desk)
    assert any('"run_finished"' in frame for frame in told)


def test_where_sockets_are_blocked_the_page_polls_and_says_so(desk_page: Looker, live_desk: RunningDesk) -> None:
    desk_page.page.route_web_socket("**/ws/**", lambda socket: socket.close())
    see_it_wait_and_end(desk_page, "Live (polling)", live_desk)


def test_a_sweep_is_followed_over_the_socket_from_the_form_to_its_heat_map(desk_page: Looker, live_desk: RunningDesk) -> None:
    page = desk_page.page
    with worker_held(live_desk):
        desk_page.open("/backtests/sweeps/new/?strategy=sma_cross&symbol=BTC-USD&interval=1m")
        page.fill("#id_space-fast", "5,10")
        page.fill("#id_space-slow", "20:40:10")
        expect(page.locator("#plan")).to_contain_text("6 trials")
        page.click("#start")
        page.wait_for_url(re.compile(r"/backtests/sweeps/[0-9a-f]{16}/$"))
        expect(page.locator("#progress")).to_contain_text("Waiting for a worker")
        expect(page.locator("#connection")).to_have_text("Live (WebSocket)")
        page.evaluate("window.kept = true")
    expect(page.locator("#sweep")).to_have_attribute("data-status", "completed", timeout=30_000)
    expect(page.locator("table.heat td a")).to_have_count(6)
    expect(page.locator("#trials tbody tr")).to_have_count(6)
    assert page.evaluate("window.kept"), "the page was loaded anew"
    assert desk_page.faults() == {}


def test_the_list_follows_runs_without_losing_what_is_ticked(desk_page: Looker, live_desk: RunningDesk, finished: str) -> None:
    with worker_held(live_desk):
        start_from_the_form(desk_page)
        run_id = desk_page.page.url.split("/")[-2]
        desk_page.open("/backtests/")
        page = desk_page.page
        row = page.locator(f"#run-{run_id}")
        expect(row).to_have_attribute("data-status", "queued")
        page.locator(f"#run-{finished} input").check()
        expect(page.locator("#connection")).to_have_text("Live (WebSocket)")
        page.evaluate("window.kept = true")
    expect(row).to_have_attribute("data-status", "completed", timeout=30_000)
    expect(row.locator("input")).to_be_enabled()
    expect(page.locator(f"#run-{finished} input")).to_be_checked()
    expect(page.locator("#compare")).to_have_text("Compare (1)")
    assert page.evaluate("window.kept")


def test_a_waiting_run_is_cancelled_and_retried_from_its_page(desk_page: Looker, live_desk: RunningDesk) -> None:
    page = desk_page.page
    with worker_held(live_desk):
        start_from_the_form(desk_page)
        expect(page.locator("#progress-elapsed")).to_contain_text("s")
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator("#run")).to_have_attribute("data-status", "cancelled")
        expect(page.locator(".outcome")).to_contain_text("Nothing of a result was kept")
        assert desk_page.faults() == {}
        page.get_by_role("button", name="Retry").click()
        expect(page.locator("#run")).to_have_attribute("data-status", "queued")
    expect(page.locator("#run")).to_have_attribute("data-status", "completed", timeout=30_000)


def test_faults_stand_at_their_fields_and_the_first_has_the_focus(desk_page: Looker) -> None:
    desk_page.open("/backtests/new/?strategy=sma_cross&symbol=BTC-USD")
    page = desk_page.page
    page.fill("#id_params-fast", "90")
    page.fill("#id_cash", "-1")
    page.select_option("#id_sizing-kind", "fraction")
    page.fill("#id_sizing-value-fraction", "7")
    page.click("#start")
    expect(page.locator("#id_params-fast")).to_be_focused()
    for field in ("params-fast", "cash", "sizing-value-fraction"):
        expect(page.locator(f"#id_{field}")).to_have_attribute("aria-invalid", "true")
        expect(page.locator(f"#id_{field}-help")).to_have_class("errors")
        expect(page.locator(f"#id_{field}")).to_have_attribute("aria-describedby", f"id_{field}-help")
    expect(page.locator("#id_cash")).to_have_value("-1")
    expect(page.locator("#id_sizing-value-fixed")).to_be_hidden()
    assert desk_page.faults() == {}


def test_another_strategy_brings_its_own_parameters_and_keeps_the_rest(desk_page: Looker) -> None:
    desk_page.open("/backtests/new/?strategy=sma_cross&symbol=BTC-USD")
    page = desk_page.page
    page.fill("#id_cash", "777")
    page.get_by_role("radio", name="RSI reversion").check()
    expect(page.locator("#id_params-oversold")).to_have_value("30.0")
    expect(page.locator("#id_params-fast")).to_have_count(0)
    expect(page.locator(".about-strategy")).to_contain_text("It loses in lasting declines")
    expect(page.locator("#id_cash")).to_have_value("777")
    expect(page.locator("#plan dl")).to_be_visible()


def test_cloning_fills_in_what_was_run(desk_page: Looker, finished: str) -> None:
    desk_page.open(f"/backtests/{finished}/")
    desk_page.page.get_by_role("link", name="Clone and edit").click()
    expect(desk_page.page.locator("#id_name")).to_have_value("To look at")
    expect(desk_page.page.locator("#id_params-slow")).to_have_value("50")
    expect(desk_page.page.get_by_role("checkbox", name="BTC-USD")).to_be_checked()


def test_a_row_of_the_trades_leads_to_its_moment_on_the_chart(desk_page: Looker, finished: str) -> None:
    desk_page.open(f"/backtests/{finished}/")
    page = desk_page.page
    chart = page.locator("#chart")
    expect(chart).to_have_attribute("data-ready", re.compile(r"\d+"))
    link = page.locator("[data-jump]").nth(4)
    entry = page.evaluate("(text) => Date.parse(text) / 1000", link.get_attribute("data-from"))
    link.locator("xpath=ancestor::tr").locator("td").nth(2).click()
    expect(chart).to_have_attribute("data-focused", str(entry))
    expect(chart).to_have_attribute("data-ready", "1")
    expect(page.locator("#chart-note")).to_contain_text("Each bar is one 1m candle")


def test_playback_shows_what_the_api_says(desk_page: Looker, finished: str) -> None:
    desk_page.open(f"/backtests/{finished}/")
    page = desk_page.page
    panel = page.locator("#moment")
    expect(page.locator("#chart")).to_have_attribute("data-ready", re.compile(r"\d+"))
    page.locator("#playback-open").focus()
    page.keyboard.press("Enter")
    expect(panel).to_have_attribute("data-index", re.compile(r"\d+"))
    began = int(panel.get_attribute("data-index") or "")
    for key, steps in (("ArrowRight", 1), ("ArrowLeft", 0), ("ArrowRight", 1), ("ArrowRight", 2)):
        page.keyboard.press(key)
        expect(panel).to_have_attribute("data-index", str(began + steps))
    # The order was made at the first close; the next candle's open filled it.
    expect(panel).to_contain_text("Bought")
    expect(panel).to_contain_text("the strategy asked to be in")
    page.keyboard.press("Shift+ArrowRight")
    expect(panel).to_contain_text("Sold")
    (shown,) = re.findall(r"(\d{4}-\d\d-\d\d \d\d:\d\d) UTC", panel.locator(".when").inner_text())
    state = ask(page, f"backtests/{finished}/playback/state/{shown.replace(' ', 'T')}:00Z")
    assert str(state["index"]) == panel.get_attribute("data-index")
    for name in ("equity", "cash"):
        expect(panel.locator(f".state-{name}")).to_have_text(f"{float(state[name]):,.2f} USD")
    assert state["positions"] == []
    expect(panel).to_contain_text("Nothing is held")
    assert desk_page.faults() == {}


def test_playback_plays_and_pauses(desk_page: Looker, finished: str) -> None:
    desk_page.open(f"/backtests/{finished}/")
    page = desk_page.page
    page.click("#playback-open")
    panel = page.locator("#moment")
    expect(panel).to_have_attribute("data-index", re.compile(r"\d+"))
    began = int(panel.get_attribute("data-index") or "")
    page.select_option("#playback-speed", "60")
    page.click("[data-play=toggle]")
    wait_for(lambda: int(panel.get_attribute("data-index") or "") > began + 150, "playback over a batch's edge")
    page.click("[data-play=toggle]")
    expect(page.locator("[data-play=toggle]")).to_have_attribute("aria-label", "Play")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_runs_are_compared_from_the_list(desk_page: Looker, make: Make, finished: str) -> None:
    others = [make(params={"fast": fast, "slow": 60}) for fast in (5, 20)]
    desk_page.open("/backtests/")
    page = desk_page.page
    for run_id in (finished, *others):
        page.locator(f"#run-{run_id} input").check()
    page.get_by_role("button", name="Compare (3)").click()
    expect(page.locator("#chart")).to_have_attribute("data-ready", "normalised")
    expect(page.locator("thead th.num")).to_have_count(3)
    expect(page.locator(".best-word").first).to_have_text("best")
    page.get_by_role("button", name="Amount").click()
    expect(page.locator("#chart")).to_have_attribute("data-ready", "absolute")
    assert desk_page.faults() == {}


def test_a_comparison_loses_and_gains_a_run_on_the_same_axis(desk_page: Looker, make: Make, finished: str) -> None:
    other, third = make(name="Slower", params={"fast": 20, "slow": 80}), make(name="Faster", params={"fast": 5, "slow": 20})
    desk_page.open(f"/backtests/compare/?runs={finished},{other},{third}")
    page = desk_page.page
    chart, heads = page.locator("#chart"), page.locator("thead th.num")
    expect(heads).to_have_text([re.compile("1. To look at"), re.compile("2. Slower"), re.compile("3. Faster")])
    page.get_by_role("link", name="Remove run 2").click()
    expect(heads).to_have_text([re.compile("1. To look at"), re.compile("2. Faster")])
    expect(chart).to_have_attribute("data-ready", "normalised")
    expect(chart).to_contain_text("Run 2")
    expect(chart).not_to_contain_text("Run 3")
    expect(page.get_by_role("link", name=re.compile("Remove"))).to_have_count(0)
    returns = page.locator("tr", has=page.get_by_role("button", name="Return", exact=True)).locator("td")
    shown = [f"{100 * float(ask(page, f'backtests/{one}')['total_return']):.2f}" for one in (finished, third)]
    for cell, value in zip(returns.all(), shown, strict=True):
        expect(cell).to_contain_text(value.replace("-", "−"))
    page.set_viewport_size(SIZES["phone"])
    assert desk_page.faults() == {}
    page.get_by_label("Run to add").select_option(other)
    page.get_by_role("button", name="Add").click()
    expect(heads).to_have_text([re.compile("1. To look at"), re.compile("2. Faster"), re.compile("3. Slower")])
    expect(chart).to_contain_text("Run 3")
    assert desk_page.faults() == {}


def test_deleting_says_what_is_lost_and_does_it_only_then(desk_page: Looker, make: Make) -> None:
    run_id = make(name="To delete")
    desk_page.open(f"/backtests/{run_id}/")
    page = desk_page.page
    trades = ask(page, f"backtests/{run_id}")["trades"]
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.locator("dialog#delete")
    expect(dialog).to_contain_text(f"{trades:,} trades")
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    assert desk_page.open(f"/backtests/{run_id}/") == 200
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog.get_by_role("button", name=re.compile("Delete the run")).click()
    expect(page.locator(".toast")).to_contain_text("is deleted")
    assert desk_page.open(f"/backtests/{run_id}/") == 404


def test_the_keyboard_is_enough(desk_page: Looker, finished: str) -> None:
    desk_page.open("/backtests/?q=To look at")
    page = desk_page.page
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("To look at")
    expect(page.locator("#chart")).to_have_attribute("data-ready", re.compile(r"\d+"))
    page.locator("#tab-trades").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-refusals")).to_be_focused()
    expect(page.locator("#tab-panel")).to_contain_text("No order was refused")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-panel")).to_contain_text("Costs and activity")


def test_every_page_of_backtests_is_sound(desk_page: Looker, make: Make, finished: str, swept: str) -> None:
    other = make(params={"fast": 7, "slow": 33})
    faults, page = {}, desk_page.page
    for path in (
        "/backtests/",
        "/backtests/?q=nothing-like-it",
        "/backtests/new/",
        f"/backtests/new/?clone={finished}",
        f"/backtests/compare/?runs={finished},{other}",
        "/backtests/sweeps/",
        f"/backtests/sweeps/{swept}/",
    ):
        desk_page.open(path)
        faults[path] = desk_page.faults_everywhere()
    for tab in ("trades", "refusals", "breakdown", "metrics", "settings"):
        desk_page.open(f"/backtests/{finished}/")
        page.click(f"#tab-{tab}")
        expect(page.locator(f"#tab-{tab}")).to_have_attribute("aria-selected", "true")
        page.wait_for_load_state("networkidle")
        faults[tab] = desk_page.faults_everywhere()
    desk_page.open(f"/backtests/{finished}/")
    page.click("#playback-open")
    expect(page.locator("#moment")).to_have_attribute("data-index", re.compile(r"\d+"))
    faults["playback"] = desk_page.faults_everywhere()
    assert {path: found for path, found in faults.items() if found} == {}
