"""Money is conserved in every driver: what comes out, fees included, is what went in, to the last unit; nothing that is made up
ever falls below zero. `-m money` plays 2,000 days, or as many as MONEY_DAYS says, any other run a few."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings

from backtests.data import load_candles, resolve_config
from core.fields import EXACT
from core.times import to_ms
from engine.live import OHLCV, Refusal, decide_row
from engine.order_rules import OrderTerms, RuleFault, iter_size_faults, largest_quantity
from engine.simulator import simulate
from engine.strategies import registry
from engine.strategy import evaluate
from engine.types import ORDER_TYPES, SIDES, Candles, Rules
from market.candles import write_candles
from market.exchanges.base import Balance, Execution, Report
from market.models import Instrument
from market.services import instrument_ensure
from market.size_rules import instrument_rules
from tests.trading.money import (
    START,
    STEP,
    VENUE,
    Day,
    days,
    grown,
    register,
    side_by_side,
    unregister,
    without_lots,
    without_rules,
)
from tests.wallets.making import account
from trading.live.replay import replay_drive
from trading.models import OPEN, Bot, Fill, Order, OrderStatus, Position
from trading.services.bot_loading import bot_load
from trading.services.bots import bot_create, bot_start
from trading.services.loaded_bot import LoadedBot, MarketNow
from trading.services.orders import order_end, report_apply
from trading.services.step_writer import StepEffects
from trading.services.steps import candle_close, candle_open, step_apply
from trading.setup.config import parse_config
from wallets.ledger import STEP as LEDGER_STEP
from wallets.models import LedgerEntry, Wallet
from wallets.selectors import balance_check, wallet_balances
from wallets.services import ledger_opening_from_venue, wallet_create

pytestmark = [pytest.mark.django_db, pytest.mark.money]
ALL, SOME = int(os.environ.get("MONEY_DAYS", "2000")), 8
QUOTE = "USDT"
NOTHING = Decimal(0)
NEARLY = 1.0 + 1e-9


@pytest.fixture(autouse=True)
def dice(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.MEDIA_ROOT = tmp_path / "media"
    register()
    yield
    unregister()


@pytest.mark.parametrize("driver", ["backtest", "replay", "paper", "venue"])
def test_value_in_is_value_out_and_fees(driver: str, request: pytest.FixtureRequest) -> None:
    traded = []
    examples = ALL if "money" in str(request.config.option.markexpr) else SOME

    @settings(max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(day=days())
    @example(day=without_rules())
    @example(day=side_by_side())
    @example(day=without_lots())
    @example(day=grown())
    def play(day: Day) -> None:
        with undone():
            for one in day.candles:
                write_candles(instrument_ensure(venue=VENUE, symbol=one.symbol, **day.rules), one)
            Instrument.objects.filter(venue=VENUE).update(limits=day.limits)
            traded.append({"backtest": backtest, "replay": replay, "paper": paper, "venue": at_venue}[driver](day))

    play()
    assert sum(traded) > examples


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def written(value: Any) -> Decimal:
    return Decimal(repr(float(value)))


def entered(price: Decimal, quantity: Decimal) -> Decimal:
    """What was paid, to the places that a ledger has: without rules it has more."""
    return EXACT.quantize(EXACT.multiply(price, quantity), LEDGER_STEP)


def backtest(day: Day) -> int:
    """Fills of a simulation, summed exactly. Without rules its amounts are floats, and so is what they come to."""
    config = resolve_config(parse_config(day.bots[0]))
    candles, strategy = load_candles(config), registry.get_strategy(config.strategy)(config.params)
    signals = [evaluate(strategy, one)[1] for one in candles]
    found = simulate(config.account(), candles, signals, warmup=1, position=strategy.position)
    money, held = config.cash, NOTHING
    bought: dict[int, float] = {}
    for i, order in enumerate(found.fills["order"]):
        if SIDES[found.orders["side"][order]] == "buy":
            bought[order] = bought.get(order, 0.0) + found.fills["quantity"][i]
        sign = 1 if SIDES[found.orders["side"][order]] == "sell" else -1
        price, quantity, fee = (written(found.fills[name][i]) for name in ("price", "quantity", "fee"))
        money += sign * price * quantity - fee
        held -= sign * quantity
        if day.rules:
            assert written(found.fills["cash"][i]) == money
            assert money >= 0
    assert abs(money - written(found.final_cash)) <= (NOTHING if day.rules else Decimal("1e-6"))
    assert abs(held) <= (NOTHING if day.rules else Decimal("1e-9"))
    for order, got in bought.items():
        rules = config.rules[config.symbols[found.orders["symbol"][order]]]
        kind, limit = ORDER_TYPES[found.orders["type"][order]], found.orders["limit"][order]
        assert got <= largest_purchase(rules, kind, limit) * NEARLY
    return len(found.fills)


def largest_purchase(rules: Rules, kind: str, limit: float) -> float:
    """The most that one order may ask for."""
    market = kind in ("market", "stop")
    return largest_quantity(rules, market=market, price=0.0 if market else limit)


def replay(day: Day) -> int:
    wallet = wallet_create(name="paper", kind="paper", quote=QUOTE, venue=VENUE, opening={QUOTE: day.money})
    for number, raw in enumerate(day.bots):
        bot = bot_create(name=f"bot {number}", mode="replay", wallet_id=wallet.wallet_id, config=raw)
        bot_start(bot_id=bot.bot_id)
        replay_drive(bot.pk)
        run = Bot.objects.select_related("run__books").get(pk=bot.pk).run
        assert run is not None
        assert run.books is not None
        assert run.end_reason == "finished", run.error
        check_books(run.books, {QUOTE: Decimal(raw["cash"])}, [bot])
        left = wallet_balances(wallet=run.books)
        assert all(left[asset] == 0 for asset in left if asset != QUOTE)
        if day.rules:
            assert run.equity == left[QUOTE].quantize(Decimal("1e-8"))
    assert wallet_balances(wallet=wallet) == {QUOTE: day.money}
    return Fill.objects.count()


def paper(day: Day) -> int:
    """Bots side by side with one wallet, which may have less than they believe to have together."""
    wallet = wallet_create(name="paper", kind="paper", quote=QUOTE, venue=VENUE, opening={QUOTE: day.money})
    bots = [begin(raw, wallet, "paper", number) for number, raw in enumerate(day.bots)]
    for number in range(len(day.candles[0])):
        for loaded in bots:
            take_candle(loaded, day.candles, number)
        check_books(wallet, {QUOTE: day.money}, [one.bot for one in bots])
    if day.rules:
        engines = sum((written(one.trader.cash) - one.config.cash for one in bots), NOTHING)
        assert wallet_balances(wallet=Wallet.objects.get(pk=wallet.pk))[QUOTE] - day.money == engines
    return Fill.objects.count()


def begin(raw: dict[str, Any], wallet: Wallet, mode: str, number: int) -> LoadedBot:
    bot = bot_create(name=f"bot {number}", mode=mode, wallet_id=wallet.wallet_id, config=raw)
    return bot_load(bot_start(bot_id=bot.bot_id).pk)


def market_at(candles: Sequence[Candles], number: int, column: str, **more: Any) -> MarketNow:
    time = datetime.fromtimestamp((START + STEP * number) / 1000, UTC)
    return MarketNow(time, {one.symbol: (written(getattr(one, column)[number]), 0.0) for one in candles}, f"c{number}", **more)


def take_candle(loaded: LoadedBot, candles: Sequence[Candles], number: int, **more: Any) -> list[StepEffects]:
    """The open and the close of one candle of all of the bot's symbols."""
    mine = [one for one in candles if one.symbol in loaded.config.symbols]
    strategy, time_ms = registry.get_strategy(loaded.config.strategy)(loaded.config.params), START + STEP * number
    opens = {one.symbol: float(one.open[number]) for one in mine}
    shown = {
        one.symbol: OHLCV(*(float(getattr(one, name)[number]) for name in ("open", "high", "low", "close", "volume")))
        for one in mine
    }
    rows = {one.symbol: row for one in mine if (row := decide_row(strategy, one[: number + 1], loaded.config.sizing))}
    opened = candle_open(loaded, time_ms, opens, market_at(mine, number, "open", **more))
    closed = candle_close(loaded, time_ms, shown, rows, market_at(mine, number, "close", **more))
    return [opened, closed]


def check_books(wallet: Wallet, opening: dict[str, Decimal], bots: Sequence[Bot]) -> None:
    """The wallet has what it began with and what each fill did to it, nothing more and nothing less, and never under zero."""
    expected = dict(opening)
    for fill in Fill.objects.filter(bot__in=bots):
        base, quote = fill.symbol.split("-")
        sign = 1 if fill.side == "buy" else -1
        for asset, change in (
            (base, sign * fill.quantity),
            (quote, -sign * entered(fill.price, fill.quantity)),
            (fill.fee_asset, -fill.fee_paid),
        ):
            expected[asset] = expected.get(asset, NOTHING) + change
    found = wallet_balances(wallet=Wallet.objects.get(pk=wallet.pk))
    assert found == expected
    assert all(amount >= 0 for amount in found.values())
    assert not balance_check(wallet=wallet)
    sums: dict[str, Decimal] = {}
    for entry in LedgerEntry.objects.filter(transaction__wallet=wallet):
        sums[entry.asset] = sums.get(entry.asset, NOTHING) + entry.amount
    assert not any(sums.values())
    for order in Order.objects.filter(bot__in=bots, side="buy"):
        rules = instrument_rules(Instrument.objects.get(venue=VENUE, symbol=order.symbol))
        assert float(order.quantity) <= largest_purchase(rules, order.type, float(order.limit or 0)) * NEARLY
    for position in Position.objects.filter(bot__in=bots):
        fills = Fill.objects.filter(bot=position.bot_id, symbol=position.symbol)
        held = sum((one.quantity if one.side == "buy" else -one.quantity for one in fills), NOTHING)
        fees = sum((one.fee_paid for one in fills if one.fee_asset == position.symbol.split("-")[0]), NOTHING)
        assert position.quantity == held - fees


@dataclass
class Venue:
    """An account that executes what it is sent, in parts, at prices near the last one, with fees in quote or base."""

    loaded: LoadedBot
    random: Random
    tick: Decimal
    base_fees: bool
    refusing: float
    account: dict[str, Decimal] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    prices: dict[str, Decimal] = field(default_factory=dict)

    def take(self, effects: StepEffects, market: MarketNow) -> None:
        for order in effects.cancel:
            self.report(order, "cancelled", NOTHING, market)
        for order in effects.send:
            assert find_size_fault(self.loaded, order) is None
            if self.random.random() < self.refusing:
                self.refuse(order, market)
            elif order.type == "market" or self.random.random() < 0.5:
                self.execute(order, market)

    def refuse(self, order: Order, market: MarketNow) -> None:
        """For one reason or another, with nothing done."""
        refusal = Refusal(self.random.choice(["passing", "lasting", "ours", "person"]), "refused", "The venue says no.")
        self.take(order_end(self.loaded, order.pk, order.status, OrderStatus.REJECTED, refusal, market), market)

    def try_exits(self, market: MarketNow) -> None:
        """Exits that were refused go out again, where it is their time."""
        trader = self.loaded.trader
        self.take(step_apply(self.loaded, market, lambda: trader.retry_exits(to_ms(market.time), set())), market)

    def execute(self, order: Order, market: MarketNow) -> None:
        lot = self.loaded.instruments[order.symbol].lot_size or Decimal("1e-8")
        part = (order.quantity / 2 / lot).to_integral_value() * lot
        parts = [part, order.quantity - part] if 0 < part < order.quantity and self.random.random() < 0.5 else [order.quantity]
        for i, quantity in enumerate(parts):
            order.refresh_from_db()
            self.report(order, "filled" if i + 1 == len(parts) else "partially_filled", quantity, market)

    def report(self, order: Order, status: str, quantity: Decimal, market: MarketNow) -> None:
        order = Order.objects.get(pk=order.pk)
        if order.status not in OPEN:
            return
        price = order.limit or self.prices[order.symbol] + self.tick * self.random.choice([-1, 0, 1])
        base, quote = order.symbol.split("-")
        asset, rate = (base, quantity) if self.base_fees and order.side == "buy" else (quote, quantity * price)
        fee = (rate * Decimal("0.001")).quantize(Decimal("1e-8"))
        executions: tuple[Execution, ...] = ()
        if quantity:
            sign = 1 if order.side == "buy" else -1
            for name, change in ((base, sign * quantity), (quote, -sign * entered(price, quantity)), (asset, -fee)):
                self.account[name] = self.account.get(name, NOTHING) + change
            executions = (Execution(f"t{next(self.numbers)}", price, quantity, fee, asset, maker=False, time=market.time),)
        said: dict[str, Any] = {"side": order.side, "type": order.type, "status": status, "quantity": order.quantity}
        report = Report(
            venue="binance",
            symbol=order.symbol,
            client_order_id=order.client_order_id,
            venue_order_id=f"v{order.pk}",
            filled=order.filled_quantity + quantity,
            time=market.time,
            executions=executions,
            **said,
        )
        self.take(report_apply(self.loaded, report, market), market)

    def balances(self) -> dict[str, Balance]:
        return {asset: Balance(asset, amount, NOTHING) for asset, amount in self.account.items()}


def find_size_fault(loaded: LoadedBot, order: Order) -> RuleFault | None:
    """What a venue would have against the size of the order."""
    price = order.limit or order.stop or order.reference_price or NOTHING
    terms = OrderTerms(order.side == "buy", float(order.quantity), float(order.limit or 0), float(price))
    return next(iter_size_faults(instrument_rules(loaded.instruments[order.symbol]), terms), None)


def at_venue(day: Day) -> int:
    """The ledger is the account's, whatever was executed in whatever parts with whatever fees."""
    owned = {QUOTE: Decimal(100_000)}
    wallet = wallet_create(name="real", kind="exchange", quote=QUOTE, account=account())
    assert ledger_opening_from_venue(wallet=wallet, balances=[Balance(asset, amount, NOTHING) for asset, amount in owned.items()])
    raw = {**day.bots[0], "slippage": {}}
    loaded = begin(raw, wallet, "testnet", 0)
    venue = Venue(
        loaded, Random(day.seed), day.rules.get("tick_size", Decimal("0.01")), bool(day.seed % 2), day.refusing, dict(owned)
    )
    for number in range(len(day.candles[0])):
        venue.prices = {one.symbol: written(one.open[number]) for one in day.candles}
        market = market_at(day.candles, number, "open", balances=venue.balances())
        for effects in take_candle(loaded, day.candles, number, balances=venue.balances()):
            venue.take(effects, market)
        venue.try_exits(market)
        prices = {symbol: float(price) for symbol, price in venue.prices.items() if symbol in loaded.config.symbols}
        venue.take(step_apply(loaded, market, lambda prices=prices: loaded.trader.entries(prices)), market)  # type: ignore[misc]
    check_books(wallet, owned, [loaded.bot])
    found = wallet_balances(wallet=Wallet.objects.get(pk=wallet.pk))
    assert all(amount == found.get(asset, NOTHING) for asset, amount in venue.account.items())
    return Fill.objects.count()
