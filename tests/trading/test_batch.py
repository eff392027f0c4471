"""Several rows in one statement."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from core.batch import WriteBatch
from core.models import Event
from tests.trading.live.fixtures import Rows, rows
from trading.models import Bot, BotState, Order, RiskAllocation

__all__ = ["rows"]
pytestmark = pytest.mark.django_db


def unsaved(rows: Rows) -> Order:
    """A valid order that is in no table."""
    made = rows.order(rows.bot())
    Order.objects.filter(pk=made.pk).delete()
    made.pk, made._state.adding = None, True
    return made


def test_rows_of_several_tables_take_one_statement_and_get_their_keys(rows: Rows) -> None:
    order = unsaved(rows)
    whose = {"order": order, "bot": order.bot, "run": order.run, "symbol": order.symbol}
    claim = RiskAllocation(**whose, currency="USD", amount=Decimal(10), open=Decimal(10))
    events = [Event(type="fill", source="test", payload={"number": number}) for number in range(3)]
    batch = WriteBatch()
    batch.insert(order)
    batch.insert(claim, refers={"order": order})
    batch.insert(*events, lock=1)
    with CaptureQueriesContext(connection) as asked:
        assert batch.run() is None
    assert len(asked) == 1
    assert Order.objects.get(pk=order.pk).client_order_id == order.client_order_id
    assert RiskAllocation.objects.get(pk=claim.pk).order_id == order.pk
    assert [Event.objects.get(pk=one.pk).payload for one in events] == [{"number": 0}, {"number": 1}, {"number": 2}]
    assert sorted(one.pk for one in events) == [one.pk for one in events]


def test_a_row_is_written_once_as_it_is_when_the_batch_runs(rows: Rows) -> None:
    order = rows.order(rows.bot())
    batch = WriteBatch()
    batch.update(order, "status_reason")
    order.status_reason = "first"
    batch.update(order, "filled_quantity")
    order.status_reason, order.filled_quantity = "second", Decimal("0.123456789012345678")
    assert batch.run() is None
    order.refresh_from_db()
    assert (order.status_reason, order.filled_quantity) == ("second", Decimal("0.123456789012345678"))


def test_where_somebody_else_has_written_a_row_nothing_is_written(rows: Rows) -> None:
    bot = rows.bot()
    assert bot.run
    BotState.objects.update_or_create(bot=bot, defaults={"run": bot.run, "version": 7, "book": b"theirs"})
    batch = WriteBatch()
    stale = BotState(pk=bot.pk, version=7, book=b"ours")
    batch.update(stale, "version", "book", version=6)
    batch.update(bot, "name")
    batch.insert(Event(type="fill", source="test"), lock=1)
    batch.after.append(lambda: pytest.fail("nothing was committed"))
    bot.name = "ours"
    assert batch.run() is stale
    assert bytes(BotState.objects.get(pk=bot.pk).book) == b"theirs"
    assert not Event.objects.exists()
    assert not Bot.objects.filter(name="ours").exists()


def test_what_does_not_hold_is_told_and_nothing_after_it_is_looked_at(rows: Rows) -> None:
    bot = rows.bot()
    batch = WriteBatch()
    batch.update(bot, "name")
    batch.require("any number", "SELECT 1 WHERE false", (), count=None)
    batch.require("two", "SELECT 1", (), count=2)
    batch.require("never asked", "SELECT 1 / (random() * 0)::int", ())
    assert batch.run() == "two"


def test_an_event_tells_the_key_of_a_row_that_is_inserted_with_it(rows: Rows) -> None:
    order, event = unsaved(rows), Event(type="fill", source="test", payload={"id": None, "side": "buy"})
    batch = WriteBatch()
    batch.insert(order)
    batch.insert(event, tells={0: order}, lock=1)
    assert batch.run() is None
    assert Event.objects.get(pk=event.pk).payload == {"id": order.pk, "side": "buy"}


def test_what_one_table_refuses_is_written_to_none(rows: Rows) -> None:
    order = unsaved(rows)
    order.quantity = Decimal(0)
    batch = WriteBatch()
    batch.insert(Event(type="fill", source="test"))
    batch.insert(order)
    with pytest.raises(IntegrityError), transaction.atomic():
        batch.run()
    assert not Event.objects.exists()


def test_a_batch_of_nothing_asks_nothing() -> None:
    with CaptureQueriesContext(connection) as asked:
        assert WriteBatch().run() is None
    assert not asked.captured_queries
