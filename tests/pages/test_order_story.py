"""The page of an order says what the order was for, what became of it and by whom, and not what never happened."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from core.models import Event
from tests.trading.live.fixtures import Rows, rows
from trading.models import Order, RiskAllocation
from trading.services.bots import bot_stop, kill_switch_set
from trading.services.order_rows import order_payload
from trading.services.orders import order_cancel_request
from trading.views.order_story import tell_story
from trading.views.words import event_words, steps_of, trigger_words

__all__ = ["rows"]
pytestmark = [pytest.mark.django_db, pytest.mark.services]
PROFIT: dict[str, Any] = {"side": "sell", "type": "limit", "limit": Decimal("65663.43"), "reason": "take_profit"}


def cancel(order: Order, **given: Any) -> Order:
    """What the venue says of it is what Coinbase says of every order that we cancel there."""
    fields = {
        "status": "cancelled",
        "closed_at": timezone.now(),
        "cancel_requested": True,
        "status_reason": "User requested cancel",
    }
    for name, value in {**fields, **given}.items():
        setattr(order, name, value)
    order.save()
    return order


@pytest.fixture
def order(rows: Rows) -> Order:
    return rows.order(rows.bot(), status="accepted", correlation_id="abc", **PROFIT)


@pytest.fixture
def ada() -> User:
    return User.objects.create_superuser("ada")


def shown(client: Client, order: Order) -> str:
    page = client.get(f"/orders/{order.order_id}/").content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_what_stands_at_a_price_has_not_come_about(order: Order) -> None:
    assert tell_story(order).purpose == "it sells when the price rises to the take-profit"
    order.filled_quantity = Decimal("0.001")
    assert tell_story(order).purpose == ""


def test_a_bot_replaced_it(rows: Rows, order: Order, client: Client, ada: User) -> None:
    client.force_login(ada)
    cancel(order)
    alone = tell_story(order)
    assert (alone.ending, alone.successor) == ("Its bot cancelled it.", None)
    later = rows.order(order.bot, run=order.run, status="accepted", **PROFIT)
    assert tell_story(order).successor == later
    page = shown(client, order)
    assert "it was to sell when the price rises to the take-profit. Its bot replaced it." in page
    assert "User requested cancel" not in page


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (True, "take profit, cancelled by the desk"),
        (False, "take profit, cancelled, User requested cancel"),
    ],
)
def test_the_list_of_events_gives_the_venues_words_only_for_what_the_desk_did_not_ask(order: Order, asked: bool, told: str) -> None:
    cancel(order, cancel_requested=asked)
    assert event_words(Event(type="order_update", payload=order_payload(order, "grid"))).endswith(f" at 65663.43, {told}")


def test_a_person_cancelled_it(order: Order, ada: User) -> None:
    order_cancel_request(order_id=order.order_id, user=ada)
    assert tell_story(cancel(order)).ending == "Cancelled by ada."


def test_a_person_stopped_its_bot(order: Order, ada: User) -> None:
    bot_stop(bot_id=order.bot.bot_id, user=ada)
    assert tell_story(cancel(order)).ending == "Cancelled because ada stopped its bot."


def test_the_kill_switch_cancelled_it(order: Order, ada: User) -> None:
    kill_switch_set(killed=True, user=ada)
    assert tell_story(cancel(order)).ending == "Cancelled by the kill switch, which ada set."


def test_what_nobody_here_asked_for_is_the_venues(order: Order) -> None:
    told = tell_story(cancel(order, cancel_requested=False)).ending
    assert told == "It was cancelled, and not by the desk: User requested cancel"


def test_a_decision_is_told_in_its_order_whenever_its_rows_were_stamped(rows: Rows, order: Order) -> None:
    began = order.created_at
    allocation = rows.claim(order)
    RiskAllocation.objects.filter(pk=allocation.pk).update(created_at=began + timedelta(milliseconds=1))
    intent = rows.event(type="intent", bot=order.bot, correlation_id="abc")
    Event.objects.filter(pk=intent.pk).update(ts=began + timedelta(milliseconds=2))
    rows.fill(order)
    assert [step.kind for step in steps_of("abc")] == ["candle", "intent", "claim", "order", "fill", "profit"]


def test_the_page_of_a_decision_names_its_bot_whatever_comes_first(rows: Rows, order: Order, client: Client, ada: User) -> None:
    client.force_login(ada)
    rows.event(type="intent", bot=order.bot, correlation_id="abc")
    rows.event(type="intent", bot=order.bot, correlation_id="alone")
    page = client.get("/decisions/abc/")
    assert (page.status_code, page.context["bot"]) == (200, order.bot)
    assert client.get("/decisions/alone/").status_code == 200


@pytest.mark.parametrize(
    ("trigger", "told"),
    [
        ("candle:1m:1795881780000", ("Candle", "1m candle of 2026-11-28 16:03 UTC closed")),
        ("open:5m:1795881840000", ("Candle", "5m candle of 2026-11-28 16:04 UTC began")),
        ("tick:BTC-USDT:17", ("Price", "BTC-USDT reached a price that was waited for")),
        ("report:5bd0c0e3-8f0c-5c55-0000-00000000000e", ("Report", "The venue told what became of an order")),
        ("person:pause", ("Person", "A person asked for it: pause")),
    ],
)
def test_what_was_decided_on_is_told_by_its_time(trigger: str, told: tuple[str, str]) -> None:
    assert trigger_words(trigger, "BTC-USDT") == told


def test_the_settings_of_a_running_bot_do_not_say_that_it_is_stopped(rows: Rows, client: Client, ada: User) -> None:
    client.force_login(ada)
    stopped = rows.bot(running=False)
    for bot, words, can_save in ((rows.bot(), "It runs, so nothing can be changed", False), (stopped, "It is stopped", True)):
        page = client.get(f"/bots/{bot.bot_id}/settings/").content.decode()
        assert words in page
        assert bool(re.search(r'id="start"\s*>', page)) is can_save
