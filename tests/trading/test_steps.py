"""A step at a venue: orders, claims and the engine's memory are written together, or each order without room says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.models import Event
from engine.live import Refusal, SignalRow, Step
from market.exchanges.base import Balance, Execution, Report
from market.services import instrument_ensure, stream_ensure, stream_hold
from tests.trading.live.test_levels import FLAT, NOWHERE, START
from tests.trading.making import config
from trading.models import BlockEvent, BotState, Fill, KillSwitch, Order, RiskAllocation, RiskBudget
from trading.services.bot_loading import bot_load, bots_load
from trading.services.bots import bot_create, bot_start
from trading.services.heard_reports import HeardReports
from trading.services.lease import Lease
from trading.services.loaded_bot import LoadedBot, MarketNow, Overtaken, StaleBot
from trading.services.orders import report_apply
from trading.services.runs import run_end
from trading.services.step_writer import StepEffects
from trading.services.steps import candle_close, candle_open, step_apply
from wallets.models import WalletBalance
from wallets.services import account_create, wallet_create

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]
SYMBOLS = ("ETH-BTC", "LTC-BTC")
STEP = 300_000
PRICES = dict.fromkeys(SYMBOLS, 10.0)
PLENTY = {asset: Balance(asset, Decimal(10_000), Decimal(0)) for asset in ("ETH", "LTC", "BTC")}


@pytest.fixture
def loaded_bot() -> LoadedBot:
    """Of a bot with two symbols that spends 100 on each entry."""
    return started()


def started(**more: Any) -> LoadedBot:
    account = account_create(name="account", venue="binance", environment="sandbox", api_key="key", secret="secret", **NOWHERE)
    wallet = wallet_create(name="wallet", kind="exchange", quote="BTC", account=account)
    for symbol in SYMBOLS:
        instrument_ensure(venue="binance-sandbox", symbol=symbol)
    given = config(venue="binance-sandbox", symbols=list(SYMBOLS), sizing={"kind": "fixed", "value": "100"}, **more)
    return bot_load(bot_start(bot_id=bot_create(name="b", mode="testnet", wallet_id=wallet.wallet_id, config=given).bot_id).pk)


def market(lease: Lease | None = None) -> MarketNow:
    prices = {symbol: (Decimal(10), 0.0) for symbol in SYMBOLS}
    return MarketNow(datetime.now(UTC), prices, "test", balances=PLENTY, lease=lease)


def decide(loaded_bot: LoadedBot, row: SignalRow) -> None:
    time_ms = START if loaded_bot.time is None else loaded_bot.time + STEP
    candle_close(loaded_bot, time_ms, dict.fromkeys(SYMBOLS, FLAT), dict.fromkeys(SYMBOLS, row), market())


def bought(loaded_bot: LoadedBot, lease: Lease | None = None) -> StepEffects:
    decide(loaded_bot, SignalRow(entry=True))
    candle_open(loaded_bot, START + STEP, PRICES, market())
    return step_apply(loaded_bot, market(lease), lambda: loaded_bot.trader.entries(PRICES))


def hold(holder: str = "me") -> Lease:
    """On the bot's venue."""
    stream = stream_ensure(venue="binance", environment="sandbox")
    token = stream_hold(stream_id=stream.pk, holder="me")
    assert token
    return Lease(stream.pk, holder, token)


def sold(loaded_bot: LoadedBot) -> StepEffects:
    decide(loaded_bot, SignalRow(exit=True))
    return candle_open(loaded_bot, START + 2 * STEP, PRICES, market())


def filled(order: Order, *, price: str = "10") -> Report:
    return reported(order, "filled", order.quantity, price=Decimal(price))


def reported(order: Order, status: str, part: Decimal = Decimal(0), *, price: Decimal = Decimal(10), name: str = "") -> Report:
    """`part`: how much of it was executed just now, at `price`, by the trade `name`."""
    execution = Execution(name or f"t{order.pk}", price, part, Decimal("0.1"), "BTC", maker=False, time=datetime.now(UTC))
    return Report(
        venue="binance",
        symbol=order.symbol,
        client_order_id=order.client_order_id,
        venue_order_id=f"v{order.pk}",
        side=order.side,  # type: ignore[arg-type]
        type=order.type,  # type: ignore[arg-type]
        status=status,  # type: ignore[arg-type]
        quantity=order.quantity,
        filled=order.filled_quantity + part,
        executions=(execution,) if part else (),
        time=datetime.now(UTC),
    )


def wallet_limit(limit: int) -> None:
    RiskBudget.objects.filter(scope="wallet").update(limit=limit)


def claimed() -> set[Decimal]:
    return set(RiskBudget.objects.values_list("claimed", flat=True))


def reasons() -> list[tuple[str, str]]:
    return list(BlockEvent.objects.order_by("id").values_list("symbol", "reason"))


def test_orders_claims_and_memory_take_one_statement(loaded_bot: LoadedBot) -> None:
    decide(loaded_bot, SignalRow(entry=True))
    candle_open(loaded_bot, START + STEP, PRICES, market())
    with CaptureQueriesContext(connection) as asked:
        written = step_apply(loaded_bot, market(), lambda: loaded_bot.trader.entries(PRICES))
    assert len(asked) == 1
    assert [one.symbol for one in written.send] == list(SYMBOLS)
    amounts = RiskAllocation.objects.values_list("amount", flat=True)
    assert claimed() == {sum(amounts)}
    assert BotState.objects.get(pk=loaded_bot.bot.pk).version == loaded_bot.version
    assert [one.payload["symbol"] for one in Event.objects.filter(type="order_submitted").order_by("id")] == list(SYMBOLS)


def test_the_candle_that_has_begun_is_written_with_what_it_set_off(loaded_bot: LoadedBot) -> None:
    """A worker that dies right after must not find a memory that is a candle ahead of its row."""
    for order in bought(loaded_bot).send:
        report_apply(loaded_bot, filled(order), market())
    assert sold(loaded_bot).send
    assert BotState.objects.get(pk=loaded_bot.bot.pk).opened == START + 2 * STEP


def test_who_holds_the_venue_writes_orders_as_submitted(loaded_bot: LoadedBot) -> None:
    """In the same statement: the venue is told of nothing else first."""
    lease = hold()
    decide(loaded_bot, SignalRow(entry=True))
    candle_open(loaded_bot, START + STEP, PRICES, market())
    with CaptureQueriesContext(connection) as asked:
        written = step_apply(loaded_bot, market(lease), lambda: loaded_bot.trader.entries(PRICES))
    assert len(asked) == 1
    assert [(one.status, one.attempts) for one in written.send] == [("submitted", 1)] * 2
    for order in Order.objects.all():
        assert (order.status, order.attempts) == ("submitted", 1)
        assert order.submitted_at is not None
    assert {one.payload["status"] for one in Event.objects.filter(type="order_submitted")} == {"submitted"}


def test_who_has_lost_the_venue_writes_them_as_pending(loaded_bot: LoadedBot) -> None:
    written = bought(loaded_bot, hold(holder="another"))
    assert {(one.status, one.submitted_at) for one in Order.objects.all()} == {("pending", None)}
    assert [one.status for one in written.send] == ["pending"] * 2
    assert not reasons()


def test_the_kill_switch_lets_no_order_be_written_as_submitted(loaded_bot: LoadedBot) -> None:
    lease = hold()
    KillSwitch.objects.create(killed=True)
    assert not bought(loaded_bot, lease).send
    assert {reason for _, reason in reasons()} == {"kill_switch"}
    assert not Order.objects.exists()


def test_a_fill_takes_two_statements_and_its_event_tells_its_key(loaded_bot: LoadedBot) -> None:
    order = bought(loaded_bot).send[0]
    with CaptureQueriesContext(connection) as asked:
        report_apply(loaded_bot, filled(order), market())
    assert len(asked) == 2
    fill = Fill.objects.get(order=order)
    assert Event.objects.get(type="fill").payload["id"] == fill.pk
    assert WalletBalance.objects.get(asset="ETH").amount == order.quantity
    assert RiskBudget.objects.get(scope="bot").used == fill.cost + fill.fee


def test_where_there_is_room_for_one_of_two_the_other_says_why(loaded_bot: LoadedBot) -> None:
    wallet_limit(150)
    written = bought(loaded_bot)
    assert [one.symbol for one in written.send] == ["ETH-BTC"]
    assert reasons() == [("LTC-BTC", "wallet_budget")]
    assert claimed() == {RiskAllocation.objects.get().amount}
    assert Order.objects.get().symbol == "ETH-BTC"
    assert set(loaded_bot.orders) == {written.send[0].number}
    restored = bot_load(loaded_bot.bot.pk)
    assert [one.symbol for one in restored.trader.working()] == ["ETH-BTC"]


@pytest.mark.parametrize("refused", SYMBOLS)
def test_an_order_given_up_on_anothers_refusal_is_called_off_though_it_was_not_written_yet(
    loaded_bot: LoadedBot, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    """Both were wanted in one step. If it were sent all the same, the engine would wait for its end for ever."""
    block = loaded_bot.trader.block

    def block_and_give_up(number: int, refusal: Refusal) -> Step:
        step = block(number, refusal)
        assert loaded_bot.trader.venue_orders
        for out in loaded_bot.trader.venue_orders.sent.values():
            loaded_bot.trader.venue_orders.give_up(out, step)
        return step

    monkeypatch.setattr(loaded_bot.trader, "block", block_and_give_up)
    decide(loaded_bot, SignalRow(entry=True))
    candle_open(loaded_bot, START + STEP, PRICES, market())
    narrow = replace(market(hold()), tradable=frozenset(SYMBOLS) - {refused})
    step_apply(loaded_bot, narrow, lambda: loaded_bot.trader.entries(PRICES))
    assert reasons() == [(refused, "not_tradable")]
    order = Order.objects.get()
    assert order.symbol != refused
    assert (order.status, order.cancel_requested) == ("pending", True)


def test_without_room_for_any_nothing_is_claimed(loaded_bot: LoadedBot) -> None:
    wallet_limit(50)
    assert not bought(loaded_bot).send
    assert reasons() == [(symbol, "wallet_budget") for symbol in SYMBOLS]
    assert claimed() == {Decimal(0)}
    assert not Order.objects.exists()


@pytest.mark.parametrize("step", [bought, sold])
def test_the_kill_switch_blocks_each_order_of_a_step(loaded_bot: LoadedBot, step: Callable[[LoadedBot], StepEffects]) -> None:
    if step is sold:
        for order in bought(loaded_bot).send:
            report_apply(loaded_bot, filled(order), market())
    KillSwitch.objects.create(killed=True)
    before = Order.objects.count()
    assert not step(loaded_bot).send
    assert reasons() == [(symbol, "kill_switch") for symbol in SYMBOLS]
    assert Order.objects.count() == before


def test_protective_orders_use_up_nothing_of_the_rate_of_entries() -> None:
    """One whose stop is moved with every step of the price must not be kept from buying by that."""
    loaded_bot = started(exits={"stop_loss": 0.1})
    for order in bought(loaded_bot).send:
        report_apply(loaded_bot, filled(order), market())
    for symbol in SYMBOLS:
        step_apply(loaded_bot, market(), partial(loaded_bot.trader.apply_price, symbol, 8.9, START + STEP + 1))
    orders = Order.objects.filter(bot=loaded_bot.bot)
    assert orders.filter(reason="stop_loss").count() == len(SYMBOLS)
    assert len(loaded_bot.recent) == orders.exclude(reason="stop_loss").count() == len(SYMBOLS)


def test_a_dearer_fill_is_booked_though_others_have_claimed_the_rest(loaded_bot: LoadedBot) -> None:
    first, second = bought(loaded_bot).send
    RiskBudget.objects.filter(scope="wallet").update(limit=sum(RiskAllocation.objects.values_list("amount", flat=True)))
    report_apply(loaded_bot, filled(first, price="12"), market())
    assert Fill.objects.get().order_id == first.pk
    assert second.pk in loaded_bot.orders.values()


def lost(loaded_bot: LoadedBot) -> LoadedBot:
    """As a stream worker of another version of the engine loads it."""
    BotState.objects.filter(pk=loaded_bot.bot.pk).update(book=b"of another time")
    found = bots_load([loaded_bot.bot.pk])[loaded_bot.bot.pk]
    assert isinstance(found, LoadedBot)
    assert "cannot be read" in found.unreadable
    return found


def test_a_run_without_a_readable_memory_before_it_begins_with_the_books(loaded_bot: LoadedBot) -> None:
    for order in bought(loaded_bot).send:
        report_apply(loaded_bot, filled(order), market())
    before = loaded_bot.trader
    found = lost(loaded_bot)
    run_end(found.run, "failed")
    bot_start(bot_id=loaded_bot.bot.bot_id)
    after = bot_load(loaded_bot.bot.pk)
    assert after.run != loaded_bot.run
    assert after.trader.positions() == before.positions()
    assert after.trader.cash == pytest.approx(before.cash, abs=1e-9)
    assert [one.quantity for one in after.trader.holdings()] == [one.quantity for one in before.holdings()]
    after.time = START
    assert [(one.side, one.symbol) for one in sold(after).send] == [("sell", symbol) for symbol in SYMBOLS]


def test_what_the_venue_says_of_a_bot_without_a_readable_memory_is_booked(loaded_bot: LoadedBot) -> None:
    order = bought(loaded_bot).send[0]
    found = lost(loaded_bot)
    assert not report_apply(found, filled(order), market()).send
    assert Fill.objects.get().order_id == order.pk
    assert found.positions[order.symbol].quantity == order.quantity
    assert RiskAllocation.objects.get(order=order).open == 0
    assert bytes(BotState.objects.get(pk=loaded_bot.bot.pk).book) == b"of another time"


def test_another_workers_state_stops_the_step_whole(loaded_bot: LoadedBot) -> None:
    BotState.objects.filter(pk=loaded_bot.bot.pk).update(version=loaded_bot.version + 1)
    with pytest.raises(StaleBot):
        bought(loaded_bot)
    assert not Order.objects.exists()
    assert claimed() == {Decimal(0)}


def test_a_report_on_an_order_that_somebody_writes_meanwhile_is_tried_again(
    loaded_bot: LoadedBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = bought(loaded_bot).send[0]
    note = HeardReports.note

    def overtaken(self: HeardReports, *given: Any) -> None:
        Order.objects.filter(pk=order.pk).update(status="submitted")
        note(self, *given)

    monkeypatch.setattr(HeardReports, "note", overtaken)
    with pytest.raises(Overtaken):
        report_apply(loaded_bot, filled(order), market())
    assert not Fill.objects.exists()
    monkeypatch.undo()
    again = bot_load(loaded_bot.bot.pk)
    report_apply(again, filled(order), market())
    assert Fill.objects.count() == 1
