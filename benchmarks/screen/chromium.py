"""*Live* in a real browser: what it asks for, and when a fill's row is on the screen."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field

from playwright.sync_api import Page, sync_playwright

from benchmarks.screen.desk import ScreenDesk, read_lines

QUIET_SECONDS = 3.0
"""For what a page asks for at first, and for the last row."""
WATCH = """
window.shown = {};
const note = (row) => {
  const key = row.dataset.key;
  if (key in shown) return;
  shown[key] = 0;
  // The callback runs before its frame is painted, a task after it runs when that is done.
  requestAnimationFrame(() => setTimeout(() => { shown[key] = Date.now() / 1000; }));
};
new MutationObserver(() => document.querySelectorAll("#part-fills tr[data-key]").forEach(note))
  .observe(document.getElementById("desk"), { childList: true, subtree: true });
"""


@dataclass
class Watched:
    """`delays` in ms, of those fills that came on the screen."""

    written: int
    requests: int
    seconds: float
    load: float
    delays: list[float] = field(default_factory=list)


def watch_fills(desk: ScreenDesk, count: int, pace: float) -> Watched:
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path="/usr/bin/chromium")
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": name, "value": value, "url": desk.url} for name, value in desk.cookies.items()])
        page, asked = context.new_page(), []
        page.goto(f"{desk.url}/live/", wait_until="load")
        page.wait_for_timeout(QUIET_SECONDS * 1e3)
        page.on("request", lambda request: asked.append(request.url))
        page.evaluate(WATCH)
        found = follow_writer(desk, page, count, pace)
        found.requests = len(asked)
        browser.close()
    return found


def follow_writer(desk: ScreenDesk, page: Page, count: int, pace: float) -> Watched:
    began, writer = time.monotonic(), desk.start_writer(count, pace)
    while writer.poll() is None:
        page.wait_for_timeout(1e3)
    page.wait_for_timeout(QUIET_SECONDS * 1e3)
    seconds, shown, lines = time.monotonic() - began, page.evaluate("window.shown"), read_lines(writer)
    delays = [(shown[line["key"]] - line["pushed"]) * 1e3 for line in lines if shown.get(line["key"])]
    return Watched(len(lines), 0, seconds, os.getloadavg()[0], delays)
