"""An order is ended without the venue's word only where it still stands as it was when that was concluded."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.trading.test_levels import SYMBOL, waiting_bot
from trading.models import Order, OrderStatus
from trading.services.holding import Holding, Market, holding_load
from trading.services.orders import order_end

pytestmark = pytest.mark.django_db


def sent(holding: Holding) -> Order:
    """An order that is on its way to the venue."""
    bot, now = holding.bot, datetime.now(UTC)
    return Order.objects.create(
        order_id="one",
        client_order_id="qd-one-0",
        bot=bot,
        run=holding.run,
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


def test_what_was_taken_for_unsent_is_not_cancelled_once_it_was_sent() -> None:
    """A cancel that saw it pending, and the sender that was quicker: only the venue can say now what becomes of it."""
    holding = holding_load(waiting_bot().pk)
    order = sent(holding)
    market = Market(datetime.now(UTC), {}, "order")
    order_end(holding, order.pk, OrderStatus.PENDING, OrderStatus.CANCELLED, "cancelled before it was sent", market)
    order.refresh_from_db()
    assert order.status == OrderStatus.SUBMITTED
