"""Open orders at a venue that nobody can read: they are shown, and hide nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.errors import Conflict
from market.exchanges.base import Report, UnreadRow
from tests.trading.live.fixtures import Rows, rows
from trading.live.reconciler import compare_orders
from trading.models import ForeignOrder
from trading.services.foreign_orders import foreign_orders_note
from trading.services.orders import foreign_order_resolve

__all__ = ["rows"]
NOW = datetime(2026, 9, 21, tzinfo=UTC)


def report(number: str, name: str, **changes: Any) -> Report:
    usual = {"symbol": "BTC-USDT", "status": "accepted", "side": "buy", "type": "limit", "quantity": Decimal("0.5")}
    return Report(
        venue="binance", client_order_id=name, venue_order_id=number, time=NOW, **{**usual, "filled": Decimal(0), **changes}
    )


def unread(number: str = "", name: str = "", **said: Any) -> UnreadRow:
    return UnreadRow("binance", "order", '{"side": "SIDEWAYS"}', "KeyError: 'SIDEWAYS'", "FRESHUSDT", number, name, **said)


def test_an_order_that_cannot_be_read_is_shown_among_those_that_are_not_ours(rows: Rows) -> None:
    wallet = rows.bot().wallet
    listed: list[Report | UnreadRow] = [unread("7", quantity=Decimal(3)), report("8", "web_8"), unread(), report("8", "web_8")]
    assert foreign_orders_note(wallet, listed) == 3
    assert foreign_orders_note(wallet, listed) == 0
    found = {one.venue_order_id: one for one in ForeignOrder.objects.all()}
    known, read = found["7"], found["8"]
    (nameless,) = (one for number, one in found.items() if number not in ("7", "8"))
    assert (known.symbol, known.quantity, known.side, known.unread) == ("FRESHUSDT", Decimal(3), "", "KeyError: 'SIDEWAYS'")
    assert (nameless.quantity, nameless.raw) == (None, '{"side": "SIDEWAYS"}')
    assert (read.quantity, read.unread, read.raw) == (Decimal("0.5"), "", "")
    with pytest.raises(Conflict, match="cannot read"):
        foreign_order_resolve(foreign_id=known.pk, action="adopt", bot_id="any")
    assert foreign_order_resolve(foreign_id=known.pk, action="ignore").state == "ignored"


def test_what_is_as_it_was_is_not_written_again(rows: Rows) -> None:
    wallet = rows.wallet()
    first: list[Report | UnreadRow] = [report("1", "hand-1"), report("2", "hand-2"), unread("3")]
    foreign_orders_note(wallet, first)
    with CaptureQueriesContext(connection) as asked:
        foreign_orders_note(wallet, first)
    assert [one["sql"].split()[0] for one in asked] == ["SELECT"]
    foreign_orders_note(wallet, [report("1", "hand-1", filled=Decimal("0.5")), *first[1:]])
    assert ForeignOrder.objects.get(venue_order_id="1").filled == Decimal("0.5")


def test_what_is_gone_says_so_unless_it_may_be_the_row_without_a_number(rows: Rows) -> None:
    wallet = rows.bot().wallet

    def states() -> dict[str, str]:
        return dict(ForeignOrder.objects.filter(unread="").values_list("venue_order_id", "state"))

    foreign_orders_note(wallet, [report("7", "web_7"), report("8", "web_8")])
    foreign_orders_note(wallet, [report("7", "web_7"), unread()])
    assert states() == {"7": "open", "8": "open"}
    foreign_orders_note(wallet, [report("7", "web_7")])
    assert states() == {"7": "open", "8": "gone"}
    foreign_orders_note(wallet, [report("8", "web_8")])
    assert states() == {"7": "gone", "8": "open"}


def test_an_order_of_ours_that_cannot_be_read_is_asked_for_and_no_strangers(rows: Rows) -> None:
    bot = rows.bot()
    named, numbered, odd, well = (
        rows.order(bot, status="accepted", venue_order_id=number, filled_quantity=Decimal(0)) for number in ("1", "2", "3", "4")
    )
    found = compare_orders(
        bot.wallet_id,
        [
            unread("", named.client_order_id),
            unread("2"),
            report("3", odd.client_order_id, status="other"),
            report("4", well.client_order_id),
            unread("9"),
        ],
    )
    assert {order.pk for order in found.ask} == {named.pk, numbered.pk, odd.pk}
    assert [row.venue_order_id for row in found.foreign] == ["9"]


def test_the_page_shows_what_the_venue_says(rows: Rows, admin_client: Client) -> None:
    foreign_orders_note(rows.bot().wallet, [unread("7")])
    shown = admin_client.get("/live/unresolved/").content.decode()
    assert "The desk cannot read this order" in shown
    assert "SIDEWAYS" in shown
    assert "FRESHUSDT" in shown
