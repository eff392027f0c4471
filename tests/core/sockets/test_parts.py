"""The desk's own pages get their parts drawn over the socket; programs get none of it."""

from __future__ import annotations

from typing import Any

import pytest
from channels.db import database_sync_to_async

from core.push import push_message
from tests.core.sockets.clients import Client
from tests.trading.live.fixtures import Rows
from trading import consumers
from wallets.models import WalletBalance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]
Headers = list[tuple[bytes, bytes]]


async def do(work: Any, *arguments: Any) -> Any:
    return await database_sync_to_async(work)(*arguments)


def parts(client: Client, name: str) -> list[str]:
    return [one["payload"]["html"] for one in client.got if one["type"] == "part" and one["payload"]["name"] == name]


def fill(rows: Rows, order: Any) -> None:
    made = rows.fill(order)
    event = rows.event(bot=order.bot)
    push_message("live", "fill", type="fill", seq=event.pk, ts="", correlation_id=None, payload={"id": made.pk})


async def test_a_page_gets_its_parts_at_once_and_then_what_has_changed(headers: Headers, rows: Rows) -> None:
    order = await do(lambda: rows.order(rows.bot(), status="accepted"))
    async with Client("/ws/live/?parts=fills,risk,nonsense", headers) as client:
        await client.until(lambda: bool(parts(client, "fills") and parts(client, "risk")))
        assert 'id="part-fills"' in parts(client, "fills")[0]
        await do(fill, rows, order)
        await client.until(lambda: len(parts(client, "fills")) == 2)
        assert "No order has been filled" in parts(client, "fills")[0]
        assert order.symbol in parts(client, "fills")[1]
        # Drawn again, because a fill may change it, and not sent, because it did not.
        assert len(parts(client, "risk")) == 1
        assert {one["payload"]["name"] for one in client.got if one["type"] == "part"} == {"fills", "risk"}


async def test_a_page_gets_the_rows_that_differ_and_whole_what_it_asks_for(headers: Headers, rows: Rows) -> None:
    order = await do(lambda: rows.order(rows.bot(), status="accepted"))
    await do(fill, rows, order)
    async with Client("/ws/live/?parts=fills", headers) as client:
        await client.until(lambda: bool(parts(client, "fills")))
        await do(fill, rows, order)
        await client.until(lambda: len(parts(client, "fills")) == 2)
        async with Client("/ws/live/?parts=fills", headers) as later:
            await later.until(lambda: bool(parts(later, "fills")))
            await client.ask(whole=["fills", "nonsense"])
            await client.ask(other=1)
            await client.until(lambda: len(parts(client, "fills")) == 3)
            first, second, third = parts(client, "fills")
            assert [text.count(order.symbol) for text in (first, second, third)] == [1, 1, 2]
            assert [text.count("data-same") for text in (first, second, third)] == [0, 1, 0]
            assert [third] == parts(later, "fills")
        assert [one["payload"]["whole"] for one in client.got if one["type"] == "part"] == [True, False, True]


async def test_a_second_page_gets_what_the_first_one_has(headers: Headers, rows: Rows) -> None:
    await do(rows.bot)
    async with Client("/ws/live/?parts=bots", headers) as first:
        await first.until(lambda: bool(parts(first, "bots")))
        async with Client("/ws/live/?parts=bots", headers) as second:
            await second.until(lambda: bool(parts(second, "bots")))
            assert parts(second, "bots") == parts(first, "bots")


async def test_buttons_that_trade_are_drawn_for_those_who_may_trade(headers: Headers, rows: Rows) -> None:
    await do(lambda: rows.order(rows.bot(), status="accepted"))
    async with Client("/ws/live/?parts=orders,bar", headers) as client:
        await client.until(lambda: bool(parts(client, "orders") and parts(client, "bar")))
        assert "Cancel" not in parts(client, "orders")[0]
        assert "Kill switch" not in parts(client, "bar")[0]


async def test_programs_get_no_parts(headers: Headers, rows: Rows) -> None:
    order = await do(lambda: rows.order(rows.bot()))
    async with Client("/ws/live/", headers) as client:
        await client.until_heard()
        await do(fill, rows, order)
        await client.until(lambda: any(one["type"] == "fill" for one in client.got))
        assert not [one for one in client.got if one["type"] == "part"]


async def test_what_the_desk_is_worth_is_told_when_it_changes(
    headers: Headers, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "VALUED_EVERY", 0.02)
    wallet = await do(rows.wallet)
    async with Client("/ws/live/", headers) as client:
        await client.until_heard()
        hub = consumers.LiveHub.here()
        while not hub.portfolio:  # it has looked once
            await hub.tell_portfolio()
        await do(lambda: WalletBalance.objects.create(wallet=wallet, asset="USDT", amount=250))
        await client.until(lambda: any(one["type"] == "portfolio_update" for one in client.got))
        (told,) = [one for one in client.got if one["type"] == "portfolio_update"]
        assert (told["seq"], told["payload"]["modes"][0]["value"]) == (None, "250")
