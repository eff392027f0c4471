"""The leases of a stream worker: of each venue one worker has the sockets, and its token fences off every earlier holder.

Leases are taken and renewed on the loop. The current one may be read from any thread.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from django.db import Error as DatabaseError

from market.services import stream_hold, stream_release
from trading.live.pools import InThread
from trading.live.threads import ANY, LOOP, called_from
from trading.services.lease import Lease

RENEW_EVERY = 2.0
LOST = -1
"""The token of a lease that was lost: no stream has it."""


@dataclass(frozen=True, slots=True)
class VenueLease:
    """`token` fences: see market.services.stream_hold. `renewed`: monotonic seconds."""

    stream_id: int
    holder: str
    token: int
    renewed: float


@called_from(LOOP)
class Leases:
    def __init__(self, holder: str, in_thread: InThread) -> None:
        self.holder, self.in_thread = holder, in_thread
        self.held: dict[int, VenueLease] = {}
        """By the stream's primary key."""

    async def take(self, stream_id: int) -> bool:
        """Takes or renews the lease on a venue. False where another worker has it, or where it was lost and taken again meanwhile:
        the venue must be left then."""
        held = self.held.get(stream_id)
        if held is not None and time.monotonic() - held.renewed <= RENEW_EVERY:
            return True
        token = await self.ask(stream_id)
        if token is None or (held and token != held.token):
            self.held.pop(stream_id, None)
            return False
        self.note(stream_id, token)
        return True

    async def ask(self, stream_id: int) -> int | None:
        return await self.in_thread(partial(stream_hold, stream_id=stream_id, holder=self.holder))

    def note(self, stream_id: int, token: int) -> None:
        self.held[stream_id] = VenueLease(stream_id, self.holder, token, time.monotonic())

    async def keep(self) -> None:
        """Renews for ever, however long the worker takes for one round: loading many bots takes longer than a lease lasts. One that
        was lost is left as it is; the next round sees that, and leaves the venue."""
        while True:
            await asyncio.sleep(RENEW_EVERY)
            for stream_id, held in list(self.held.items()):
                with suppress(DatabaseError):
                    token = await self.ask(stream_id)
                    if token is not None and token == held.token and self.held.get(stream_id) is held:
                        self.note(stream_id, token)

    @called_from(*ANY)
    def find(self, stream_id: int) -> Lease:
        """The present lease, by which orders are sent; one of no force where it was lost."""
        held = self.held.get(stream_id)
        return Lease(stream_id, held.holder, held.token) if held else Lease(stream_id, self.holder, LOST)

    async def release_all(self) -> None:
        for stream_id in list(self.held):
            with suppress(DatabaseError):
                await self.in_thread(partial(stream_release, stream_id=stream_id, holder=self.holder))
