"""Fees that could not be valued when they were booked are looked at again, once a minute, for every bot of a venue, running or not.

Everything is called on the loop but `value_fees`, which is called in the bot's thread.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from django.db import Error as DatabaseError

from core.database_errors import describe_database_error
from core.errors import DomainError
from trading.live.bot_runner import BotRunner
from trading.live.pools import InThread
from trading.live.running_bots import RunningBots
from trading.live.threads import BOT, LOOP, called_from
from trading.services.late_fees import bots_with_unvalued_fees, fees_value
from trading.services.step_writer import StepEffects

logger = logging.getLogger(__name__)

LOOK_EVERY = 60.0


@called_from(LOOP)
class FeeWatch:
    def __init__(self, key: str, bots: RunningBots, in_thread: InThread) -> None:
        """`key`: the venue's."""
        self.key, self.bots, self.in_thread = key, bots, in_thread

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.look()
            except DatabaseError as error:
                logger.warning("fees at %s are valued later: %s", self.key, describe_database_error(error))

    async def look(self) -> None:
        for bot_id in await self.in_thread(partial(bots_with_unvalued_fees, self.key)):
            try:
                runner = await self.bots.fetch(bot_id)
            except DomainError as error:
                logger.info("the fees of bot %s are valued later: %s", bot_id, error)
            else:
                runner.submit(partial(value_fees, runner))


@called_from(BOT)
def value_fees(runner: BotRunner) -> StepEffects:
    return fees_value(runner.loaded_bot, runner.steps.describe_market("fees:late"))
