"""What all pages share, in a browser: sign-in, theme, keyboard, search, definitions, and failed requests."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from tests.pages.looking import Looker
from tests.running import PASSWORD

pytestmark = pytest.mark.browser


def test_signing_in_leads_to_the_page_that_was_asked_for(stranger: Looker) -> None:
    stranger.open("/market/?q=btc")
    assert "/sign-in/" in stranger.page.url
    stranger.page.fill("#id_username", "admin")
    stranger.page.fill("#id_password", PASSWORD)
    stranger.page.keyboard.press("Enter")
    expect(stranger.page).to_have_url(f"{stranger.url}/market/?q=btc")


def test_the_theme_is_switched_and_the_server_remembers_it(desk_page: Looker) -> None:
    desk_page.open("/market/")
    page = desk_page.page
    for theme in ("light", "dark"):
        page.click("#theme")
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
    dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    # The very first bytes of the next page say it: there is no flash of the other theme.
    assert '<html lang="en" data-theme="dark">' in page.request.get(f"{desk_page.url}/admin/").text()
    desk_page.open("/admin/")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == dark
    page.click("#theme")
    assert page.get_attribute("html", "data-theme") is None


def test_a_person_walks_the_desk_by_keyboard_alone(desk_page: Looker) -> None:
    desk_page.open("/")
    page = desk_page.page
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url(f"{desk_page.url}/market/")  # its scripts have run then, unlike when only its address is there
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/market/series/\d+/$"))


def test_search_is_reached_used_and_left_by_keyboard(desk_page: Looker) -> None:
    desk_page.open("/")
    page = desk_page.page
    page.keyboard.press("/")
    expect(page.locator("#search-input")).to_be_focused()
    page.keyboard.type("sol/usd")
    expect(page.locator("#search-results a").first).to_contain_text("Three symbols share the cash")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#search-results a").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Three symbols share the cash")


def test_every_control_shows_its_focus(desk_page: Looker) -> None:
    desk_page.open("/market/")
    page = desk_page.page
    for _ in range(20):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            "(() => { const look = getComputedStyle(document.activeElement);"
            " return document.activeElement === document.body || look.outlineStyle !== 'none' || look.backgroundColor; })()"
        )
        assert seen


def test_a_definition_shows_on_focus_and_touch_and_leaves_on_escape(desk_page: Looker) -> None:
    desk_page.open("/")
    page = desk_page.page
    term = page.locator(".define button").first
    tip = page.locator(f"#{term.get_attribute('aria-describedby')}")
    expect(tip).to_be_hidden()
    term.focus()
    expect(tip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    term.hover()
    expect(tip).to_be_visible()


@pytest.mark.parametrize(
    ("status", "words"),
    [(500, "The server failed"), (404, "does not exist any more"), (429, "Too many requests"), (503, "not ready")],
)
def test_a_failed_request_is_told(desk_page: Looker, status: int, words: str) -> None:
    desk_page.open("/market/")
    desk_page.page.route("**/search/**", lambda route: route.fulfill(status=status, body="<h1>no</h1>"))
    desk_page.page.fill("#search-input", "x")
    expect(desk_page.page.locator("#toasts .toast.bad")).to_contain_text(words)


def test_a_server_that_cannot_be_reached_is_told(desk_page: Looker) -> None:
    desk_page.open("/market/")
    desk_page.page.route("**/search/**", lambda route: route.abort())
    desk_page.page.fill("#search-input", "x")
    toast = desk_page.page.locator("#toasts .toast.bad")
    expect(toast).to_contain_text("cannot be reached")
    toast.locator("[data-dismiss]").click()
    expect(toast).to_have_count(0)


def test_a_page_that_refreshes_itself_says_how_fresh_it_is(desk_page: Looker) -> None:
    page = desk_page.page
    page.clock.install()
    desk_page.open("/")
    page.clock.fast_forward(16_000)
    expect(page.locator("#connection")).to_have_text("Live (polling)")
    page.context.set_offline(True)
    page.clock.fast_forward(16_000)
    expect(page.locator("#connection")).to_contain_text("Not connected, as of")
    expect(page.locator("#toasts .toast")).to_have_count(0)


def test_a_refusal_by_the_desk_is_told_in_its_own_words(desk_page: Looker) -> None:
    desk_page.open("/market/series/1/")
    desk_page.page.evaluate("htmx.ajax('GET', '/market/series/999999/', {target: '#main', swap: 'beforeend'}).catch(() => {})")
    expect(desk_page.page.locator("#toasts .toast.bad")).to_contain_text("There is no such series")


def test_a_slow_request_shows_that_it_is_under_way(desk_page: Looker) -> None:
    desk_page.open("/market/")
    page = desk_page.page
    held: list[Route] = []
    page.route("**/search/**", lambda route: held.append(route))
    page.fill("#search-input", "x")
    expect(page.locator("#busy.on")).to_have_count(1)
    for route in held:
        route.fulfill(body="")
    expect(page.locator("#busy.on")).to_have_count(0)


def test_a_viewer_is_shown_no_admin_and_no_way_to_change_things(desk_page: Looker, stranger: Looker) -> None:
    """Made through the admin's own form, which thereby is walked too."""
    desk_page.open("/admin/auth/user/add/")
    admin = desk_page.page
    admin.fill("#id_username", "looker")
    for name in ("password1", "password2"):
        admin.fill(f"#id_{name}", "plain sight 99")
    admin.click("[name=_save]")
    expect(admin.locator(".note.ok")).to_contain_text("looker")
    stranger.page.context.clear_cookies()
    stranger.sign_in("looker", "plain sight 99")
    stranger.open("/market/")
    assert "Import candles" not in stranger.page.inner_text("body")
    assert "Admin" not in stranger.page.inner_text("nav.rail")
    assert stranger.open("/market/import/") == 403
    assert stranger.open("/admin/") == 403
    assert stranger.page.inner_text("h1") == "Not allowed"
