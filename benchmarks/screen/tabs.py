"""Tabs without a browser: they open the sockets that the page's script opens, and ask for what it asks for, at its times."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

import aiohttp

from benchmarks.pairs.processes import read_cpu
from benchmarks.screen.desk import ScreenDesk

APART, BAR_APART, POLL_EVERY = 1.0, 2.0, 30.0
"""Seconds, as the scripts have them: between two loads of parts, before one of the bar, and between two polls."""
BAR_CHANGED_BY = frozenset({"open", "prices", "portfolio_update", "fill", "bot_status", "alert"})
"""Where the bar is not sent."""
SETTLE_SECONDS = 3.0
RETRIES = (0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Spent:
    """`cpu` of the web process in seconds; sockets that were `opened` since the beginning; `requests` and bytes `received`."""

    cpu: float
    opened: int
    requests: int
    received: int
    seconds: float
    load: float


@dataclass
class Script:
    """What a page of `Live` tells its script."""

    seq: str
    painted: bool
    listens: dict[str, frozenset[str]]
    """The messages that change a part, by the part's name."""

    @classmethod
    def read(cls, html: str) -> Script:
        parts = dict(re.findall(r'data-part="([\w-]+)" data-on="([^"]*)"', html))
        seq = re.search(r'data-seq="(\d+)"', html)
        assert parts
        assert seq
        root = re.search(r'id="desk"[^>]*', html)
        painted = bool(root and "data-painted" in root[0])
        return cls(seq[1], painted, {name: frozenset(on.split()) for name, on in parts.items()})


@dataclass
class Counted:
    requests: int = 0
    received: int = 0
    opened: int = 0


@dataclass
class Tab:
    session: aiohttp.ClientSession
    url: str
    script: Script
    counted: Counted
    wanted: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)
    loading: asyncio.Task[None] | None = None
    bar: asyncio.Task[None] | None = None
    loaded_at: float = 0.0

    async def live(self) -> None:
        sockets = [self.follow("/ws/live/", self.address())]
        if not self.script.painted:
            sockets.append(self.follow("/ws/market/", "/ws/market/"))
        await self.load_bar()
        await asyncio.gather(*sockets, self.poll())

    def address(self) -> str:
        names = ",".join(["bar", *self.script.listens])
        return f"/ws/live/?{f'parts={names}&' if self.script.painted else ''}since={self.script.seq}"

    async def follow(self, path: str, address: str) -> None:
        """Keeps the socket open: a web server that has too much to do refuses some."""
        for wait in chain(RETRIES, repeat(RETRIES[-1])):
            with suppress(aiohttp.ClientError, OSError):
                await self.follow_once(path, address)
            await asyncio.sleep(wait)

    async def follow_once(self, path: str, address: str) -> None:
        async with self.session.ws_connect(self.url.replace("http", "ws", 1) + address, max_msg_size=0) as channel:
            if path == "/ws/market/":
                await channel.send_json({"action": "subscribe", "symbols": []})
            else:
                self.counted.opened += 1
                self.hear({"type": "open"})
            async for message in channel:
                self.counted.received += len(message.data)
                self.hear(json.loads(message.data))

    def hear(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "part":
            self.sent.add(message["payload"]["name"])
            return
        self.ask(name for name, on in self.script.listens.items() if kind in on and name not in self.sent)
        if not self.script.painted and kind in BAR_CHANGED_BY and (self.bar is None or self.bar.done()):
            self.bar = asyncio.create_task(self.later(0.0 if kind == "prices" else BAR_APART, self.load_bar))

    def ask(self, names: Iterable[str]) -> None:
        self.wanted.update(names)
        if self.wanted and (self.loading is None or self.loading.done()):
            self.loading = asyncio.create_task(self.load_wanted())

    async def load_wanted(self) -> None:
        while self.wanted:
            await asyncio.sleep(max(0.0, self.loaded_at + APART - time.monotonic()))
            names, self.wanted = self.wanted, set()
            self.loaded_at = time.monotonic()
            await self.load_parts(names)

    async def poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_EVERY)
            await asyncio.gather(self.load_bar(), self.load_parts(self.script.listens.keys() - self.sent))

    async def later(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(seconds)
        await work()

    async def load_bar(self) -> None:
        await self.get("/live/bar/")

    async def load_parts(self, names: Iterable[str]) -> None:
        if asked := ",".join(names):
            await self.get(f"/live/?part={asked}")

    async def get(self, path: str) -> None:
        with suppress(aiohttp.ClientError, OSError):
            async with self.session.get(self.url + path, headers={"HX-Request": "true"}) as answer:
                self.counted.received += len(await answer.read())
            self.counted.requests += 1


async def measure_tabs(desk: ScreenDesk, tabs: int, seconds: float) -> Spent:
    """Opens the tabs over as long as they wait between two polls, so that these do not come together, and measures then."""
    counted = Counted()
    cookies, connector = aiohttp.CookieJar(unsafe=True), aiohttp.TCPConnector(limit=0)
    web, timeout = desk.find_web(), aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(cookies=desk.cookies, cookie_jar=cookies, connector=connector, timeout=timeout) as session:
        async with session.get(f"{desk.url}/live/") as answer:
            script = Script.read(await answer.text())
        tasks = []
        for _ in range(tabs):
            tasks.append(asyncio.create_task(Tab(session, desk.url, script, counted).live()))
            await asyncio.sleep(POLL_EVERY / tabs)
        writer = desk.start_writer(int(seconds) + 60, 1.0)
        await asyncio.sleep(SETTLE_SECONDS)
        before, began, cpu = Counted(counted.requests, counted.received), time.monotonic(), read_cpu(web)
        await asyncio.sleep(seconds)
        passed, spent, load = time.monotonic() - began, read_cpu(web) - cpu, os.getloadavg()[0]
        writer.kill()
        writer.communicate()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return Spent(spent, counted.opened, counted.requests - before.requests, counted.received - before.received, passed, load)
