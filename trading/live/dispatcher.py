"""What a step has written leaves for the venue: orders are claimed in the bot's thread, and sent and cancelled from the loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from django.db import Error as DatabaseError
from django.db import connection

from core.database_errors import describe_database_error
from market.exchanges.base import OrderRequest
from trading.live.account_pool import AccountPool
from trading.live.background import BackgroundTasks
from trading.live.bot_runner import BotRunner
from trading.live.market_state import MarketState
from trading.live.threads import BOT, LOOP, called_from
from trading.models import Order
from trading.services.step_writer import StepEffects

logger = logging.getLogger(__name__)


@called_from(BOT)
class Dispatcher:
    def __init__(
        self, accounts: AccountPool, market: MarketState, background: BackgroundTasks, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.accounts, self.market, self.background, self.loop = accounts, market, background, loop

    def dispatch(self, runner: BotRunner, effects: StepEffects) -> None:
        if effects.send or effects.cancel:
            requests = self.claim(runner, effects.send)
            self.loop.call_soon_threadsafe(self.send, runner, effects, requests, runner.steps.received)
        if runner.loaded_bot.external and (levels := runner.loaded_bot.trader.levels()) != runner.levels:
            runner.levels = levels
            self.loop.call_soon_threadsafe(self.market.put_levels, runner, levels)

    def claim(self, runner: BotRunner, orders: Sequence[Order]) -> list[OrderRequest | None]:
        """Most were claimed as they were written. The others are claimed here, since another thread would cost a way over the loop.
        What cannot be claimed now is left to the reconciler."""
        account = self.accounts.find(runner.steps.account_id)
        try:
            return [account.executor.claim(order) if account else None for order in orders]
        except DatabaseError as error:
            logger.warning("orders of %s are sent later: %s", runner.loaded_bot.bot.name, describe_database_error(error))
            connection.close()
            return []

    @called_from(LOOP)
    def send(self, runner: BotRunner, effects: StepEffects, requests: Sequence[OrderRequest | None], received: float) -> None:
        """`requests`: of the orders to be sent, in their order; None for one that must not be sent."""
        account = self.accounts.find(runner.steps.account_id)
        if account is None:
            return  # the reconciler sends them once the account is there
        for order, request in zip(effects.send, requests, strict=False):
            if request is not None:
                self.background.spawn(account.executor.deliver(runner, order, request, received))
        for order in effects.send:
            account.balances.set_aside(order)
        for order in effects.cancel:
            self.background.spawn(account.executor.cancel(runner, order))
