"""`/ws/live/`: sends every event of the running desk, once, in order and without a gap; and to pages, what has changed on them."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

import orjson
from channels.db import database_sync_to_async

from access.scopes import scopes_of
from core import events
from core.hub import Hub
from core.models import Event
from core.sockets import UNUSABLE, Refusal, Socket, socket_message
from trading import selectors
from trading.painting import Painter
from trading.parts import PAINTED

REPLAYED = 1_000
"""Events that are sent again after a break; a client that has missed more loads the page again."""
AT_ONCE = 500
CHECK_EVERY = 1.0
"""Seconds that pass at least between two checks whether prices come in."""
VALUED_EVERY = 5.0
"""Seconds between two looks at what the desk is worth."""


class LiveHub(Hub):
    """Passes on events as they are pushed, and reads those whose push was lost from the rows: these are the truth, and their ids
    grow in the order of commits. `last` is the newest event that every client has."""

    group = "live"
    last = 0
    prices = selectors.Prices()
    checked_at = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.painter = Painter(PAINTED)
        self.portfolio: dict[str, Any] = {}
        self.valuing: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        self.last = await database_sync_to_async(events.last_seq)()
        self.prices = await database_sync_to_async(selectors.prices_state)()
        self.valuing = asyncio.create_task(self.keep_valuing(), name="valuing")

    def leave(self, client: Any) -> None:
        self.painter.dismiss(client)
        super().leave(client)
        if not self.clients and self.valuing is not None:
            self.valuing.cancel()
            self.valuing = None

    async def on_push(self, kind: str, payload: dict[str, Any]) -> None:
        seq = payload["seq"]
        if seq is not None and seq > self.last + 1:
            await self.catch_up(seq)
        if seq is None or seq > self.last:
            self.send(payload)
        await self.check_prices()

    async def on_silence(self) -> None:
        await self.catch_up()
        await self.check_prices()

    async def catch_up(self, upto: int | None = None) -> None:
        full = True
        while full:
            rows: list[Event] = await database_sync_to_async(events.events_between)(self.last, upto, limit=AT_ONCE)
            for event in rows:
                self.send(events.event_message(event))
            full = len(rows) == AT_ONCE

    async def check_prices(self) -> None:
        """The process that brings prices cannot say that it has stopped, so we check, and send what has changed."""
        if time.monotonic() - self.checked_at < CHECK_EVERY:
            return
        self.checked_at = time.monotonic()
        before, self.prices = self.prices, await database_sync_to_async(selectors.prices_state)()
        if self.prices.stale != before.stale:
            self.tell("prices", selectors.prices_json(self.prices))

    async def keep_valuing(self) -> None:
        """What the desk is worth moves with prices, of which no event tells."""
        while True:
            await self._guard(self.tell_portfolio())
            await asyncio.sleep(VALUED_EVERY)

    async def tell_portfolio(self) -> None:
        """Sends `portfolio_update` where anything but the time has changed."""
        found = await database_sync_to_async(value_desk, thread_sensitive=False)()
        before, self.portfolio = self.portfolio, {**found, "at": None}
        if before and self.portfolio != before:
            self.tell("portfolio_update", found)

    def tell(self, kind: str, payload: dict[str, Any]) -> None:
        """To everyone, what is no event."""
        self.put_all(kind, socket_message(kind, payload))

    def send(self, event: dict[str, Any]) -> None:
        self.last = event["seq"] or self.last
        self.put_all(event["type"], orjson.dumps(event).decode())

    def put_all(self, kind: str, text: str) -> None:
        for outbox in self.clients:
            outbox.put(text)
        self.painter.note(kind)


def value_desk() -> dict[str, Any]:
    return selectors.portfolio_json(selectors.desk_portfolio())


class LiveConsumer(Socket):
    """Without `?since=SEQ`: `hello`, whose `seq` is where to go on from, then what happens. With it: first what happened since.
    `?parts=NAME,NAME` is for the desk's own pages: they get these parts drawn, at first and whenever one has changed."""

    channel = "live"

    async def begin(self) -> list[str]:
        since, parts = read_since(self.scope), read_words(self.scope, "parts")
        may_trade = bool(parts) and await database_sync_to_async(shows_actions)(self.scope)
        self.hub = LiveHub.here()
        await self.hub.join(self.outbox)
        # No await between these two: what is at or under `upto` comes from the rows, what is above it through the outbox.
        upto = self.hub.last
        self.outbox.waiting.clear()
        self.hub.painter.admit(self.outbox, parts, may_trade=may_trade)
        if since is None:
            return [socket_message("hello", {}, seq=upto)]
        missed: list[Event] = await database_sync_to_async(events.events_between)(since, upto, limit=REPLAYED + 1)
        if since > upto or len(missed) > REPLAYED:
            return [socket_message("reset", {}, seq=upto)]
        return [orjson.dumps(events.event_message(event)).decode() for event in missed]

    async def on_request(self, text: str) -> None:
        """A page that cannot use what it was sent asks for parts whole: `{"whole": [NAME, NAME]}`. Nothing else is understood."""
        with suppress(orjson.JSONDecodeError, TypeError, KeyError):
            self.hub.painter.renew(self.outbox, map(str, orjson.loads(text)["whole"]))

    def end(self) -> None:
        LiveHub.here().leave(self.outbox)


def shows_actions(scope: dict[str, Any]) -> bool:
    """Whether the person's pages have buttons that trade. What may be done is asked again where it is done."""
    return not scope.get("auth") and "trade" in scopes_of(scope["user"])


def read_words(scope: dict[str, Any], name: str) -> list[str]:
    """The words in the address, with commas between."""
    given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get(name, [""])[-1]
    return [word for word in given.split(",") if word]


def read_since(scope: dict[str, Any]) -> int | None:
    """The number in the address; None where there is none."""
    given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("since", [""])[-1]
    if not given:
        return None
    if not given.isdecimal() or len(given) > 18:
        raise Refusal(UNUSABLE)
    return int(given)
