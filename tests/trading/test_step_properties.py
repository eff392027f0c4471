"""Whatever is wanted, refused, given up and reported, in whatever order: the rows know every order that the engine has at the
venue, and which of them it gave up. One that it gave up without the rows knowing would rest at the venue without end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from engine.live import OHLCV, SignalRow
from market.models import Instrument
from tests.trading.test_steps import STEP, SYMBOLS, hold, market, reported, started
from trading.models import OPEN, Order, OrderStatus, RiskBudget
from trading.services.bot_loading import bot_load
from trading.services.loaded_bot import LoadedBot, MarketNow
from trading.services.orders import order_end, report_apply
from trading.services.step_writer import StepEffects
from trading.services.steps import candle_close, candle_open, step_apply

pytestmark = pytest.mark.django_db
PRICE = 10.0
PLENTY = Decimal(1_000_000)
WISHES = (
    SignalRow(),
    SignalRow(entry=True),
    SignalRow(entry=True, entry_limit=PRICE * 0.98),
    SignalRow(entry=True, entry_stop=PRICE * 1.01),
    SignalRow(exit=True),
    SignalRow(exit=True, exit_limit=PRICE * 1.02),
    SignalRow(exit=True, exit_stop=PRICE * 0.98),
)
ENDS = ("cancelled", "rejected", "expired")

symbols = some.sampled_from(SYMBOLS)
moves = some.sampled_from((0.9, 0.97, 0.99, 1.0, 1.01, 1.03, 1.1))
wishes = some.tuples(*(some.sampled_from(WISHES) for _ in SYMBOLS))
which = some.integers(0, 5)
deeds = some.one_of(
    some.tuples(some.just("candle"), wishes, moves),
    some.tuples(some.just("tick"), symbols, moves),
    some.tuples(some.just("accept"), which),
    some.tuples(some.just("fill"), which, some.sampled_from((0.3, 1.0))),
    some.tuples(some.just("end"), which, some.sampled_from(ENDS)),
    some.tuples(some.just("never sent"), which),
    some.tuples(some.sampled_from(("pause", "resume", "cancel_all", "reload"))),
)
"""Each beside what may be traded then, whether the budgets have room, and whether the worker holds the venue."""
days = some.lists(some.tuples(deeds, some.frozensets(symbols), some.booleans(), some.booleans()), min_size=1, max_size=25)


@dataclass
class Desk:
    loaded_bot: LoadedBot
    prices: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SYMBOLS, PRICE))
    now: MarketNow = field(default_factory=market)
    fills: int = 0

    def play(self, deed: tuple[object, ...], tradable: frozenset[str], room: bool, held: bool) -> None:
        known = {symbol: (Decimal(repr(price)), 0.0) for symbol, price in self.prices.items()}
        self.now = replace(
            market(hold("me" if held else "another")),
            prices=known,
            tradable=tradable,
            entries_allowed=self.loaded_bot.trader.entries_allowed,
        )
        RiskBudget.objects.filter(scope="wallet").update(limit=PLENTY if room else Decimal(150))
        name, *given = deed
        getattr(self, str(name).replace(" ", "_"))(*given)
        self.entries()

    def act(self, call: Callable[[], object]) -> StepEffects:
        return step_apply(self.loaded_bot, self.now, call)  # type: ignore[arg-type]

    def entries(self) -> None:
        self.act(lambda: self.loaded_bot.trader.entries(self.prices))

    def candle(self, rows: tuple[SignalRow, ...], move: float) -> None:
        before = self.prices
        self.prices = dict.fromkeys(SYMBOLS, PRICE * move)
        time_ms = self.loaded_bot.time + STEP if self.loaded_bot.time else STEP * 1_000_000
        candles = {symbol: candle(before[symbol], self.prices[symbol]) for symbol in SYMBOLS}
        candle_close(self.loaded_bot, time_ms, candles, dict(zip(SYMBOLS, rows, strict=True)), self.now)
        candle_open(self.loaded_bot, time_ms + STEP, self.prices, self.now)

    def tick(self, symbol: str, move: float) -> None:
        self.prices[symbol] = PRICE * move
        self.act(lambda: self.loaded_bot.trader.apply_price(symbol, PRICE * move, (self.loaded_bot.time or 0) + STEP + 1))

    def accept(self, number: int) -> None:
        if order := self.order(number):
            self.report(order, "accepted")

    def fill(self, number: int, share: float) -> None:
        if order := self.order(number):
            left = order.quantity - order.filled_quantity
            part = left if share == 1.0 else (left * Decimal(str(share))).quantize(Decimal("1e-8"))
            self.report(order, "filled" if part == left else "partially_filled", part)

    def end(self, number: int, status: str) -> None:
        if order := self.order(number):
            self.report(order, status)

    def never_sent(self, number: int) -> None:
        if (order := self.order(number)) and order.status == OrderStatus.PENDING:
            order_end(self.loaded_bot, order.pk, OrderStatus.PENDING, OrderStatus.CANCELLED, "never sent", self.now)

    def pause(self) -> None:
        self.act(self.loaded_bot.trader.pause)

    def resume(self) -> None:
        self.act(self.loaded_bot.trader.resume)

    def cancel_all(self) -> None:
        self.act(self.loaded_bot.trader.cancel_all)

    def reload(self) -> None:
        """Another worker goes on from what was committed."""
        time, opened = self.loaded_bot.time, self.loaded_bot.opened
        self.loaded_bot = bot_load(self.loaded_bot.bot.pk)
        self.loaded_bot.time, self.loaded_bot.opened = time, opened

    def order(self, number: int) -> Order | None:
        rows = list(Order.objects.filter(run=self.loaded_bot.run, status__in=OPEN).order_by("id"))
        return rows[number % len(rows)] if rows else None

    def report(self, order: Order, status: str, part: Decimal = Decimal(0)) -> None:
        self.fills += 1
        price = order.limit or Decimal(repr(self.prices[order.symbol]))
        report_apply(self.loaded_bot, reported(order, status, part, price=price, name=f"t{self.fills}"), self.now)

    def check(self) -> None:
        rows = Order.objects.filter(run=self.loaded_bot.run, status__in=OPEN)
        assert self.loaded_bot.trader.venue_orders
        out = self.loaded_bot.trader.venue_orders.sent
        assert dict(rows.values_list("number", "pk")) == self.loaded_bot.orders
        assert set(self.loaded_bot.orders) == set(out)
        assert set(rows.filter(cancel_requested=True).values_list("number", flat=True)) == {
            number for number, one in out.items() if one.given_up
        }


def candle(first: float, last: float) -> OHLCV:
    return OHLCV(first, max(first, last), min(first, last), last, 1.0)


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("venue_stops", [False, True])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(day=days)
def test_the_rows_know_what_the_engine_has_out_and_what_it_has_given_up(venue_stops: bool, day: list[tuple[object, ...]]) -> None:
    with undone():
        loaded_bot = started(exits={"stop_loss": 0.05, "take_profit": 0.05})
        if venue_stops:
            Instrument.objects.update(takes_stops=True)
            loaded_bot = bot_load(loaded_bot.bot.pk)
        desk = Desk(loaded_bot)
        for turn in day:
            desk.play(*turn)  # type: ignore[arg-type]
            desk.check()
