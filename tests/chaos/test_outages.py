"""The desk without its database, without Redis, with the kill switch on, and with a venue that forgets."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db.models import F
from django.utils import timezone

from market.models import Instrument
from tests.chaos.books import runs_that_failed
from tests.chaos.days import Day
from tests.chaos.play import Play
from trading.models import OPEN, Bot, BotRun, Fill, Order, OrderStatus, Position
from trading.services.bots import bot_close, bot_stop, kill_switch_set
from trading.services.orders import order_cancel_request

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]
QUIET = Day(seed=3, kills=(), rules=())
LONG = 2.0
"""Longer than a hold lasts, in the children's hurry."""


def fills() -> int:
    return Fill.objects.count()


def still_open() -> bool:
    return Order.objects.filter(status__in=OPEN).exists()


def accepted() -> Order | None:
    """One that rests until the price comes: the engine does not give it up by itself."""
    return Order.objects.filter(venue__startswith="binance", status=OrderStatus.ACCEPTED, reason="ladder").first()


@pytest.mark.parametrize("line", ["database", "redis"])
def test_a_line_that_breaks_for_a_while_costs_no_order_and_no_fill(line: str, tmp_path: Path) -> None:
    with Play(QUIET, tmp_path, cuttable=True) as play:
        play.begin_child(None)
        play.until(lambda: fills() > 3, "the bots trade")
        getattr(play, line).cut()
        play.pass_seconds(LONG)
        getattr(play, line).mend()
        before = fills()
        play.until(lambda: fills() > before + 3, "the bots trade again")
        play.end_child()
        found = play.settle()
        assert not found, play.told(found)


def test_the_kill_switch_stops_what_has_not_left(tmp_path: Path) -> None:
    with Play(QUIET, tmp_path) as play:
        play.begin_child(None)
        play.until(lambda: fills() > 3 and still_open(), "the bots trade")
        kill_switch_set(killed=True)
        since = timezone.now()
        play.until(lambda: not still_open(), "open orders are cancelled")
        play.until(lambda: not BotRun.objects.filter(ended_at=None).exists(), "every bot has stopped")
        play.end_child()
        found = play.settle()
        assert not found, play.told(found)
        assert not Order.objects.filter(submitted_at__gt=since).exists()


def test_stopped_bots_leave_nothing_at_the_venue(tmp_path: Path) -> None:
    with Play(QUIET, tmp_path) as play:
        play.begin_child(None)
        play.until(lambda: fills() > 3 and still_open(), "the bots trade")
        for bot in Bot.objects.all():
            bot_stop(bot_id=bot.bot_id)
        play.until(lambda: not BotRun.objects.filter(ended_at=None).exists(), "every bot has stopped")
        assert not still_open()
        play.end_child()
        found = play.settle()
        assert not found, play.told(found)


def test_an_acknowledged_order_that_the_venue_forgets_is_a_persons_to_end(tmp_path: Path) -> None:
    with Play(QUIET, tmp_path) as play:
        play.begin_child(None)
        forgotten: list[Order] = []
        play.until(lambda: forget(play, accepted(), forgotten), "an order rests, and is forgotten")
        order = forgotten[0]
        play.until(lambda: bool(Order.objects.get(pk=order.pk).status_reason), "it is said")
        told = Order.objects.get(pk=order.pk)
        assert told.status == OrderStatus.ACCEPTED
        assert "does not know it any more" in told.status_reason
        order_cancel_request(order_id=order.order_id, user=None)
        play.until(lambda: Order.objects.get(pk=order.pk).status == OrderStatus.CANCELLED, "it is ended")


def test_a_stop_at_the_venue_sells_while_no_worker_runs(tmp_path: Path) -> None:
    def standing() -> Order | None:
        return Order.objects.filter(type="stop_limit", status=OrderStatus.ACCEPTED, cancel_requested=False).first()

    with Play(QUIET, tmp_path) as play:
        play.begin_child(None)
        play.until(lambda: standing() is not None, "a stop rests at the venue")
        play.end_child()
        order = standing()
        assert order is not None
        exchange = play.sandbox.exchange(order.venue.split("-")[0])
        play.sandbox.do(lambda: exchange.trade(order.symbol, order.stop, Decimal("0.001"), buyer_is_maker=True))
        found = play.settle()
        assert not found, play.told(found)
        order.refresh_from_db()
        assert (order.status, order.reason in ("stop_loss", "trailing_stop")) == (OrderStatus.FILLED, True)


def forget(play: Play, order: Order | None, forgotten: list[Order]) -> bool:
    """The venue loses an order, without a word; False where it does not rest there any more."""
    if order is None:
        return False
    exchange = play.sandbox.exchange("binance")
    account = exchange.accounts[play.sandbox.key("binance")]

    def lose() -> bool:
        theirs = account.by_client_id.get(order.client_order_id)
        if theirs is None or theirs.id not in account.open or theirs.fills:
            return False
        exchange.matcher.close(theirs, "cancelled")
        del account.by_client_id[order.client_order_id], account.orders[theirs.id]
        return True

    if play.sandbox.do(lose):
        forgotten.append(order)
        Order.objects.filter(pk=order.pk).update(submitted_at=F("submitted_at") - timedelta(minutes=1))  # not just now
    return bool(forgotten)


def test_closed_bots_hold_nothing(tmp_path: Path) -> None:
    with Play(QUIET, tmp_path) as play:
        play.begin_child(None)
        play.until(lambda: fills() > 3 and still_open(), "the bots trade")
        assert not [str(one) for one in runs_that_failed()]
        for bot in Bot.objects.all():
            bot_close(bot_id=bot.bot_id)
        play.until(lambda: not BotRun.objects.filter(ended_at=None).exists(), "every bot has closed")
        assert {run.end_reason for run in BotRun.objects.all()} == {"closed"}
        play.end_child()
        found = play.settle()
        assert not found, play.told(found)
        for position in Position.objects.all():
            rules = Instrument.objects.get(venue=position.venue, symbol=position.symbol)
            worth = position.quantity * play.sandbox.exchange(position.venue.split("-")[0]).book(position.symbol).last
            # A limit order that only a crumb of was filled leaves less than any venue takes back.
            assert position.quantity < (rules.lot_size or 0) or worth < (rules.min_notional or 0), (
                "what is left is less than can be sold"
            )
