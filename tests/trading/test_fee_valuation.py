"""A fee makes exactly one asset smaller, and counts at its worth at the time of the fill: in profit, budgets and cash alike."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engine.live import SignalRow
from market.exchanges.base import Execution, Report
from market.models import CandleSeries
from market.services import instrument_ensure
from tests.trading.live.test_levels import START
from tests.trading.test_steps import PRICES, STEP, bought, decide, market, reported, started
from trading import selectors
from trading.live.market_state import MarketState
from trading.models import Fill, Order, Position, RiskBudget
from trading.services.carry_over import books_sum
from trading.services.fee_valuation import FeeValuation
from trading.services.loaded_bot import LoadedBot, MarketNow
from trading.services.orders import report_apply
from trading.services.steps import candle_open
from wallets.models import LedgerTransaction, WalletBalance

pytestmark = pytest.mark.django_db(transaction=True)
ETH = "ETH-BTC"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def execution(fee: str, asset: str, *, price: str = "0.05", at: datetime = NOW) -> Execution:
    return Execution("t1", Decimal(price), Decimal(2), Decimal(fee), asset, maker=False, time=at)


def memory(known: Mapping[str, str], age: float = 1.0) -> MarketState:
    """What a worker has heard; it lists pairs of BNB and nothing else."""
    state = MarketState("binance", lambda candle: None)
    state.prices = {name: (Decimal(value), time.monotonic() - age) for name, value in known.items()}
    state.tradable = frozenset({"BNB-USDT", "BTC-USDT", "BNB-BTC"})
    return state


def valuation(known: Mapping[str, str], *, age: float = 1.0) -> FeeValuation:
    return FeeValuation("binance", NOW, memory(known, age))


@pytest.mark.parametrize(
    ("asset", "known", "value", "how"),
    [
        ("BTC", {}, "0.001", ""),
        ("ETH", {}, "0.00005", "ETH-BTC 0.05, the fill's own price"),
        ("BNB", {"BNB-BTC": "0.01"}, "0.00001", "BNB-BTC 0.01"),
        ("BNB", {"BTC-BNB": "100"}, "0.00001", "BTC-BNB 100"),
        ("BNB", {"BNB-ETH": "0.2"}, "0.00001", "BNB-ETH 0.2, ETH-BTC 0.05"),
        ("BNB", {"BNB-USDT": "600", "BTC-USDT": "60000"}, "0.00001", "BNB-USDT 600, BTC-USDT 60000"),
        ("BNB", {"BNB-BTC": "0.01", "BNB-USDT": "1", "BTC-USDT": "1"}, "0.00001", "BNB-BTC 0.01"),
    ],
)
def test_a_fee_is_worth_what_a_pair_or_two_lead_to(asset: str, known: dict[str, str], value: str, how: str) -> None:
    worth = valuation(known).value_fee(ETH, execution("0.001", asset))
    assert (worth.value, worth.how) == (Decimal(value), how)
    assert worth.base == (Decimal("0.001") if asset == "ETH" else 0)


def test_without_a_price_the_worth_is_not_known_and_says_so() -> None:
    worth = valuation({"BNB-USDT": "600"}).value_fee(ETH, execution("0.001", "BNB"))
    assert worth.value is None
    assert not worth.base
    assert worth.how == "unvalued: no price leads from BNB to BTC"
    old = valuation({"BNB-BTC": "0.01"}, age=4_000).value_fee(ETH, execution("0.001", "BNB"))
    assert old.value is None


def test_what_could_not_be_valued_can_be_the_next_time() -> None:
    """The most direct pair that the venue lists is listened to from then on."""
    heard = memory({})
    assert FeeValuation("binance", NOW, heard).value_fee(ETH, execution("0.001", "BNB")).value is None
    assert heard.fee_symbols == {"BNB-BTC"}
    valued = memory({"BNB-BTC": "0.01"})
    FeeValuation("binance", NOW, valued).value_fee(ETH, execution("0.001", "BNB"))
    assert valued.fee_symbols == frozenset()


def stored(symbol: str, close: str, last: datetime) -> None:
    instrument = instrument_ensure(venue="binance", symbol=symbol)
    CandleSeries.objects.create(
        instrument=instrument, interval="1h", first=last, last=last, count=1, fingerprint="", last_close=Decimal(close)
    )


def test_a_stored_candle_near_the_fill_stands_in_for_memory_at_the_cost_of_one_statement() -> None:
    stored("BNB-BTC", "0.02", NOW - timedelta(hours=3))
    with CaptureQueriesContext(connection) as asked:
        worth = valuation({}).value_fee(ETH, execution("0.001", "BNB"))
    assert (len(asked), worth.value, worth.how) == (1, Decimal("0.00002"), "BNB-BTC 0.02")
    assert valuation({}).value_fee(ETH, execution("0.001", "BNB", at=NOW - timedelta(days=3))).value is None
    # A fill that is told of late was not made at the price of now.
    late = valuation({"BNB-BTC": "9"}).value_fee(ETH, execution("0.001", "BNB", at=NOW - timedelta(hours=5)))
    assert late.value == Decimal("0.00002")


def test_the_fee_of_a_pairs_own_asset_asks_nobody() -> None:
    with CaptureQueriesContext(connection) as asked:
        for asset in ("BTC", "ETH"):
            valuation({}).value_fee(ETH, execution("0.001", asset))
    assert not asked


def filled_for(order: Order, fee: str, asset: str, *, price: str = "10") -> Report:
    one = Execution(f"f{order.pk}", Decimal(price), order.quantity, Decimal(fee), asset, False, datetime.now(UTC))
    return replace(reported(order, "filled", order.quantity, price=Decimal(price)), executions=(one,))


def with_bnb(price: str = "2") -> MarketNow:
    return replace(market(), memory=memory({"BNB-BTC": price}))


def round_trip(fee: str, asset: str, now: Any) -> LoadedBot:
    """Buys ETH at 10 and sells it at 11; the fee is taken twice."""
    loaded_bot = started()
    first, other = bought(loaded_bot).send
    report_apply(loaded_bot, reported(other, "cancelled"), market())
    report_apply(loaded_bot, filled_for(first, fee, asset), now)
    decide(loaded_bot, SignalRow(exit=True))
    sale = candle_open(loaded_bot, START + 2 * STEP, PRICES, market()).send[0]
    report_apply(loaded_bot, filled_for(sale, fee, asset, price="11"), now)
    return loaded_bot


def test_a_fee_in_a_third_asset_counts_in_profit_budget_and_cash_and_makes_that_asset_smaller() -> None:
    loaded_bot = round_trip("0.5", "BNB", with_bnb())
    bought_fill, sold_fill = Fill.objects.order_by("id")
    assert (bought_fill.fee, bought_fill.fee_paid, bought_fill.fee_valued) == (1, Decimal("0.5"), "BNB-BTC 2")
    quantity = bought_fill.quantity
    assert sold_fill.profit == quantity - 2  # one more for each, less both fees
    position = Position.objects.get(symbol=ETH)
    assert (position.quantity, position.cost, position.fees, position.realised) == (0, 0, 2, quantity - 2)
    assert RiskBudget.objects.get(scope="bot").used == 0
    assert loaded_bot.trader.cash == pytest.approx(10_000 + float(quantity) - 2)
    cash, held = books_sum(loaded_bot.bot)
    assert cash == pytest.approx(loaded_bot.trader.cash)
    assert held == {}
    balances = {one.asset: one.amount - one.unbooked for one in WalletBalance.objects.all()}
    assert balances == {"ETH": 0, "BTC": quantity, "BNB": -1}
    assert selectors.sales_summary(loaded_bot.bot)["fees"] == "2"


def test_a_fee_without_a_price_is_named_and_counts_as_nothing_known() -> None:
    loaded_bot = round_trip("0.5", "BNB", market())
    summary = selectors.sales_summary(loaded_bot.bot)
    assert (summary["fees"], summary["fees_unvalued"]) == ("0", 2)
    shown = selectors.fill_json(selectors.fills_page().rows[0])
    assert (shown["fee"], shown["fee_paid"], shown["fee_valued"]) == (None, "0.5", "unvalued: no price leads from BNB to BTC")


def test_a_sales_fee_in_base_makes_what_is_left_smaller_in_every_book() -> None:
    loaded_bot = started()
    first = bought(loaded_bot).send[0]
    report_apply(loaded_bot, filled_for(first, "0", "BTC"), market())
    decide(loaded_bot, SignalRow(exit=True))
    sale = next(one for one in candle_open(loaded_bot, START + 2 * STEP, PRICES, market()).send if one.symbol == first.symbol)
    half = sale.quantity / 2
    one = Execution("half", Decimal(10), half, Decimal("0.1"), "ETH", False, datetime.now(UTC))
    report_apply(loaded_bot, replace(reported(sale, "partially_filled", half), executions=(one,)), market())
    left = first.quantity - half - Decimal("0.1")
    position = Position.objects.get(symbol=ETH)
    assert position.quantity == left
    assert loaded_bot.trader.positions()[ETH] == pytest.approx(float(left), abs=1e-12)
    assert WalletBalance.objects.get(asset="ETH").amount == left
    assert position.realised == pytest.approx(Decimal(-1), abs=Decimal("1e-7"))  # the fee, at 10
    assert Fill.objects.get(trade_id="half").fee == 1


def test_what_nobody_booked_is_written_down_and_taken_back_once_it_is() -> None:
    """The account began empty by its books, and still bought: the money was there."""
    loaded_bot = started()
    first = bought(loaded_bot).send[0]
    report_apply(loaded_bot, filled_for(first, "0", "BTC"), market())
    spent = first.quantity * 10
    money = WalletBalance.objects.get(asset="BTC")
    assert (money.amount, money.unbooked) == (0, spent)
    assert LedgerTransaction.objects.get(kind="correction").reference.startswith("unbooked:")
    decide(loaded_bot, SignalRow(exit=True))
    sale = next(one for one in candle_open(loaded_bot, START + 2 * STEP, PRICES, market()).send if one.symbol == first.symbol)
    report_apply(loaded_bot, filled_for(sale, "0", "BTC", price="11"), market())
    money.refresh_from_db()
    assert (money.amount, money.unbooked) == (first.quantity, 0)
