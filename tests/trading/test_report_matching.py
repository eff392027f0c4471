"""A report counts for the order of its account, bot, symbol and side, or it is kept, told once, and does nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core.errors import Conflict
from core.models import Event
from market.exchanges.base import Report, Retryable
from tests.trading.live.fixtures import Rows, rows
from tests.trading.live.port import Port, account_parts, report, resting, turn_loop
from tests.trading.live.test_levels import SYMBOL, waiting_bot
from tests.trading.test_ends import sent
from tests.trading.test_known_reports import execution
from trading.live.reconciler import compare_orders
from trading.models import Fill, ForeignOrder, Order, Position
from trading.services.bot_loading import bot_load
from trading.services.loaded_bot import LoadedBot, MarketNow
from trading.services.orders import foreign_order_resolve, report_apply
from trading.services.twins import name_as_ours
from wallets.models import LedgerTransaction

__all__ = ["rows"]
pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def alerts() -> list[str]:
    return [one.payload["message"] for one in Event.objects.filter(type="alert").order_by("id")]


def apply(loaded_bot: LoadedBot, told: Report, wallet_id: int | None = None) -> None:
    report_apply(loaded_bot, told, MarketNow(NOW, {}, "report"), wallet_id=wallet_id)


def of_another_bot(order: Order, rows: Rows) -> None:
    Order.objects.filter(pk=order.pk).update(bot=rows.bot(wallet=order.wallet))


def of_another_account(order: Order, rows: Rows) -> None:
    Order.objects.filter(pk=order.pk).update(wallet=rows.wallet())


def left_alone(order: Order, rows: Rows) -> None:
    """The report is what differs."""


@pytest.mark.parametrize(
    ("change", "differs", "why"),
    [
        (left_alone, {"symbol": "LTC-BTC"}, f"our order with this id is of {SYMBOL}"),
        (left_alone, {"side": "sell"}, "our order with this id is to buy"),
        (left_alone, {"client_order_id": "qd-one-7"}, "there is no order with this id here"),
        (of_another_bot, {}, "our order with this id is another bot's"),
        (of_another_account, {}, "our order with this id went to another account"),
    ],
)
def test_what_does_not_match_is_kept_told_once_and_does_nothing(
    rows: Rows, change: Callable[[Order, Rows], None], differs: dict[str, str], why: str
) -> None:
    loaded_bot = bot_load(waiting_bot().pk)
    order = sent(loaded_bot)
    change(order, rows)
    told = replace(report(order, "filled", filled="1", executions=(execution("t1", "1"),)), **differs)  # type: ignore[arg-type]
    for _ in range(2):
        apply(loaded_bot, told)
    order.refresh_from_db()
    assert (order.status, order.filled_quantity, Fill.objects.count()) == ("submitted", 0, 0)
    kept = ForeignOrder.objects.get(venue_order_id=told.venue_order_id)
    assert (kept.symbol, kept.side, kept.client_order_id) == (told.symbol, told.side, told.client_order_id)
    (message,) = alerts()
    assert why in message


def test_what_another_account_says_does_not_count(rows: Rows) -> None:
    loaded_bot = bot_load(waiting_bot().pk)
    order, other = sent(loaded_bot), rows.wallet()
    apply(loaded_bot, report(order, "filled", filled="1", executions=(execution("t1", "1"),)), other.pk)
    assert (Fill.objects.count(), ForeignOrder.objects.get().wallet) == (0, other)


def test_a_late_fill_of_a_symbol_that_the_bot_has_left_is_booked() -> None:
    loaded_bot = bot_load(waiting_bot().pk)
    order = sent(loaded_bot)
    Order.objects.filter(pk=order.pk).update(symbol="LTC-BTC", number=-1)
    order.refresh_from_db()
    apply(loaded_bot, report(order, "filled", filled="1", executions=(execution("t1", "1"),)))
    assert Position.objects.get(symbol="LTC-BTC").quantity == 1


def test_an_order_that_bears_our_id_is_ours_only_where_the_rest_agrees(rows: Rows) -> None:
    bot = rows.bot()
    mine, elsewhere = resting(rows, bot), resting(rows, rows.bot())
    theirs = [
        report(mine, symbol="ETH-USDT", venue_order_id="1"),
        report(elsewhere, venue_order_id="2"),
        report(mine, client_order_id="qd-another-desks-1", venue_order_id="3"),
        report(mine, client_order_id="", venue_order_id="4"),
        report(mine, client_order_id="", venue_order_id="5"),
    ]
    found = compare_orders(bot.wallet_id, [*theirs, report(mine)])
    assert [one.venue_order_id for one in found.foreign] == ["1", "2", "3", "4", "5"]
    assert (found.ask, found.revived) == ([], [])


def test_two_desks_on_one_account_ask_for_nothing_of_each_other(rows: Rows) -> None:
    wallet, stranger = rows.bot().wallet, resting(rows, rows.bot())
    port = Port(listed=[report(stranger, client_order_id=f"qd-other-{number}", venue_order_id=str(number)) for number in range(3)])

    async def play() -> None:
        reconciler, errands = account_parts(wallet, port)
        for _ in range(3):
            assert await reconciler.attempt_comparison() == 0.0
            await errands.begin_all()
            await turn_loop()

    asyncio.run(play())
    assert {asked for asked, _ in port.asked} == {"open_orders"}
    assert ForeignOrder.objects.filter(wallet=wallet, state="open").count() == 3
    assert len(alerts()) == 1


def test_an_order_that_coinbase_tells_under_the_twin_of_its_pair_is_ours(rows: Rows) -> None:
    bot = rows.bot(symbols="BTC-USDC", venue="coinbase")
    order = resting(rows, bot, venue="coinbase")
    told = replace(report(order), venue="coinbase", symbol="BTC-USD", executions=(replace(execution("t1", "1"), fee_asset="USD"),))
    found = compare_orders(bot.wallet_id, [told])
    assert (found.ask, found.foreign) == ([], [])
    ours = name_as_ours(told, order)
    assert (ours.symbol, ours.executions[0].fee_asset) == ("BTC-USDC", "USDC")
    other = replace(told, symbol="ETH-USD")
    assert name_as_ours(other, order) is other
    order.venue = "binance"
    assert name_as_ours(told, order) is told


@pytest.mark.parametrize("status", ["cancelled", "expired", "filled"])
def test_an_order_that_is_over_with_us_and_rests_at_the_venue_is_told_and_cancelled_again(rows: Rows, status: str) -> None:
    bot = rows.bot()
    order = resting(rows, bot, status=status)
    open_there, gone = report(order), report(order, "cancelled")
    port = Port(
        listed=[open_there], orders={order.client_order_id: open_there}, cancels={order.client_order_id: Retryable("It is busy.")}
    )

    async def play() -> None:
        reconciler, errands = account_parts(bot.wallet, port)
        await reconciler.attempt_comparison()
        port.cancels[order.client_order_id] = gone
        await errands.begin_all()
        await turn_loop()

    asyncio.run(play())
    assert port.count("cancel") == 2
    (message,) = alerts()
    assert message == f"{order.client_order_id} of {bot.name} is {status}, and rests at binance. It is cancelled again."
    order.refresh_from_db()
    assert order.status_reason


def test_a_list_that_is_older_than_our_cancelling_revives_nothing(rows: Rows) -> None:
    bot = rows.bot()
    order = resting(rows, bot, status="cancelled")
    port = Port(listed=[report(order)], orders={order.client_order_id: report(order, "cancelled")})

    async def play() -> None:
        reconciler, _ = account_parts(bot.wallet, port)
        await reconciler.attempt_comparison()

    asyncio.run(play())
    assert (port.count("cancel"), alerts()) == (0, [])


def test_an_order_with_the_id_of_ours_cannot_be_adopted(rows: Rows) -> None:
    bot = rows.bot()
    order = resting(rows, bot)
    found = rows.foreign(bot.wallet, client_order_id=order.client_order_id)
    with pytest.raises(Conflict, match="cancel this one at the venue"):
        foreign_order_resolve(foreign_id=found.pk, action="adopt", bot_id=bot.bot_id)


def test_an_order_that_the_venue_ends_short_is_over() -> None:
    """Self-trade prevention takes the rest away: what was filled and what was prevented make the whole quantity."""
    loaded_bot = bot_load(waiting_bot().pk)
    order = sent(loaded_bot)
    Order.objects.filter(pk=order.pk).update(number=-1)
    apply(loaded_bot, report(order, "partially_filled", filled="0.6", executions=(execution("t1", "0.6"),)))
    told = report(order, "filled", filled="0.6")
    assert loaded_bot.is_news(told)
    apply(loaded_bot, told)
    order.refresh_from_db()
    assert (order.status, order.filled_quantity) == ("expired", Decimal("0.6"))
    assert order.status_reason == "The venue ended it with 0.6 of 1 filled."
    assert not loaded_bot.is_news(told)


def test_both_sides_of_a_trade_between_orders_of_one_account_are_booked() -> None:
    """Where self-trade prevention is off, two bots meet each other, and Binance tells both of the same trade."""
    loaded_bot = bot_load(waiting_bot().pk)
    for number, side in ((-1, "buy"), (-2, "sell")):
        order = sent(loaded_bot, side)
        Order.objects.filter(pk=order.pk).update(number=number, side=side)
        order.side = side
        told = report(order, "filled", filled="1", executions=(replace(execution("t1", "1"), fee_asset="BTC"),))
        for _ in range(2):
            apply(loaded_bot, told)
    assert list(Fill.objects.order_by("id").values_list("trade_id", "side")) == [("t1", "buy"), ("t1", "sell")]
    assert Position.objects.get(bot=loaded_bot.bot).quantity == 0
    booked = LedgerTransaction.objects.filter(wallet=loaded_bot.bot.wallet, kind="fill")
    assert sorted(one.reference.rpartition(":")[2] for one in booked) == ["buy", "sell"]
