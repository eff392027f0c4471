"""Without a report from the venue, an order ends only if it has not changed since that was decided."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.trading.live.test_levels import SYMBOL, waiting_bot
from trading.models import Order, OrderStatus
from trading.services.bot_loading import bot_load
from trading.services.bots import bot_start, bot_stop
from trading.services.loaded_bot import LoadedBot, MarketNow
from trading.services.orders import order_end
from trading.services.runs import run_end

pytestmark = pytest.mark.django_db


def sent(loaded_bot: LoadedBot, name: str = "one") -> Order:
    """An order that is on its way to the venue."""
    bot, now = loaded_bot.bot, datetime.now(UTC)
    return Order.objects.create(
        order_id=name,
        client_order_id=f"qd-{name}-0",
        bot=bot,
        run=loaded_bot.run,
        wallet=bot.wallet,
        number=0,
        mode=bot.mode,
        venue=bot.venue,
        symbol=SYMBOL,
        side="buy",
        type="market",
        quantity=Decimal(1),
        status=OrderStatus.SUBMITTED,
        decided_at=now,
        submitted_at=now,
    )


def nothing() -> MarketNow:
    return MarketNow(datetime.now(UTC), {}, "order")


def test_what_was_taken_for_unsent_is_not_cancelled_once_it_was_sent() -> None:
    """A cancel that saw it pending, and the sender that was quicker: only the venue can say now what becomes of it."""
    loaded_bot = bot_load(waiting_bot().pk)
    order = sent(loaded_bot)
    order_end(loaded_bot, order.pk, OrderStatus.PENDING, OrderStatus.CANCELLED, "cancelled before it was sent", nothing())
    order.refresh_from_db()
    assert order.status == OrderStatus.SUBMITTED


def test_an_order_of_an_earlier_run_takes_none_of_this_run_with_it() -> None:
    """Each run counts from nothing: both have an order of that number."""
    bot = waiting_bot()
    before = sent(bot_load(bot.pk))
    bot_stop(bot_id=bot.bot_id)
    run_end(before.run, "stopped")
    bot_start(bot_id=bot.bot_id)
    loaded_bot = bot_load(bot.pk)
    assert loaded_bot.run != before.run
    now = sent(loaded_bot, "two")
    loaded_bot = bot_load(bot.pk)
    order_end(loaded_bot, before.pk, OrderStatus.SUBMITTED, OrderStatus.REJECTED, "it never reached the venue", nothing())
    assert loaded_bot.orders == {0: now.pk}
    order_end(loaded_bot, now.pk, OrderStatus.SUBMITTED, OrderStatus.REJECTED, "it never reached the venue", nothing())
    assert loaded_bot.orders == {}
