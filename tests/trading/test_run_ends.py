"""Close and Stop end a run when what they promise is true; what is left is named with its worth and the reason."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest

from core.models import Event
from engine.live import SignalRow
from market.exchanges.base import Execution, Report
from market.models import Instrument
from tests.trading.live.fixtures import clear_prices, price
from tests.trading.live.test_levels import START
from tests.trading.test_steps import PLENTY, PRICES, STEP, SYMBOLS, bought, decide, filled, market, reported, started
from trading import selectors
from trading.live.bot_commands import wind_up
from trading.live.bot_runner import BotHost, BotRunner
from trading.live.bot_steps import BotInputs
from trading.live.history import Decisions
from trading.live.market_state import MarketState
from trading.models import Order, Position, RiskAllocation, RiskBudget
from trading.services.bot_loading import bot_load
from trading.services.bots import bot_delete, bot_start
from trading.services.loaded_bot import LoadedBot
from trading.services.orders import report_apply
from trading.services.steps import candle_open, step_apply

pytestmark = pytest.mark.django_db(transaction=True)
ETH = "ETH-BTC"


@pytest.fixture(autouse=True)
def prices() -> Iterator[None]:
    clear_prices()
    for symbol in SYMBOLS:
        price(symbol, "10", environment="sandbox")
    yield
    clear_prices()


def runner_of(loaded_bot: LoadedBot, price: str = "10") -> BotRunner:
    known = MarketState("binance-sandbox", lambda candle: None)
    known.state = "live"
    known.prices = {symbol: (Decimal(price), time.monotonic()) for symbol in SYMBOLS}
    accounts = SimpleNamespace(
        explain_not_ready=lambda account: "",
        find_balances=lambda account: PLENTY,
        find_lease=lambda account: None,
        explain_drift=lambda account: "",
    )
    inputs = BotInputs(known, cast(Any, accounts), Decisions(), lambda: START + 3 * STEP)
    return BotRunner(loaded_bot, inputs, BotHost(start=Mock(), dispatch=Mock(), remove=Mock()))


def wind(runner: BotRunner, *, sell: bool) -> list[Order]:
    """As often as it takes until something is sent, or the run is over."""
    for _ in range(4):
        for effects in (wind_up(runner, sell=sell), runner.steps.retry_exits()):
            if runner.queue.closed or (effects and effects.send):
                return effects.send if effects else []
    return []


def end_of(loaded_bot: LoadedBot) -> tuple[str, list[dict[str, Any]]]:
    loaded_bot.run.refresh_from_db()
    return loaded_bot.run.end_reason, loaded_bot.run.left


def with_rules(**rules: str) -> None:
    Instrument.objects.update(**{name: Decimal(value) for name, value in rules.items()})


def holding(**more: Any) -> LoadedBot:
    loaded_bot = started(**more)
    for order in bought(loaded_bot).send:
        report_apply(loaded_bot, filled(order), market())
    return loaded_bot


def base_fee(order: Order, fee: str, quantity: Decimal | None = None, status: str = "filled") -> Report:
    """Filled at 10, with its fee out of what was bought."""
    part = order.quantity if quantity is None else quantity
    one = Execution(f"b{order.pk}", Decimal(10), part, Decimal(fee), order.symbol.split("-")[0], False, datetime.now(UTC))
    return replace(reported(order, status, part), executions=(one,))


def test_close_goes_on_while_an_exit_only_waits_for_the_next_candle() -> None:
    """The strategy wanted out at the last close, so a sale waits in the engine: nothing of it is at the venue."""
    loaded_bot = holding()
    decide(loaded_bot, SignalRow(exit=True))
    runner = runner_of(loaded_bot)
    sold = wind(runner, sell=True)
    assert [(one.side, one.symbol) for one in sold] == [("sell", symbol) for symbol in SYMBOLS]
    assert end_of(loaded_bot) == ("", [])
    for order in sold:
        report_apply(loaded_bot, filled(order), market())
    wind(runner, sell=True)
    assert end_of(loaded_bot) == ("closed", [])


def test_close_goes_on_after_the_venue_has_refused_the_sale() -> None:
    loaded_bot = holding()
    runner = runner_of(loaded_bot)
    for order in wind(runner, sell=True):
        report_apply(loaded_bot, reported(order, "rejected"), market())
    assert len(wind(runner, sell=True)) == len(SYMBOLS)
    assert end_of(loaded_bot) == ("", [])


def test_stop_says_what_it_keeps_and_what_that_is_worth() -> None:
    loaded_bot = holding()
    wind(runner_of(loaded_bot), sell=False)
    why, left = end_of(loaded_bot)
    held = {one.symbol: one.quantity for one in Position.objects.all()}
    assert why == "stopped"
    assert [(one["what"], one["symbol"], Decimal(one["value"])) for one in left] == [
        ("position", symbol, round(held[symbol] * 10, 8)) for symbol in SYMBOLS
    ]
    assert {one["currency"] for one in left} == {"BTC"}
    row = selectors.bot_rows([selectors.bot_get(loaded_bot.bot.bot_id)])[0]
    assert row.status.word == "stopped"
    assert "Still held: 9.97" in row.status.why
    assert "Stop keeps what is held." in row.status.why
    assert selectors.status_json(row)["left"] == left
    told = Event.objects.filter(type="bot_status").latest("id").payload
    assert (told["left"], told["detail"]) == (left, row.status.why)


def test_close_says_what_it_could_not_sell_since_the_engine_never_bought_it() -> None:
    """An order that a person had the bot adopt is in the books only."""
    loaded_bot = started()
    order = bought(loaded_bot).send[0]
    Order.objects.filter(pk=order.pk).update(number=-1)
    report_apply(loaded_bot, filled(order), market())
    runner = runner_of(bot_load(loaded_bot.bot.pk))
    for other in Order.objects.exclude(pk=order.pk):
        report_apply(runner.loaded_bot, reported(other, "cancelled"), market())
    wind(runner, sell=True)
    why, left = end_of(loaded_bot)
    assert why == "partly_closed"
    assert [(one["what"], one["symbol"]) for one in left] == [("position", order.symbol)]
    assert "sell it at the venue" in left[0]["why"]
    assert "Still held" in Event.objects.get(type="alert").payload["message"]


def test_what_a_fee_leaves_of_a_lot_is_dust_and_no_position() -> None:
    loaded_bot = started()
    with_rules(lot_size="0.01")
    loaded_bot = bot_load(loaded_bot.bot.pk)
    for order in bought(loaded_bot).send:
        report_apply(loaded_bot, base_fee(order, "0.003"), market())
    runner = runner_of(loaded_bot)
    for order in wind(runner, sell=True):
        report_apply(loaded_bot, filled(order), market())
    wind(runner, sell=True)
    why, left = end_of(loaded_bot)
    assert why == "closed"
    assert [(one["what"], one["qty"], one["value"]) for one in left] == [("dust", "0.007", "0.07")] * 2
    assert left[0]["why"] == "Dust: binance-sandbox takes no order below 0.01 ETH."
    row = selectors.bot_rows([selectors.bot_get(loaded_bot.bot.bot_id)])[0]
    assert row.positions == []
    assert (len(row.dust), row.dust_worth) == (2, Decimal("0.14"))
    assert selectors.bot_json(row)["positions"] == 0
    assert not selectors.positions_open().exists()
    bot_delete(bot_id=loaded_bot.bot.bot_id)


def test_dust_keeps_nobody_from_buying_and_goes_along_with_the_next_purchase() -> None:
    loaded_bot = started()
    with_rules(lot_size="0.01")
    loaded_bot = bot_load(loaded_bot.bot.pk)
    for order in bought(loaded_bot).send:
        report_apply(loaded_bot, base_fee(order, "0.003"), market())
    decide(loaded_bot, SignalRow(exit=True))
    for order in candle_open(loaded_bot, START + 2 * STEP, PRICES, market()).send:
        report_apply(loaded_bot, filled(order), market())
    assert set(Position.objects.values_list("quantity", "dust")) == {(Decimal("0.007"), True)}
    decide(loaded_bot, SignalRow(entry=True))
    candle_open(loaded_bot, START + 3 * STEP, PRICES, market())
    again = step_apply(loaded_bot, market(), lambda: loaded_bot.trader.entries(PRICES)).send
    assert [one.side for one in again] == ["buy"] * 2
    report_apply(loaded_bot, filled(again[0]), market())
    position = Position.objects.get(symbol=again[0].symbol)
    assert (position.quantity, position.dust) == (again[0].quantity + Decimal("0.007"), False)


def test_a_purchase_of_less_than_the_venue_takes_back_is_dust_and_no_lot() -> None:
    """0.2 of it were filled, worth 2, and then it was cancelled: no order could sell that."""
    loaded_bot = started()
    with_rules(min_notional="5")
    loaded_bot = bot_load(loaded_bot.bot.pk)
    for order in bought(loaded_bot).send:
        report_apply(loaded_bot, reported(order, "partially_filled", Decimal("0.2")), market())
        report_apply(loaded_bot, reported(order, "cancelled", name="none"), market())
    assert loaded_bot.trader.holdings() == []
    assert set(loaded_bot.trader.positions().values()) == {0.2}
    assert set(Position.objects.values_list("dust", flat=True)) == {True}
    wind(runner_of(loaded_bot), sell=True)
    why, left = end_of(loaded_bot)
    assert (why, {one["what"] for one in left}) == ("closed", {"dust"})
    assert left[0]["why"] == "Dust: binance-sandbox takes no order below 5 BTC."
    bot_start(bot_id=loaded_bot.bot.bot_id)
    assert bot_load(loaded_bot.bot.pk).trader.holdings() == []


def claims() -> list[tuple[str, Decimal, Decimal, bool]]:
    rows = RiskAllocation.objects.order_by("id")
    return [(str(one.status), one.used, one.open, one.released_at is not None) for one in rows]


def test_a_claim_is_released_when_what_it_was_for_is_sold() -> None:
    loaded_bot = holding()
    assert {(status, released) for status, _, _, released in claims()} == {("used", False)}
    assert sum(used for _, used, _, _ in claims()) == RiskBudget.objects.get(scope="bot").used
    order = Order.objects.filter(side="buy").earliest("id")
    claim = order.allocation
    assert (claim.run_id, claim.symbol, claim.trigger_id) == (order.run_id, order.symbol, order.trigger_id)
    decide(loaded_bot, SignalRow(exit=True))
    first, second = candle_open(loaded_bot, START + 2 * STEP, PRICES, market()).send
    report_apply(loaded_bot, reported(first, "partially_filled", first.quantity / 2, name="half"), market())
    assert sum(used for _, used, _, _ in claims()) == RiskBudget.objects.get(scope="bot").used
    assert [status for status, _, _, _ in claims()] == ["used", "used"]
    first.refresh_from_db()
    report_apply(loaded_bot, reported(first, "filled", first.quantity / 2, name="rest"), market())
    report_apply(loaded_bot, filled(second), market())
    assert claims() == [("released", Decimal(0), Decimal(0), True)] * 2
    assert RiskBudget.objects.get(scope="bot").used == 0


def test_claims_of_many_purchases_are_released_oldest_first_and_by_one_part_of_the_statement() -> None:
    loaded_bot = holding()
    again = bot_load(loaded_bot.bot.pk)
    assert {symbol: len(rows) for symbol, rows in again.claims.rows.items()} == dict.fromkeys(SYMBOLS, 1)
    old = RiskAllocation.objects.filter(symbol=ETH).get()
    before = old.used
    order = Order.objects.get(pk=old.order_id)
    order.pk, order.order_id, order.client_order_id, order.number = None, "second", "second", -1
    order.save()
    newer = RiskAllocation.objects.create(
        order=order, bot=order.bot, run=order.run, symbol=ETH, currency="BTC", amount=Decimal(50), open=0, used=50, status="used"
    )
    again = bot_load(loaded_bot.bot.pk)
    decide(again, SignalRow(exit=True))
    sale = candle_open(again, START + 2 * STEP, PRICES, market()).send[0]
    assert sale.symbol == ETH
    report_apply(again, reported(sale, "partially_filled", sale.quantity / 4, name="a"), market())
    old.refresh_from_db()
    newer.refresh_from_db()
    assert (old.used < before, newer.used) == (True, 50)
    sale.refresh_from_db()
    report_apply(again, reported(sale, "filled", sale.quantity * 3 / 4, name="b"), market())
    assert list(RiskAllocation.objects.filter(symbol=ETH).values_list("used", "status")) == [(0, "released")] * 2


def test_what_has_become_dust_since_it_was_bought_does_not_hold_up_the_end() -> None:
    """Worth 99.7 at 10, and the venue takes no order below 120 by now; then the price rises again."""
    loaded_bot = holding()
    with_rules(min_notional="120")
    loaded_bot = bot_load(loaded_bot.bot.pk)
    assert wind(runner_of(loaded_bot), sell=True) == []
    why, left = end_of(loaded_bot)
    assert (why, {one["what"] for one in left}) == ("closed", {"dust"})
    assert not selectors.positions_open().exists()
    bot_start(bot_id=loaded_bot.bot.bot_id)
    again = bot_load(loaded_bot.bot.pk)
    assert len(wind(runner_of(again, "13"), sell=True)) == len(SYMBOLS)
