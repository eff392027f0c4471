"""A fee whose worth becomes known later changes everything to what it would have been had it been known at the fill."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from core.models import Event
from market.exchanges.base import Execution
from tests.trading.test_fee_valuation import ETH, filled_for, round_trip, with_bnb
from tests.trading.test_steps import bought, market, reported, started
from tests.wallets.prices import store_closes
from trading import selectors
from trading.live.fee_watch import FeeWatch
from trading.models import BotDay, Fill, Order, Position, RiskAllocation, RiskBudget
from trading.services.bot_loading import bot_load
from trading.services.carry_over import books_sum
from trading.services.fee_valuation import FeeWorth
from trading.services.fills import NOTHING, position_change, round_money
from trading.services.late_fees import LateFees, bots_with_unvalued_fees, fees_value, sold_shares
from trading.services.loaded_bot import LoadedBot
from trading.services.orders import report_apply
from wallets.models import WalletBalance

D = Decimal


def figures(loaded_bot: LoadedBot) -> dict[str, Any]:
    """Everything that a fee counts in."""
    position, day = Position.objects.get(symbol=ETH), BotDay.objects.get(symbol=ETH)
    return {
        "fills": list(Fill.objects.order_by("id").values_list("fee", "fee_valued", "profit")),
        "position": (position.quantity, position.cost, position.realised, position.fees),
        "orders": list(Order.objects.filter(symbol=ETH).order_by("id").values_list("fees", flat=True)),
        "budgets": set(RiskBudget.objects.values_list("used", flat=True)),
        "claims": list(RiskAllocation.objects.filter(symbol=ETH).values_list("used", flat=True)),
        "balances": {one.asset: one.amount - one.unbooked for one in WalletBalance.objects.all()},
        "cash": round(loaded_bot.trader.cash, 9),
        "books": (round(books_sum(loaded_bot.bot)[0], 9), books_sum(loaded_bot.bot)[1]),
        "day": (day.realised, day.fees, day.unvalued, day.won),
    }


def one_purchase(fee: str, asset: str, now: Any) -> LoadedBot:
    """Buys ETH, and keeps it."""
    loaded_bot = started()
    first, other = bought(loaded_bot).send
    report_apply(loaded_bot, reported(other, "cancelled"), market())
    report_apply(loaded_bot, filled_for(first, fee, asset), now)
    return loaded_bot


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("trade", [round_trip, one_purchase])
def test_valued_late_is_as_valued_at_once(trade: Any) -> None:
    loaded_bot = trade("0.5", "BNB", market())
    assert bots_with_unvalued_fees("binance-sandbox") == [loaded_bot.bot.pk]
    quantity = Fill.objects.order_by("id")[0].quantity
    told = fees_value(loaded_bot, with_bnb())
    found = figures(loaded_bot)
    assert fees_value(loaded_bot, with_bnb()).news == []
    assert figures(loaded_bot) == found == figures(bot_load(loaded_bot.bot.pk))
    sold = len(found["fills"]) == 2
    assert [fill[:2] for fill in found["fills"]] == [(1, "BNB-BTC 2")] * (1 + sold)
    if sold:
        assert found["fills"][1][2] == quantity - 2
        assert found["position"] == (0, 0, quantity - 2, 2)
        assert found["cash"] == pytest.approx(10_000 + float(quantity) - 2)
    else:
        assert found["position"] == (quantity, quantity * 10 + 1, 0, 1)
        assert found["cash"] == pytest.approx(10_000 - float(quantity) * 10 - 1)
    used = 0 if sold else quantity * 10 + 1
    assert (found["budgets"], found["claims"]) == ({used}, [used])
    assert found["books"][0] == pytest.approx(found["cash"])
    assert found["orders"] == [1] * (1 + sold)
    assert found["balances"]["BNB"] == D("-0.5") * (1 + sold)
    assert found["day"][1:3] == (1 + sold, 0)
    assert selectors.sales_summary(loaded_bot.bot)["fees_unvalued"] == 0
    assert bots_with_unvalued_fees("binance-sandbox") == []
    assert [one.type for one in told.news] == ["fee_valued"] * (1 + sold) + ["position_update"]
    assert Event.objects.filter(type="fee_valued").count() == 1 + sold


@pytest.mark.django_db(transaction=True)
def test_two_that_value_the_same_fee_count_it_once() -> None:
    loaded_bot = one_purchase("0.5", "BNB", market())
    other = bot_load(loaded_bot.bot.pk)
    fees_value(loaded_bot, with_bnb())
    found = figures(loaded_bot)
    assert fees_value(other, with_bnb()).news == []
    assert figures(loaded_bot) == found


@pytest.mark.django_db(transaction=True)
def test_candles_that_come_later_value_a_fee_by_the_close_before_its_fill() -> None:
    loaded_bot = one_purchase("0.5", "BNB", market())
    assert fees_value(loaded_bot, market()).news == []
    filled = Fill.objects.get().ts
    begun = filled.replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    store_closes("BNB-BTC", [3.0, 4.0, *[9.0] * 80], start=begun, venue="binance-sandbox")
    late = replace(market(), time=filled + timedelta(days=3))
    assert [one.type for one in fees_value(loaded_bot, late).news] == ["fee_valued", "position_update"]
    fill = Fill.objects.get()
    assert (fill.fee, fill.fee_valued) == (2, "BNB-BTC 4, by candles")


@pytest.mark.django_db(transaction=True)
def test_bots_with_such_fees_are_looked_after_running_or_not() -> None:
    loaded_bot = one_purchase("0.5", "BNB", market())
    runner = Mock(loaded_bot=loaded_bot, steps=Mock(describe_market=lambda _: with_bnb()))
    watch = FeeWatch("binance-sandbox", Mock(fetch=AsyncMock(return_value=runner)), AsyncMock(return_value=[loaded_bot.bot.pk]))
    asyncio.run(watch.look())
    runner.submit.call_args.args[0]()
    assert Fill.objects.get().fee == 1


TRADES = some.lists(
    some.tuples(
        some.sampled_from(["buy", "buy", "sell"]),
        some.decimals(D("0.001"), D(2), places=3),
        some.sampled_from([("BNB", True), ("BNB", False), ("ETH", True), ("BTC", True)]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(trades=TRADES)
def test_whatever_was_traded_since_late_fees_end_up_where_they_belong(trades: Any) -> None:
    """Beside a position whose fees were all known at once. Average cost rounds each sale's share, to the eighth place."""
    known, late, fills, worths = Position(symbol=ETH), Position(symbol=ETH), [], {}
    for number, (side, size, (asset, at_once)) in enumerate(trades):
        if side == "sell" and not late.quantity:
            continue
        quantity = size if side == "buy" else min(size, late.quantity)
        paid = D("0.001") if asset == "ETH" and (side == "buy" or late.quantity - quantity >= D("0.001")) else NOTHING
        cost, fee = round_money(quantity * 10), NOTHING if asset == "ETH" else D("0.37")
        one = Execution(str(number), D(10), quantity, paid, asset, False, datetime.now(UTC))
        profit = position_change(known, side, one, cost, fee, paid)
        unvalued = position_change(late, side, one, cost, fee if at_once else NOTHING, paid)
        told = {"symbol": ETH, "side": side, "quantity": quantity, "fee_paid": paid, "fee_asset": asset}
        fills.append((Fill(pk=number, **told, fee=fee if at_once else None, profit=unvalued), profit))
        if not at_once:
            worths[number] = FeeWorth(fee)
    found = LateFees(worths, sold_shares(late.quantity, [fill for fill, _ in fills]))
    for fill, profit in fills:
        found.take(fill)
        assert fill.profit == (None if profit is None else pytest.approx(profit, abs=D("1e-6")))
    assert late.cost + found.held == pytest.approx(known.cost, abs=D("1e-6"))
    assert late.realised - found.realised == sum(fill.profit or NOTHING for fill, _ in fills)
    assert (late.cost + found.held) - (late.realised - found.realised) == known.cost - known.realised
