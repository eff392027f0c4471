"""A report without news costs nothing, and a report with news is never taken for one without."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.transitions import LEGAL, advance_status
from market.exchanges.base import Execution, Report
from tests.trading.live.test_levels import SYMBOL, waiting_bot
from tests.trading.test_ends import sent
from trading.models import Fill, Order, OrderStatus
from trading.services.bot_loading import bot_load
from trading.services.heard_reports import HeardReport
from trading.services.loaded_bot import LoadedBot, MarketNow
from trading.services.orders import order_end, report_apply

NOW = datetime(2026, 1, 1, tzinfo=UTC)
QUANTITY = Decimal(1)


def report(order_id: str, status: str, filled: str = "0", *executions: Execution, venue_order_id: str = "v1") -> Report:
    return Report(
        venue="binance",
        symbol=SYMBOL,
        client_order_id=order_id,
        venue_order_id=venue_order_id,
        side="buy",
        type="market",
        status=status,  # type: ignore[arg-type]
        quantity=QUANTITY,
        filled=Decimal(filled),
        executions=executions,
        time=NOW,
    )


def execution(trade_id: str, quantity: str) -> Execution:
    return Execution(trade_id, Decimal(10), Decimal(quantity), Decimal(0), "BTC", maker=False, time=NOW)


@given(
    before=st.sampled_from(sorted(LEGAL)),
    told=st.sampled_from(sorted(LEGAL)),
    had=st.integers(0, 3),
    filled=st.integers(0, 3),
    named=st.booleans(),
)
def test_what_is_skipped_would_have_changed_nothing(before: str, told: str, had: int, filled: int, named: bool) -> None:
    """Against the rule that the rows are written by: `report_apply`."""
    heard = HeardReport(before, Decimal(3), Decimal(had), "v1" if named else "")
    given_report = report("qd-a-1", told, str(filled))
    if not heard.is_news(given_report):
        assert filled <= had
        assert named
        assert advance_status(before, told, complete=had >= 3) == before


def apply(loaded_bot: LoadedBot, told: Report) -> None:
    report_apply(loaded_bot, told, MarketNow(NOW, {}, "report"))


@pytest.mark.django_db
def test_the_second_telling_is_known_and_the_next_fill_is_not() -> None:
    loaded_bot = bot_load(waiting_bot().pk)
    order = sent(loaded_bot)
    Order.objects.filter(pk=order.pk).update(number=-1)  # in the books only: the engine has no such order
    first = report(order.client_order_id, "partially_filled", "0.4", execution("t1", "0.4"))
    assert loaded_bot.is_news(first)
    apply(loaded_bot, first)
    assert not loaded_bot.is_news(first)
    assert not loaded_bot.is_news(report(order.client_order_id, "accepted"))
    assert loaded_bot.filled_quantity(order.client_order_id) == Decimal("0.4")
    second = report(order.client_order_id, "filled", "1", execution("t2", "0.6"))
    assert loaded_bot.is_news(second)
    apply(loaded_bot, second)
    assert not loaded_bot.is_news(second)
    assert not loaded_bot.is_news(first)
    assert Fill.objects.count() == 2


@pytest.mark.django_db
def test_an_order_that_was_ended_without_the_venue_is_heard_anew() -> None:
    loaded_bot = bot_load(waiting_bot().pk)
    order = sent(loaded_bot)
    Order.objects.filter(pk=order.pk).update(number=-1)
    told = report(order.client_order_id, "accepted")
    apply(loaded_bot, told)
    assert not loaded_bot.is_news(told)
    order_end(loaded_bot, order.pk, OrderStatus.ACCEPTED, OrderStatus.CANCELLED, "on request", MarketNow(NOW, {}, "order"))
    assert loaded_bot.is_news(told)
