"""Exits that the sandbox exchange, or we, refuse: over hours of the market's time, without waiting for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from math import ceil
from typing import Any

import pytest
from binance.exceptions import BinanceAPIException

from core.models import Event
from core.times import from_ms
from engine.live import Refusal, SignalRow
from market.exchanges.base import OrderRequest, Refused, Report
from market.exchanges.binance import frames, orders
from market.exchanges.binance.errors import translate_error
from market.sandbox.binance import forms
from market.sandbox.binance.notation import BinanceError
from market.sandbox.binance.order_calls import OrderCalls
from market.sandbox.binance.symbols import SymbolNames
from market.sandbox.exchange import SandboxExchange
from market.sandbox.instruments import BINANCE_FEES, ListedInstrument
from market.sandbox.orders import RequestRefused
from market.services import instruments_note
from tests.trading.live.test_levels import FLAT, START
from tests.trading.test_run_ends import runner_of
from tests.trading.test_steps import PLENTY, PRICES, STEP, SYMBOLS, bought, decide, reasons, started
from trading.live.bot_commands import wind_up
from trading.live.bot_runner import BotRunner
from trading.live.bot_steps import explain_refusals
from trading.live.exit_watch import ExitWatch
from trading.models import KillSwitch, Order, Position
from trading.services.bot_loading import bot_load, instruments_of
from trading.services.loaded_bot import MarketNow
from trading.services.orders import order_end, order_request, report_apply
from trading.services.step_writer import StepEffects
from trading.services.steps import candle_close, candle_open, exits_retry, step_apply

pytestmark = [pytest.mark.django_db(transaction=True)]
D = Decimal
MINUTE, HOUR = 60_000, 3_600_000
SYMBOL = SYMBOLS[0]
NAMES = {"ETHBTC": "ETH-BTC", "LTCBTC": "LTC-BTC"}


class SandboxVenue:
    """The sandbox exchange, its answers read by our adapter's own functions, and no line between them."""

    def __init__(self) -> None:
        listed = [ListedInstrument(one, D("0.01"), D("0.001"), D("0.001"), D(9_000), D("0.0001"), D(10)) for one in SYMBOLS]
        self.exchange = SandboxExchange("binance", listed, BINANCE_FEES, seed=1, clock=lambda: START)
        self.exchange.open_account("a", {"BTC": D(10_000)})
        self.calls = OrderCalls(self.exchange, SymbolNames(self.exchange))

    def list_rules(self) -> None:
        listed = [frames.parse_instrument(forms.symbol_info(one.instrument)) for one in self.exchange.markets.values()]
        instruments_note(key="binance-sandbox", listed=listed)

    def cancel_all(self, symbol: str) -> list[Report]:
        """As another program with the same account does, or a person on the venue's page."""
        asked = {"symbol": symbol.replace("-", "")}
        there = self.exchange.open_orders("a", symbol)
        return [frames.parse_order(one, NAMES) for one in self.calls.cancel_all("a", asked)] if there else []

    def place(self, request: OrderRequest) -> Report:
        try:
            asked = orders.order_parameters(request)
            return frames.parse_placement(self.calls.place("a", asked), NAMES)
        except (RequestRefused, BinanceError) as error:
            said = error if isinstance(error, BinanceError) else BinanceError.of(error)
            text = json.dumps({"code": said.code, "msg": said.message})
            raise translate_error(BinanceAPIException(None, 400, text), acts=True) from None


class Desk:
    """A bot at that venue; the clock moves by hand."""

    def __init__(self, exits: dict[str, Any] | None = None, **filters: Any) -> None:
        self.venue, self.time, self.watch = SandboxVenue(), START + STEP, ExitWatch()
        for symbol in SYMBOLS if filters else ():
            self.venue.exchange.change_filters(symbol, **filters)
        self.loaded_bot = started(**({"exits": exits} if exits else {}))
        self.learn_rules()
        self.sent: list[tuple[str, int]] = []
        """Orders that went out: their symbol, and when."""
        self.price_age = 0.0
        self.find_quote: Callable[[str], tuple[Decimal, float] | None] | None = None

    def market(self) -> MarketNow:
        prices = {symbol: (D(10), self.price_age) for symbol in SYMBOLS}
        return MarketNow(from_ms(self.time), prices, "test", balances=PLENTY, find_quote=self.find_quote)

    def learn_rules(self) -> None:
        self.venue.list_rules()
        self.loaded_bot.update_instruments(instruments_of("binance-sandbox", SYMBOLS))

    def act(self, effects: StepEffects) -> None:
        waiting = [*effects.send]
        while waiting:
            order = waiting.pop(0)
            self.sent.append((order.symbol, self.time))
            waiting += self.place(order).send

    def place(self, order: Order) -> StepEffects:
        try:
            report = self.venue.place(order_request(order))
        except Refused as error:
            refusal = Refusal(error.kind, error.code, str(error))
            return order_end(self.loaded_bot, order.pk, order.status, "rejected", refusal, self.market())  # type: ignore[arg-type]
        return report_apply(self.loaded_bot, report, self.market())

    def tried(self, symbol: str) -> list[int]:
        """When orders of the symbol went out."""
        return [time for one, time in self.sent if one == symbol]

    def runner(self) -> BotRunner:
        """As a stream worker would have it."""
        one = runner_of(self.loaded_bot)
        one.steps.inputs = replace(one.steps.inputs, now_ms=lambda: self.time)
        return one

    def enter(self, minute: int) -> None:
        """At the close of that minute, and the open of the next one, the strategy wants in."""
        loaded, start = self.loaded_bot, START + STEP
        flat, rows = dict.fromkeys(SYMBOLS, FLAT), dict.fromkeys(SYMBOLS, SignalRow(entry=True))
        candle_close(loaded, start + minute * MINUTE, flat, rows, self.market())
        self.time = start + (minute + 1) * MINUTE
        self.act(candle_open(loaded, self.time, PRICES, self.market()))
        self.act(step_apply(loaded, self.market(), lambda: loaded.trader.entries(PRICES)))

    def leave(self) -> None:
        """The strategy wants out of the first symbol; the other one was never bought."""
        decide(self.loaded_bot, SignalRow(exit=True))
        self.time = START + 2 * STEP
        self.act(candle_open(self.loaded_bot, self.time, PRICES, self.market()))

    def wait(self, seconds: int) -> None:
        """A price comes each second, and the worker looks after exits that were refused."""
        for _ in range(seconds):
            self.time += 1_000
            loaded, trader = self.loaded_bot, self.loaded_bot.trader
            self.act(step_apply(loaded, self.market(), partial(trader.apply_price, SYMBOL, 10.0, self.time)))
            if trader.has_held_exits():
                changed = self.watch.find_changed(loaded, self.market())
                self.act(exits_retry(loaded, self.market(), changed))


@pytest.fixture
def desk() -> Desk:
    """It holds some two of each symbol: there are no more to buy."""
    one = Desk()
    one.act(bought(one.loaded_bot))
    one.sent.clear()
    return one


def held(symbol: str = SYMBOL) -> Decimal:
    return D(Position.objects.get(symbol=symbol).quantity)


def alerts() -> list[str]:
    return [one.payload["message"] for one in Event.objects.filter(type="alert").order_by("id")]


def test_an_entry_asks_for_the_most_that_the_venue_takes_and_the_rest_is_told() -> None:
    one = Desk(market_max_qty=D(1))
    one.act(bought(one.loaded_bot))
    assert {order.status for order in Order.objects.all()} == {"filled"}
    assert set(Order.objects.values_list("quantity", flat=True)) == {D(1)}
    assert reasons() == [(symbol, "above_maximum") for symbol in SYMBOLS]


def test_an_exit_above_the_maximum_is_sold_in_parts(desk: Desk) -> None:
    desk.venue.exchange.change_filters(SYMBOL, market_max_qty=D("0.8"))
    desk.learn_rules()
    before = held()
    desk.leave()
    sales = Order.objects.filter(symbol=SYMBOL, side="sell")
    assert {one.status for one in sales} == {"filled"}
    assert len(sales) == ceil(before / D("0.8")) > 2
    assert (held() < D("0.001"), reasons()) == (True, [])


def test_an_exit_that_the_venue_refuses_for_good_costs_twelve_orders_an_hour_and_is_told_once(desk: Desk) -> None:
    """The venue's rules have changed, and it has not said so yet."""
    desk.venue.exchange.change_filters(SYMBOL, market_max_qty=D(1))
    desk.leave()
    desk.loaded_bot = bot_load(desk.loaded_bot.bot.pk)  # another worker takes over
    desk.wait(3_600)
    refused = Order.objects.filter(symbol=SYMBOL, side="sell")
    assert {one.status for one in refused} == {"rejected"}
    assert 10 <= len(refused) <= 12
    ids = [one.order_id for one in refused]
    told = [one for one in Event.objects.all() if one.payload.get("order_id") in ids]
    assert len(told) == len(refused) + 1  # the first one's sending is told as always
    assert not Event.objects.filter(type="trade_blocked").exists()
    position = Position.objects.get(symbol=SYMBOL)
    assert "MARKET_LOT_SIZE" in position.exit_blocked
    assert position.exit_blocked_at is not None
    (alert,) = alerts()
    assert SYMBOL in alert
    desk.learn_rules()
    desk.wait(2)
    assert held() < D("0.001")
    assert Position.objects.get(symbol=SYMBOL).exit_blocked == ""
    assert (alerts(), desk.loaded_bot.trader.working()) == ([alert], [])


def test_a_take_profit_that_somebody_else_cancels_at_the_venue_rests_again_ever_more_seldom_and_says_so() -> None:
    """Two desks on one account: whatever rests there is gone again within seconds, for two hours."""
    desk = Desk(exits={"take_profit": 0.5})
    desk.act(bought(desk.loaded_bot))
    offered = desk.sent[-1][1]
    for _ in range(720):
        for report in desk.venue.cancel_all(SYMBOL):
            desk.act(report_apply(desk.loaded_bot, report, desk.market()))
        desk.time += 9_000
        desk.wait(1)
    tries = [one for one in desk.tried(SYMBOL) if one > offered]
    assert len(tries) >= 12
    assert most_in_an_hour(tries) <= 12
    said = Position.objects.get(symbol=SYMBOL).exit_blocked
    times = f"{Order.objects.filter(symbol=SYMBOL, status='cancelled').count()} times so far"
    assert said.startswith(f"Somebody else cancelled it at the venue, {times}. The desk watches its price itself; next try at ")
    (alert,) = alerts()
    assert alert.startswith(f"b cannot sell its {SYMBOL}: Somebody else cancelled it at the venue, 3 times so far.")
    desk.time += 600_000
    desk.wait(3_661)  # nobody cancels it any more
    assert Position.objects.get(symbol=SYMBOL).exit_blocked == ""
    assert len(desk.venue.exchange.open_orders("a", SYMBOL)) == 1


def most_in_an_hour(times: Sequence[int]) -> int:
    return max(sum(first <= one < first + HOUR for one in times) for first in times)


def test_close_and_the_exits_that_were_refused_share_twelve_tries_an_hour(desk: Desk) -> None:
    """A person closes a bot whose exit the venue refuses for good: what the strategy, Close and a restart want is one sale."""
    desk.venue.exchange.change_filters(SYMBOL, market_max_qty=D(1))
    desk.leave()
    desk.wait(400)
    runner = desk.runner()
    for turn in range(1_440):
        desk.time += 5_000
        if turn == 300:  # another worker takes over
            desk.loaded_bot = runner.steps.loaded_bot = bot_load(runner.bot_id)
        for effects in (wind_up(runner, sell=True), runner.steps.retry_exits(), runner.steps.touch(SYMBOL, 10.0, desk.time)):
            desk.act(effects or StepEffects())
    assert not runner.queue.closed
    refused = Order.objects.filter(symbol=SYMBOL, side="sell")
    assert {one.status for one in refused} == {"rejected"}
    assert len(refused) >= 24
    assert most_in_an_hour(desk.tried(SYMBOL)) == 12
    desk.venue.exchange.change_filters(SYMBOL, market_max_qty=D(9_000))
    desk.time += HOUR
    desk.act(runner.steps.retry_exits() or StepEffects())
    wind_up(runner, sell=True)
    assert (held() < D("0.001"), runner.queue.closed) == (True, True)


def test_entries_that_the_venue_refuses_for_good_cost_twelve_orders_an_hour_and_an_event_each() -> None:
    """The strategy wants in at each close of a minute, for three hours."""
    one = Desk()
    one.venue.exchange.change_filters(SYMBOL, market_max_qty=D("0.5"))
    for minute in range(180):
        one.enter(minute)
        if minute == 90:
            one.loaded_bot = bot_load(one.loaded_bot.bot.pk)
    refused = Order.objects.filter(symbol=SYMBOL)
    assert {order.status for order in refused} == {"rejected"}
    assert len(refused) >= 30
    assert most_in_an_hour(one.tried(SYMBOL)) <= 12
    ids = [order.order_id for order in refused]
    told = [event for event in Event.objects.all() if event.payload.get("order_id") in ids]
    assert len(told) == len(refused) + 1  # the first one's sending is told as always
    assert [reason for reason in reasons() if reason[0] == SYMBOL] == [(SYMBOL, "entry_refused")]
    said = explain_refusals(one.loaded_bot)
    assert said.startswith(f"binance-sandbox takes no purchase of {SYMBOL}: ")
    assert "MARKET_LOT_SIZE" in said
    one.learn_rules()
    one.enter(180)
    assert (held() > 0, explain_refusals(one.loaded_bot)) == (True, "")


def test_entries_that_the_venue_refuses_for_now_are_tried_ever_more_seldom() -> None:
    """The market is closed for three hours, and the strategy wants in at each close of a minute."""
    one = Desk()
    one.venue.exchange.change_filters(SYMBOL, trading=False)
    for minute in range(180):
        one.enter(minute)
        if minute == 90:
            one.loaded_bot = bot_load(one.loaded_bot.bot.pk)
    refused = Order.objects.filter(symbol=SYMBOL)
    assert {order.status for order in refused} == {"rejected"}
    assert 30 <= len(refused) <= 45
    assert [reason for reason in reasons() if reason[0] == SYMBOL] == [(SYMBOL, "entry_refused")]
    assert explain_refusals(one.loaded_bot).startswith(f"binance-sandbox takes no purchase of {SYMBOL}: ")
    one.venue.exchange.change_filters(SYMBOL, trading=True)
    for minute in range(180, 186):
        one.enter(minute)
    assert (held() > 0, explain_refusals(one.loaded_bot)) == (True, "")


def test_an_exit_that_the_kill_switch_met_is_blocked_once_and_goes_out_when_that_is_lifted(desk: Desk) -> None:
    KillSwitch.objects.create(killed=True)
    desk.leave()
    desk.wait(300)
    assert [one for one in reasons() if one[0] == SYMBOL] == [(SYMBOL, "kill_switch")]
    assert (desk.sent, len(alerts())) == ([], len(SYMBOLS))
    KillSwitch.objects.update(killed=False)
    desk.wait(31)
    assert held() < D("0.001")
    assert Position.objects.get(symbol=SYMBOL).exit_blocked == ""


def test_an_exit_goes_by_a_quote_where_nobody_trades(desk: Desk) -> None:
    decide(desk.loaded_bot, SignalRow(exit=True))
    desk.price_age, desk.time = 45.0, START + 2 * STEP
    stale = candle_open(desk.loaded_bot, desk.time, PRICES, desk.market())
    assert (stale.send, [one.reason for one in stale.blocked]) == ([], ["stale_price"] * 2)
    desk.wait(60)
    assert [one for one in reasons() if one[0] == SYMBOL] == [(SYMBOL, "stale_price")]
    desk.find_quote = lambda symbol: (D("9.9"), 1.0)
    desk.wait(31)
    assert held() < D("0.001")


def test_what_an_exit_depends_on_is_compared_with_what_it_was(desk: Desk) -> None:
    watch, market = ExitWatch(), desk.market()
    assert watch.find_changed(desk.loaded_bot, market) == set()
    near, far = ({**market.prices, SYMBOL: (price, 0.0)} for price in (D("10.09"), D("10.1")))
    assert watch.find_changed(desk.loaded_bot, replace(market, prices=near)) == set()
    assert watch.find_changed(desk.loaded_bot, replace(market, prices=far)) == {SYMBOL}
    more = {**PLENTY, "LTC": replace(PLENTY["LTC"], held=D(1))}
    assert watch.find_changed(desk.loaded_bot, replace(market, prices=far, balances=more)) == {"LTC-BTC"}
