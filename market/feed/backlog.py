"""Between a socket that never waits and a handler that may be slow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass

from market.exchanges.base import Candle, Depth, MarketEvent, Tick


@dataclass(slots=True, eq=False)
class Slot:
    event: MarketEvent
    key: Hashable


class Backlog:
    """A newer tick takes the place of an older one of its symbol that still waits, and so do depth and growing candles. So the
    backlog is never longer than what is wanted, except for closed candles and gaps, which are all kept. A tick that came after a
    closed candle stays after it."""

    def __init__(self) -> None:
        self.coalesced = 0
        self._waiting: deque[Slot] = deque()
        self._newest: dict[Hashable, Slot] = {}
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, event: MarketEvent) -> None:
        key = _slot_key(event)
        if key is not None and (slot := self._newest.get(key)):
            slot.event = event
            self.coalesced += 1
            return
        slot = Slot(event, key)
        self._waiting.append(slot)
        if key is not None:
            self._newest[key] = slot
        elif isinstance(event, Candle):
            for other in (("tick", event.symbol), ("candle", event.symbol, event.interval)):
                self._newest.pop(other, None)
        self._filled.set()

    async def get(self) -> MarketEvent:
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        slot = self._waiting.popleft()
        if self._newest.get(slot.key) is slot:
            del self._newest[slot.key]
        return slot.event


def _slot_key(event: MarketEvent) -> Hashable | None:
    """What a newer event replaces: two events with one key are the same thing at two times. None if nothing replaces it."""
    if isinstance(event, Tick | Depth):
        return (event.kind, event.symbol)
    if isinstance(event, Candle) and not event.closed:
        return (event.kind, event.symbol, event.interval)
    return None
