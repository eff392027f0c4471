"""A venue's clock beside ours, measured again every few minutes: signatures use it, and an alert says when they are apart.

Measured on the loop; the outcome is written in a database thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from django.db import Error as DatabaseError

from core.database_errors import describe_database_error
from core.events import News, events_record
from market.clocks import MOST_APART, clock_put
from market.exchanges.base import Exchange, ExchangeError
from trading import metrics
from trading.live.threads import DESK, LOOP, called_from

logger = logging.getLogger(__name__)

MEASURE_EVERY, AGAIN = 300.0, 30.0


@called_from(LOOP)
class VenueClock:
    def __init__(self, exchange: Exchange, key: str, whose: str, in_thread: Callable[..., Awaitable[Any]]) -> None:
        """`key`: the venue's. `whose`: who measures, for people."""
        self.exchange, self.key, self.whose, self.in_thread = exchange, key, whose, in_thread
        self.apart = False

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                await self.measure()
                wait = MEASURE_EVERY
            except ExchangeError as error:
                logger.info("the clock of %s is measured later: %s", self.key, error)
                wait = AGAIN
            except DatabaseError as error:
                logger.info("the clock of %s is measured later: %s", self.key, describe_database_error(error))
                wait = AGAIN
            await asyncio.sleep(wait)

    async def measure(self) -> None:
        offset = await self.exchange.clock_offset()
        metrics.clock_offset.labels(self.key).set(offset)
        await self.in_thread(self.note_offset, offset)

    @called_from(DESK)
    def note_offset(self, offset: float) -> None:
        """`offset`: seconds by which the venue's clock is ahead of ours. An alert each time that the clocks part, not as long as
        they are apart."""
        clock_put(key=self.key, offset=offset)
        before, self.apart = self.apart, abs(offset) > MOST_APART
        if self.apart and not before:
            message = (
                f"Our clock is {abs(offset):.1f} s {'behind' if offset > 0 else 'ahead of'} that of {self.key} ({self.whose}). "
                "Set this machine by a time server (NTP): the venue refuses orders that are stamped wrongly."
            )
            events_record([News("alert", "clock", {"message": message, "venue": self.key, "offset_s": round(offset, 3)})])
