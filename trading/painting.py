"""Parts of pages that are drawn once for all who look at them, and sent to each. A page with a socket has to ask for nothing."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial

from channels.db import database_sync_to_async
from django.db import DatabaseError

from core.hub import Outbox
from core.sockets import socket_message
from trading.parts import Painted

logger = logging.getLogger(__name__)

NUMBERED = re.compile(r"define-\d+")
"""What differs between two drawings of the same."""
ROW = re.compile(r"<tr\b[^>]*\bdata-key=\"([^\"]+)\".*?</tr>", re.DOTALL)
Drawn = tuple[str, bool]
"""A part, and whether its viewers may trade."""


@dataclass(slots=True)
class Viewer:
    """A page that shows these parts, and what it has of each, as a hash."""

    names: frozenset[str]
    may_trade: bool
    seen: dict[str, int] = field(default_factory=dict)


class Painter:
    """Draws what somebody looks at and what has changed: one part after the other, and those that are urgent beside it. It works
    while it has viewers. A page that has the last drawing of a part gets of the next one the rows that differ."""

    def __init__(self, parts: Mapping[str, Painted]) -> None:
        self.parts = parts
        self.viewers: dict[Outbox, Viewer] = {}
        self.last: dict[Drawn, str] = {}
        self.drawing: dict[str, asyncio.Task[None]] = {}
        self.changed_at: dict[str, float] = {}
        self.drawn_at: dict[str, float] = {}
        self.news = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def admit(self, outbox: Outbox, names: Iterable[str], *, may_trade: bool) -> None:
        """The page gets each of these parts at once, whatever it was drawn with, and then whenever it changes."""
        known = frozenset(names) & self.parts.keys()
        if not known:
            return
        self.viewers[outbox] = Viewer(known, may_trade)
        self.mark(known)
        if self.task is None:
            self.task = asyncio.create_task(self.run(), name="painter")

    def dismiss(self, outbox: Outbox) -> None:
        self.viewers.pop(outbox, None)
        if not self.viewers and self.task is not None:
            self.task.cancel()
            self.task = None

    def renew(self, outbox: Outbox, names: Iterable[str]) -> None:
        """The page cannot use what it was sent of these parts, and gets them whole."""
        if viewer := self.viewers.get(outbox):
            mine = viewer.names & frozenset(names)
            for name in mine:
                viewer.seen.pop(name, None)
            self.mark(mine)

    def note(self, kind: str) -> None:
        """A message of this kind was told."""
        self.mark(name for name, part in self.parts.items() if kind in part.on)

    def mark(self, names: Iterable[str]) -> None:
        now = asyncio.get_running_loop().time()
        for name in names:
            self.changed_at.setdefault(name, now)
        self.news.set()

    async def run(self) -> None:
        while True:
            self.news.clear()
            now, due = asyncio.get_running_loop().time(), self.list_due()
            for name in [name for name, moment in due.items() if moment <= now]:
                if name not in self.drawing and (self.parts[name].urgent or not self.drawing):
                    self.drawing[name] = asyncio.create_task(self.paint(name), name=f"painting {name}")
            with suppress(TimeoutError):
                # One that is due and has to wait its turn gets it by the news that another one is done.
                await asyncio.wait_for(self.news.wait(), min((one - now for one in due.values() if one > now), default=None))

    def list_due(self) -> dict[str, float]:
        """When each part that somebody looks at is to be drawn next, in the order of `parts`."""
        shown = frozenset().union(*(viewer.names for viewer in self.viewers.values()))
        return {name: self.time_of(name) for name in self.parts if name in shown}

    def time_of(self, name: str) -> float:
        part, last = self.parts[name], self.drawn_at.get(name, float("-inf"))
        return min(last + part.often, max(last + part.apart, self.changed_at.get(name, float("inf"))))

    async def paint(self, name: str) -> None:
        """Draws it for each kind of viewer. A fault costs this drawing; pages ask by themselves now and then."""
        self.changed_at.pop(name, None)
        self.drawn_at[name] = asyncio.get_running_loop().time()
        try:
            for may_trade in {viewer.may_trade for viewer in self.viewers.values() if name in viewer.names}:
                draw = partial(self.parts[name].draw, may_trade=may_trade)
                self.send(name, await database_sync_to_async(draw, thread_sensitive=False)(), may_trade)
        except DatabaseError:
            logger.warning("%s is not drawn: the database does not answer", name)
        except Exception:
            logger.exception("%s cannot be drawn", name)
        finally:
            del self.drawing[name]
            self.news.set()

    def send(self, name: str, html: str, may_trade: bool) -> None:
        """To those who do not have it yet."""
        before, self.last[name, may_trade] = self.last.get((name, may_trade), ""), html
        known, drawn = hash_drawing(before), hash_drawing(html)

        @cache
        def write(whole: bool) -> str:
            return socket_message("part", {"name": name, "html": html if whole else leave_out_rows(html, before), "whole": whole})

        for outbox, viewer in self.viewers.items():
            if viewer.may_trade != may_trade or name not in viewer.names or viewer.seen.get(name) == drawn:
                continue
            # What still waits in the outbox is replaced, and so must not be built upon.
            whole = viewer.seen.get(name) != known or outbox.holds(("part", name))
            viewer.seen[name] = drawn
            outbox.put(write(whole), ("part", name))


def hash_drawing(html: str) -> int:
    return hash(NUMBERED.sub("", html))


def leave_out_rows(html: str, before: str) -> str:
    """The drawing with a mark in place of each row that the one before it has to the letter."""
    known = {row[0] for row in ROW.finditer(before)}
    return ROW.sub(lambda row: f'<tr data-key="{row[1]}" data-same></tr>' if row[0] in known else row[0], html)
