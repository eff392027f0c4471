"""`/ws/live/`: every event of the running desk, once, in order, without a hole."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs

import orjson
from channels.db import database_sync_to_async

from core import events
from core.hub import Hub
from core.models import Event
from core.sockets import UNUSABLE, Refusal, Socket, socket_message
from trading import selectors

REPLAYED = 1_000
"""Events that are sent again after a break; who has missed more loads afresh."""
AT_ONCE = 500
LOOK_EVERY = 1.0
"""Least seconds between two looks at whether prices come."""


class LiveHub(Hub):
    """Hears events as they are pushed, and looks up those that it did not hear: rows are the truth, and their ids grow in the order
    of commits. `last` is the newest that every client has."""

    group = "live"
    last = 0
    prices = selectors.Prices()
    looked_at = 0.0

    async def begin(self) -> None:
        self.last = await database_sync_to_async(events.last_seq)()
        self.prices = await database_sync_to_async(selectors.prices_state)()

    async def on_push(self, kind: str, payload: dict[str, Any]) -> None:
        seq = payload["seq"]
        if seq is not None and seq > self.last + 1:
            await self.catch_up(seq)
        if seq is None or seq > self.last:
            self.tell(payload)
        await self.look_at_prices()

    async def on_silence(self) -> None:
        await self.catch_up()
        await self.look_at_prices()

    async def catch_up(self, upto: int | None = None) -> None:
        full = True
        while full:
            rows: list[Event] = await database_sync_to_async(events.events_between)(self.last, upto, limit=AT_ONCE)
            for event in rows:
                self.tell(events.event_message(event))
            full = len(rows) == AT_ONCE

    async def look_at_prices(self) -> None:
        """Who brings prices cannot tell that they have stopped; hence we look, and tell what has changed."""
        if time.monotonic() - self.looked_at < LOOK_EVERY:
            return
        self.looked_at = time.monotonic()
        before, self.prices = self.prices, await database_sync_to_async(selectors.prices_state)()
        if self.prices.stale != before.stale:
            text = socket_message("prices", selectors.prices_json(self.prices))
            for outbox in self.clients:
                outbox.put(text)

    def tell(self, told: dict[str, Any]) -> None:
        text = orjson.dumps(told).decode()
        self.last = told["seq"] or self.last
        for outbox in self.clients:
            outbox.put(text)


class LiveConsumer(Socket):
    """Without `?since=SEQ`: `hello`, whose `seq` is where to go on from, then what happens. With it: first what happened since."""

    channel = "live"

    async def begin(self) -> list[str]:
        since = since_of(self.scope)
        self.hub = LiveHub.here()
        await self.hub.join(self.outbox)
        # No await between these two: what is at or under `upto` comes from the rows, what is above it through the outbox.
        upto = self.hub.last
        self.outbox.waiting.clear()
        if since is None:
            return [socket_message("hello", {}, seq=upto)]
        missed: list[Event] = await database_sync_to_async(events.events_between)(since, upto, limit=REPLAYED + 1)
        if since > upto or len(missed) > REPLAYED:
            return [socket_message("reset", {}, seq=upto)]
        return [orjson.dumps(events.event_message(event)).decode() for event in missed]

    def end(self) -> None:
        LiveHub.here().leave(self.outbox)


def since_of(scope: dict[str, Any]) -> int | None:
    """The number in the address; None where there is none."""
    given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("since", [""])[-1]
    if not given:
        return None
    if not given.isdecimal() or len(given) > 18:
        raise Refusal(UNUSABLE)
    return int(given)
