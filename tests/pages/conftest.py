from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.pages.looking import Looker
from tests.running import RunningDesk

PATIENCE = 20_000
"""Milliseconds that a page has to come to what is expected of it, on a busy machine."""
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def signed_in_state(browser: Browser, live_desk: RunningDesk) -> Any:
    """Cookies of the administrator, so that tests need not sign in one by one."""
    context = browser.new_context()
    Looker(context.new_page(), live_desk.url).sign_in()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def desk_page(context: BrowserContext, live_desk: RunningDesk, signed_in_state: Any) -> Looker:
    """The administrator's page."""
    context.add_cookies(signed_in_state["cookies"])
    return Looker(context.new_page(), live_desk.url).watch()


@pytest.fixture
def stranger(page: Page, live_desk: RunningDesk) -> Looker:
    """A page of nobody who is signed in."""
    return Looker(page, live_desk.url).watch()
