"""What our orders need is done whatever a venue says otherwise."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

import pytest
from django.utils import timezone

from market.exchanges.base import NotFoundAtVenue, RateLimited, Refused, Report, Retryable, Unauthorised, Unknown
from tests.trading.live.fixtures import Rows, rows
from tests.trading.live.port import Port, account_parts, hang, in_thread, report, resting, turn_loop
from tests.trading.test_known_reports import execution
from trading.live.account import AccountWorker
from trading.live.errands import find_errands
from trading.models import Order
from trading.services.orders import order_request

__all__ = ["rows"]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _without_waiting(settings: Any) -> None:
    settings.SWEEP_SECONDS = 0


@pytest.mark.parametrize("listed", [hang, Retryable("It cannot be read.", code="unreadable"), KeyError("type")])
def test_orders_are_cancelled_though_no_comparison_goes_through(rows: Rows, listed: Any) -> None:
    order = resting(rows, (bot := rows.bot()), cancel_requested=True)
    port = Port(listed=listed, cancels={order.client_order_id: report(order, "cancelled")})

    async def play() -> Any:
        reconciler, errands = account_parts(bot.wallet, port)
        running = [asyncio.create_task(reconciler.run()), asyncio.create_task(errands.run())]
        await turn_loop()
        for task in running:
            task.cancel()
        await errands.stop()
        return reconciler

    reconciler = asyncio.run(play())
    assert ("open_orders", "") in port.asked
    assert ("cancel", order.client_order_id) in port.asked
    assert not reconciler.ready


def test_an_order_without_an_answer_holds_up_no_other(rows: Rows) -> None:
    bot = rows.bot()
    mute = [resting(rows, bot, cancel_requested=True) for _ in range(3)]
    lost = [rows.order(bot, status="submitted", submitted_at=timezone.now() - timedelta(minutes=1)) for _ in range(9)]
    port = Port(cancels={one.client_order_id: hang for one in mute}, orders={one.client_order_id: hang for one in lost})

    async def play() -> None:
        _, errands = account_parts(bot.wallet, port)
        await errands.begin_all()
        await turn_loop()
        late = await in_thread(lambda: resting(rows, bot, cancel_requested=True))
        port.cancels[late.client_order_id] = report(late, "cancelled")
        await errands.begin_all()
        await turn_loop()
        assert ("cancel", late.client_order_id) in port.asked
        assert [port.asked.count(("cancel", one.client_order_id)) for one in mute] == [1, 1, 1]
        await errands.stop()

    asyncio.run(play())


def test_why_no_comparison_goes_through_is_said_in_the_words_of_the_venue(rows: Rows) -> None:
    wallet = rows.bot().wallet
    ban = RateLimited("Binance: Way too much request weight used; IP banned.", code="418", after=120.0)
    port = Port(listed=ban)

    async def play() -> Any:
        reconciler, _ = account_parts(wallet, port)
        assert await reconciler.attempt_comparison() == 120.0
        port.listed = RateLimited("binance: our rate budget is used up for 119.5 s.", code="budget", after=119.5)
        assert await reconciler.attempt_comparison() == 119.5
        account = AccountWorker(wallet, port, reconciler.executor, None, reconciler, None, lambda _: None)  # type: ignore[arg-type]
        why = f"The orders of {wallet.name} cannot be compared with the venue's: {ban}"
        assert account.describe_fault() == reconciler.describe_trouble() == why
        port.listed = []
        assert await reconciler.attempt_comparison() == 0.0
        assert account.describe_fault() == ""
        return reconciler

    assert asyncio.run(play()).ready


def test_a_comparison_leaves_the_first_try_of_a_broken_venue_to_the_errands(rows: Rows) -> None:
    wallet, port = rows.bot().wallet, Port(listed=Retryable("Not asked.", code="breaker", after=3.0))

    async def play() -> float:
        reconciler, _ = account_parts(wallet, port)
        return await reconciler.attempt_comparison()

    assert asyncio.run(play()) > 3.0


def test_bots_are_not_let_in_before_an_errands_answer_is_here(rows: Rows) -> None:
    bot = rows.bot()
    wallet, order = bot.wallet, rows.order(bot, status="submitted", submitted_at=timezone.now() - timedelta(minutes=1))
    port = Port(orders={order.client_order_id: hang})

    async def play() -> None:
        reconciler, errands = account_parts(wallet, port)
        await errands.begin_all()
        await turn_loop()
        await reconciler.attempt_comparison()
        assert not reconciler.ready
        assert reconciler.compared_at == 0.0
        await errands.stop()

    asyncio.run(play())


def test_a_gap_during_a_comparison_asks_for_another_one(rows: Rows) -> None:
    wallet = rows.bot().wallet

    async def play() -> float:
        port = Port()
        reconciler, _ = account_parts(wallet, port)

        async def interrupted() -> list[Any]:
            reconciler.request_comparison()
            return []

        port.listed = interrupted
        await reconciler.attempt_comparison()
        return reconciler.compared_at

    assert asyncio.run(play()) == 0.0


def test_fills_are_asked_for_again_once_the_wait_is_over(rows: Rows) -> None:
    bot = rows.bot()
    wallet, order = bot.wallet, resting(rows, bot)
    busy = RateLimited("Our rate budget is used up for 0.6 s.", code="budget", after=0.6)
    port, now = Port(orders={order.client_order_id: busy}), [100.0]

    async def play() -> None:
        reconciler, errands = account_parts(wallet, port, lambda: now[0])
        runner: Any = reconciler.owners.runner  # type: ignore[attr-defined]
        told = report(order, "filled", filled=str(order.quantity))
        await reconciler.executor.on_report(runner, told)
        for seconds, times in ((0.5, 1), (0.2, 2), (0.5, 2), (0.2, 3)):
            now[0] += seconds
            await errands.begin_all()
            await turn_loop()
            assert port.count("order") == times
            if times == 3:
                break
        port.orders[order.client_order_id] = replace(told, executions=(execution("t1", str(order.quantity)),))
        now[0] += 1.0
        await errands.begin_all()
        await turn_loop()
        now[0] += 1.0
        await errands.begin_all()
        await turn_loop()
        assert port.count("order") == 4

    asyncio.run(play())


def test_fills_that_the_venue_does_not_list_yet_are_asked_for_soon_and_then_more_seldom(rows: Rows) -> None:
    """It tells that the order is over before its lists show by which trades, or that there is such an order."""
    bot = rows.bot()
    order = resting(rows, bot, quantity=Decimal(1))
    told = report(order, "cancelled", filled="0.5", executions=(execution("t2", "0.2"),))
    late = replace(report(order, "accepted", filled="0.3"), executions=(execution("t1", "0.3"),))
    port, now, seen = Port(orders={order.client_order_id: NotFoundAtVenue("no")}), [100.0], list[tuple[float, int]]()

    async def play() -> Report:
        reconciler, errands = account_parts(bot.wallet, port, lambda: now[0])
        taken: Any = reconciler.executor.note_fills
        await reconciler.executor.on_report(reconciler.owners.runner, told)  # type: ignore[attr-defined]
        for _ in range(8):
            now[0] += 0.5
            await errands.begin_all()
            await turn_loop()
            seen.append((now[0], port.count("order")))
            if port.count("order") == 2:
                port.orders[order.client_order_id] = replace(told, executions=())
            if port.count("order") == 3:
                port.orders[order.client_order_id] = late
        now[0] += 60.0
        await errands.begin_all()
        await turn_loop()
        found: Report = taken.call_args.args[0]
        return found

    whole = asyncio.run(play())
    assert [times for _, times in seen] == [1, 2, 2, 2, 2, 3, 3, 3]
    assert (whole.status, whole.filled, {one.trade_id for one in whole.executions}) == ("cancelled", Decimal("0.5"), {"t1", "t2"})
    assert port.count("order") == 4


@pytest.mark.parametrize(("age", "ends"), [(5, False), (120, True)])
def test_an_order_that_was_just_taken_is_not_believed_to_be_gone(rows: Rows, age: int, ends: bool) -> None:
    """Venues answer questions from copies that are behind: what was filled at once is unknown to them for some seconds."""
    sent_at = timezone.now() - timedelta(seconds=age)
    bot = rows.bot()
    resting(rows, bot, cancel_requested=True, submitted_at=sent_at)

    async def play() -> int:
        reconciler, errands = account_parts(bot.wallet, Port())
        await errands.begin_all()
        await turn_loop()
        return int(reconciler.owners.runner.submit.call_count)  # type: ignore[attr-defined]

    assert asyncio.run(play()) == ends


def test_what_is_said_of_an_order_that_was_lost_is_taken_back_when_it_is_found(rows: Rows) -> None:
    bot = rows.bot()
    order = resting(rows, bot, submitted_at=timezone.now() - timedelta(hours=1))
    port = Port()

    async def play() -> list[str]:
        reconciler, _ = account_parts(bot.wallet, port)
        said = []
        for answer in (NotFoundAtVenue("no"), report(order)):
            port.orders[order.client_order_id] = answer
            await reconciler.attempt_comparison()
            said.append(await in_thread(lambda: Order.objects.get(pk=order.pk).status_reason))
        return said

    assert asyncio.run(play()) == ["The venue does not know it any more. Cancel it to end it here.", ""]


def test_a_cancelling_that_the_venue_refuses_for_good_is_told_and_tried_ever_more_seldom(rows: Rows) -> None:
    bot = rows.bot()
    order = resting(rows, bot, cancel_requested=True)
    port, now = Port(cancels={order.client_order_id: Refused("It may not be cancelled.", code="NOT_ALLOWED_TO_CANCEL")}), [0.0]

    async def play() -> None:
        _, errands = account_parts(bot.wallet, port, lambda: now[0])
        for _ in range(120):
            await errands.begin_all()
            await turn_loop()
            now[0] += 1.0

    asyncio.run(play())
    assert port.count("cancel") == 7
    order.refresh_from_db()
    assert order.status_reason == "The venue does not cancel it: It may not be cancelled."


def test_a_key_that_the_venue_does_not_take_any_more_is_noted_whoever_meets_it(rows: Rows) -> None:
    bot = rows.bot()
    wallet, order = bot.wallet, resting(rows, bot, cancel_requested=True)
    barred = Unauthorised("Binance: Invalid API-key, IP, or permissions for action.", code="-2015")

    async def play(port: Port) -> str:
        reconciler, errands = account_parts(wallet, port)
        await reconciler.attempt_comparison()
        await errands.begin_all()
        await turn_loop()
        return reconciler.executor.unauthorised

    assert asyncio.run(play(Port(listed=barred))) == str(barred)
    assert asyncio.run(play(Port(listed=[report(order)], cancels={order.client_order_id: barred}))) == str(barred)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_anew_makes_no_order_of_ours_never_sent(rows: Rows, hours: int) -> None:
    """Back: all still get their errands. Ahead: an order that left a moment ago may still arrive."""
    bot, then = rows.bot(), timezone.now() - timedelta(hours=hours)
    sent, now = rows.order(bot, status="submitted"), [50.0]
    waiting = rows.order(bot, status="pending", submitted_at=None, type="limit", created_at=then)

    async def play() -> list[bool]:
        reconciler, _ = account_parts(bot.wallet, Port(placed=Unknown("The answer was lost.")), lambda: now[0])
        await reconciler.executor.place(Mock(), sent, order_request(sent), 0.0)
        sent.submitted_at = then
        seen = [reconciler.executor.has_never_arrived(sent)]
        now[0] += Port.finality + 1
        return [*seen, reconciler.executor.has_never_arrived(sent)]

    assert asyncio.run(play()) == [False, True]
    sent.save()
    found = find_errands(bot.wallet_id)
    assert ([one.pk for one in found.ask], [one.pk for one in found.send]) == ([sent.pk], [waiting.pk])
