from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.urls import get_resolver
from playwright.sync_api import Browser, BrowserContext, Page, expect

from operations.embedded.layout import VarFolder
from tests.pages.addresses import COMPILED_WITHIN, NOBODY, Rows, list_routes
from tests.pages.looking import Looker
from tests.running import RunningDesk, wait_for

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


@pytest.fixture(scope="session")
def addresses(live_desk: RunningDesk) -> list[str]:
    """Of a desk on which a run is completed and a bot has traded."""
    with psycopg.connect(VarFolder(live_desk.var).database_url, autocommit=True) as database:
        rows = Rows(database)
        there = lambda: NOBODY not in (rows.find("run_id", ""), rows.find("order_id", ""))  # noqa: E731
        wait_for(there, "a run and an order", COMPILED_WITHIN)
        return sorted({rows.fill_in(route) for route in list_routes(get_resolver().url_patterns)})
