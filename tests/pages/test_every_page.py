"""Each page, on a desk in light and on a phone in dark: no policy violation, no script error, no barrier, nothing too wide."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.pages.looking import SIZES, Looker
from tests.running import RunningDesk

pytestmark = pytest.mark.browser

PAGES = (
    "/",
    "/search/?q=btc",
    "/market/",
    "/market/?q=nothing-like-it",
    "/market/series/1/",
    "/market/import/",
    "/market/imports/",
    "/backtests/sweeps/new/",
    "/admin/",
    "/admin/market/",
    "/admin/auth/user/",
    "/admin/auth/user/add/",
    "/admin/auth/user/1/change/",
    "/admin/auth/user/1/history/",
    "/admin/auth/user/1/delete/",
    "/admin/password_change/",
    "/admin/market/candleseries/",
    "/wallets/",
    "/admin/wallets/wallet/add/",
    "/admin/wallets/exchangeaccount/add/",
    "/admin/market/instrument/?venue=sandbox",
    "/admin/backtests/backtestrun/",
    "/admin/backtests/backtestrun/add/",
    "/admin/backtests/sweep/",
    "/admin/django_celery_beat/periodictask/",
    "/admin/django_celery_beat/periodictask/add/",
)


@pytest.mark.parametrize(("size", "theme"), [("wide", "light"), ("phone", "dark")])
def test_every_page_is_sound(browser: Browser, live_desk: RunningDesk, signed_in_state: Any, size: str, theme: Any) -> None:
    context = browser.new_context(viewport=SIZES[size], color_scheme=theme, storage_state=signed_in_state)
    looker = Looker(context.new_page(), live_desk.url).watch()
    faults = {}
    for path in PAGES:
        status = looker.open(path)
        found = looker.faults() | ({} if status == 200 else {"status": status})
        if found:
            faults[path] = found
        looker.errors.clear()
    context.close()
    assert faults == {}


def test_what_a_stranger_sees_is_sound(stranger: Looker) -> None:
    assert stranger.open("/sign-in/") == 200
    assert stranger.faults() == {}
    stranger.page.fill("#id_username", "nobody")
    stranger.page.fill("#id_password", "wrong")
    stranger.page.click("main button")
    stranger.page.wait_for_selector("[role=alert]")
    assert stranger.faults() == {}


def test_a_missing_page_is_told_inside_the_frame(desk_page: Looker) -> None:
    assert desk_page.open("/nothing/here/") == 404
    assert "/nothing/here/" in desk_page.page.inner_text("main")
    assert desk_page.page.locator("nav.rail").is_visible()
    assert desk_page.faults() == {}
