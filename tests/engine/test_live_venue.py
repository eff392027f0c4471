"""A trader whose orders a venue executes: the backtest's decisions, the venue's facts, and books that agree whatever it reports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NotFound
from engine.live import OHLCV, SignalRow, Step, Trader
from engine.live.previews import preview_open
from engine.order_rules import least_quantity
from engine.simulator import simulate
from engine.strategies import registry
from engine.strategy import evaluate
from engine.types import Account, Exits, Fees, Rules, Slippage
from tests.engine.cases import cases, examples
from tests.engine.driving import Tape, generated, new_trader, reloaded
from tests.engine.venue import Venue


@pytest.mark.parametrize("name", ["sma_cross", "dca", "volatility_target", "buy_and_hold", "rsi_reversion"])
@pytest.mark.parametrize("reserve", [0.0, 0.002])
def test_a_venue_that_fills_as_the_kernel_would_gives_the_backtest(name: str, reserve: float) -> None:
    """Market orders, filled at the open with the slippage. Without a reserve: to the last digits; with it: as much less."""
    strategy, one = registry.get_strategy(name)(), generated(1_500, 4)
    account = Account(10_000.0, fees=Fees(0.001, 0.001), slippage=Slippage("bps", 5.0), exits=Exits(max_candles=70))
    _, signals = evaluate(strategy, one)
    expected = simulate(account, [one], [signals], warmup=strategy.warmup(), position=strategy.position)
    tape = Tape(account, [one], [signals], strategy.warmup())
    trader = new_trader(tape, strategy.position, external=True, reserve=reserve)
    venue = Venue(trader, account.cash, taker=0.001)
    equity = []
    for t, time in enumerate(one.time.tolist()):
        shown, rows = tape.at(t)
        opened = {one.symbol: float(one.open[t])}
        venue.take(trader.open(time, opened))
        fill_all(venue, opened, time)
        venue.take(trader.entries(opened))
        fill_all(venue, opened, time)
        step = trader.close(time, shown, rows)
        venue.take(step)
        assert step.equity is not None
        equity.append(step.equity)
    assert not venue.open
    close = 1e-9 if reserve == 0.0 else 0.02
    assert equity[:-1] == pytest.approx(expected.equity[:-1].tolist(), rel=close)
    assert len(venue.seen) >= len(expected.fills) - 1 > 0


def fill_all(venue: Venue, opens: dict[str, float], time: int) -> None:
    for number, (order, left) in list(venue.open.items()):
        worse = 1.0005 if order.side == "buy" else 0.9995
        venue.fill(number, opens[order.symbol] * worse, left, time)


@examples(80)
@given(cases(), st.integers(0, 2**32 - 1), st.booleans(), st.booleans(), st.booleans())
def test_whatever_the_venue_reports_the_books_agree(case: Any, seed: int, base_fees: bool, stops: bool, parts: bool) -> None:
    """Random partial fills, rejects, cancels that come late or never, fills of orders given up, restarts, orders that go out in
    parts: cash and positions are the sums of the fills, nothing is sold that is not held, nothing spent that is not there (the
    venue checks at each step)."""
    account = replace(case.account, slippage=Slippage())
    if parts:
        largest = [0.3 * account.cash / float(each.close[0]) for each in case.candles]
        rules = [replace(one, max_quantity=max(most, 10 * one.lot)) for one, most in zip(account.rules, largest, strict=True)]
        account = replace(account, rules=tuple(rules))
    tape = Tape(account, case.candles, case.signals, case.warmup)
    symbols = [each.symbol for each in case.candles] if stops else []
    trader = new_trader(tape, case.position, external=True, venue_stops=symbols)
    venue = Venue(trader, account.cash, account.fees.maker, account.fees.taker, base_fees)
    random = np.random.default_rng(seed)
    for t, time in enumerate(tape.time.tolist()):
        shown, rows = tape.at(t)
        opens = {symbol: candle.open for symbol, candle in shown.items()}
        venue.prices.update(opens)
        if random.random() < 0.9:
            venue.take(venue.trader.open(time, opens))
        happen(venue, time, random)
        venue.take(venue.trader.entries(opens))
        for name in ("low", "high"):
            prices = {symbol: getattr(candle, name) for symbol, candle in shown.items()}
            touch(venue, prices, time, random)
            happen(venue, time, random)
        if random.random() < 0.3:
            venue.trader = reloaded(venue.trader)
        venue.take(venue.trader.close(time, shown, rows))
        happen(venue, time, random)
        persons_word(venue, random)
    finish(venue, opens, time)


def happen(venue: Venue, time: int, random: np.random.Generator) -> None:
    """Some of what can become of what the venue has."""
    for number in list(venue.open):
        if number not in venue.open:
            continue
        order, left = venue.open[number]
        if order.stop is not None and random.random() < 0.6:
            if random.random() < 0.5:
                venue.accept(number)
            continue
        fate = random.random()
        if fate < 0.4:
            part = left if random.random() < 0.6 else venue.part_of(number, random.uniform(0.1, 0.9))
            venue.fill(number, venue.price(number, random), part, time)
        elif fate < 0.5:
            venue.end(number, "rejected" if left == order.quantity else "expired")
        elif number in venue.cancelling and fate < 0.8:
            venue.end(number, "cancelled")


def touch(venue: Venue, prices: dict[str, float], time: int, random: np.random.Generator) -> None:
    for level in venue.trader.levels():
        price = prices.get(level.symbol)
        venue.prices.update(prices)
        if price is not None and (price <= level.stop or price >= level.take) and random.random() < 0.9:
            venue.take(venue.trader.apply_price(level.symbol, price, time))


def persons_word(venue: Venue, random: np.random.Generator) -> None:
    word = random.choice(["", "pause", "resume", "cancel_all", "sell_all", "block"], p=[0.8, 0.04, 0.06, 0.03, 0.03, 0.04])
    if word == "block":
        for number in [number for number in venue.open if number not in venue.cancelling][:1]:
            if venue.open[number][1] == venue.open[number][0].quantity:
                venue.over(number)  # it had not been sent
                venue.take(venue.trader.block(number))
    elif word:
        venue.take(getattr(venue.trader, word)())


def finish(venue: Venue, opens: dict[str, float], time: int) -> None:
    """In the end everything can be sold and nothing stays out."""
    venue.take(venue.trader.sell_all())
    for _ in range(60):
        for number in list(venue.open):
            if number in venue.cancelling:
                venue.end(number, "cancelled")
            elif number in venue.open:
                left = venue.open[number][1]
                venue.fill(number, venue.price(number, np.random.default_rng(0)), left, time)
        for symbol in venue.trader.symbols:
            venue.take(venue.trader.apply_price(symbol, opens.get(symbol, 100.0), time))
    assert not venue.open
    for s, symbol in enumerate(venue.trader.symbols):
        rules = venue.trader.account.rules[s]
        crumbs = venue.most_lots * rules.lot  # each lot may leave one, until the next purchase
        dust = 1.25 * least_quantity(rules, market=True, price=opens.get(symbol, 100.0))  # at a price that has moved since
        assert venue.trader.positions()[symbol] <= crumbs + dust + 1e-9
    assert abs(venue.trader.free - venue.trader.cash) < 1e-6


MINUTE = 60_000


STOPS: Any = {"venue_stops": ["BTC-USD"]}


def flat(price: float = 100.0) -> dict[str, OHLCV]:
    return {"BTC-USD": OHLCV(price, price, price, price, 50.0)}


def holding(
    account: Account, position: str = "single", row: SignalRow | None = None, price: float = 100.0, **more: Any
) -> tuple[Trader, Any]:
    """A trader that has bought for its first signal. Returns it and the step of the fill."""
    trader = Trader(account, ["BTC-USD"], MINUTE, position, external=True, reserve=0.0, **more)
    step = trader.close(0, flat(), {"BTC-USD": row or SignalRow(entry=True)})
    if not step.wanted:
        trader.open(MINUTE, {"BTC-USD": price})
        step = trader.entries({"BTC-USD": price})
    (entry, *_) = step.wanted
    return trader, trader.apply_fill(entry.number, entry.limit or price, entry.quantity, 0.0, False, MINUTE)


def test_a_stop_that_is_touched_sells_at_the_market() -> None:
    trader, _ = holding(Account(1_000.0, exits=Exits(stop_loss=0.1, take_profit=0.2)))
    (level,) = trader.levels()
    assert (round(level.stop, 9), level.stop_reason, round(level.take, 9)) == (90.0, "stop_loss", 120.0)
    assert not trader.apply_price("BTC-USD", 95.0, MINUTE).wanted
    (sale,) = trader.apply_price("BTC-USD", 89.0, MINUTE).wanted
    assert (sale.side, sale.type, sale.reason, sale.quantity) == ("sell", "market", "stop_loss", 10.0)
    assert not trader.apply_price("BTC-USD", 88.0, MINUTE).wanted
    assert not trader.levels()
    (closed,) = trader.apply_fill(sale.number, 89.0, 10.0, 0.0, False, MINUTE).closed
    assert (closed.profit, closed.exit_reason, trader.positions()) == (-110.0, "stop_loss", {"BTC-USD": 0.0})


def test_an_exit_that_failed_is_wanted_again_at_the_next_price() -> None:
    trader, _ = holding(Account(1_000.0, exits=Exits(stop_loss=0.1)))
    (sale,) = trader.apply_price("BTC-USD", 89.0, MINUTE).wanted
    assert not trader.apply_end(sale.number, "rejected").wanted
    (level,) = trader.levels()
    assert level.stop == np.inf
    (again,) = trader.apply_price("BTC-USD", 91.0, MINUTE).wanted
    assert (again.quantity, again.reason) == (10.0, "stop_loss")
    assert again.number > sale.number


def test_a_take_profit_touched_rests_and_gives_way_to_the_stop() -> None:
    """Never both: the stop's sale waits until the venue has let go of the other order."""
    trader, _ = holding(Account(1_000.0, exits=Exits(stop_loss=0.1, take_profit=0.2)))
    (offer,) = trader.apply_price("BTC-USD", 120.0, MINUTE).wanted
    assert (offer.type, offer.limit, offer.reason) == ("limit", 120.0, "take_profit")
    step = trader.apply_price("BTC-USD", 89.0, MINUTE)
    assert [(done.number, done.status) for done in step.done] == [(offer.number, "cancelled")]
    assert not step.wanted
    (part,) = [trader.apply_fill(offer.number, 120.0, 4.0, 0.0, True, MINUTE)]  # it was not cancelled in time
    assert not part.wanted
    (sale,) = trader.apply_end(offer.number, "cancelled").wanted
    assert (sale.type, sale.quantity) == ("market", 6.0)


def stopped(trader: Trader) -> float:
    (level,) = trader.levels()
    return round(level.stop, 9)


def test_a_stop_rests_at_the_venue_and_is_watched_here_until_it_stands_there() -> None:
    trader, step = holding(Account(1_000.0, exits=Exits(stop_loss=0.1)), **STOPS)
    (stop,) = step.wanted
    assert (stop.side, stop.type, stop.reason, stop.quantity) == ("sell", "stop_limit", "stop_loss", 10.0)
    assert (stop.stop, stop.limit) == (90.0, pytest.approx(89.1))
    assert stopped(trader) == 90.0
    trader.apply_acceptance(stop.number)
    assert stopped(trader) == 89.1
    assert stopped(reloaded(trader)) == 89.1
    assert trader.apply_price("BTC-USD", 89.5, MINUTE) == Step()
    (closed,) = trader.apply_fill(stop.number, 89.8, 10.0, 0.0, False, MINUTE).closed
    assert (closed.exit_reason, trader.positions(), trader.levels()) == ("stop_loss", {"BTC-USD": 0.0}, [])


def test_a_price_that_falls_through_the_venues_stop_is_sold_at_from_here_once_that_is_over() -> None:
    trader, step = holding(Account(1_000.0, exits=Exits(stop_loss=0.1)), **STOPS)
    (stop,) = step.wanted
    trader.apply_acceptance(stop.number)
    step = trader.apply_price("BTC-USD", 89.0, MINUTE)
    assert ([done.number for done in step.done], step.wanted) == ([stop.number], [])
    trader.apply_fill(stop.number, 89.1, 4.0, 0.0, False, MINUTE)
    (sale,) = trader.apply_end(stop.number, "cancelled").wanted
    assert (sale.type, sale.reason, sale.quantity) == ("market", "stop_loss", 6.0)


@pytest.mark.parametrize("status", ["rejected", "cancelled", "expired"])
def test_a_stop_that_the_venue_refuses_or_ends_unasked_is_watched_here(status: str) -> None:
    trader, step = holding(Account(1_000.0, exits=Exits(stop_loss=0.1)), **STOPS)
    (stop,) = step.wanted
    trader.apply_acceptance(stop.number)
    assert trader.apply_end(stop.number, status).wanted == []
    assert stopped(reloaded(trader)) == 90.0
    assert trader.close(MINUTE, flat(), {"BTC-USD": SignalRow()}).wanted == []
    (sale,) = trader.apply_price("BTC-USD", 89.9, MINUTE).wanted
    assert (sale.type, sale.quantity) == ("market", 10.0)


def test_a_stop_at_the_venue_follows_the_price_by_more_than_a_step_and_is_watched_here_meanwhile() -> None:
    trader, step = holding(Account(1_000.0, exits=Exits(trailing_stop=0.1)), **STOPS)
    (stop,) = step.wanted
    trader.apply_acceptance(stop.number)
    assert trader.close(MINUTE, flat(100.05), {"BTC-USD": SignalRow()}).wanted == []
    assert stopped(trader) == 90.045  # the order at 90 stays: better than none if this desk dies
    step = trader.close(2 * MINUTE, flat(110.0), {"BTC-USD": SignalRow()})
    assert ([done.number for done in step.done], step.wanted) == ([stop.number], [])
    assert stopped(trader) == 99.0
    (higher,) = trader.apply_end(stop.number, "cancelled").wanted
    assert (higher.stop, higher.reason) == (99.0, "trailing_stop")
    trader.apply_acceptance(higher.number)
    assert stopped(trader) == pytest.approx(98.01)


def test_a_profit_that_is_reached_takes_the_place_of_the_stop_at_the_venue() -> None:
    trader, step = holding(Account(1_000.0, exits=Exits(stop_loss=0.1, take_profit=0.2)), **STOPS)
    (stop,) = step.wanted
    trader.apply_acceptance(stop.number)
    step = trader.apply_price("BTC-USD", 120.0, MINUTE)
    assert ([done.number for done in step.done], step.wanted) == ([stop.number], [])
    assert stopped(trader) == 90.0
    (offer,) = trader.apply_end(stop.number, "cancelled").wanted
    assert (offer.type, offer.limit) == ("limit", 120.0)
    assert stopped(trader) == 90.0


def test_one_lots_exit_leaves_the_stops_of_others_where_they_are() -> None:
    ladder = SignalRow(ladder=(np.array([100.0, 90.0]), np.array([110.0, 100.0])))
    account = Account(1_000.0, exits=Exits(stop_loss=0.3, max_candles=2))
    trader = Trader(account, ["BTC-USD"], MINUTE, "lots", external=True, reserve=0.0, **STOPS)
    first, second = trader.close(0, flat(105.0), {"BTC-USD": ladder}).wanted
    (stop,) = trader.apply_fill(first.number, 100.0, first.quantity, 0.0, True, MINUTE).wanted
    trader.apply_acceptance(stop.number)
    trader.close(MINUTE, flat(95.0), {"BTC-USD": ladder})
    (other,) = trader.apply_fill(second.number, 90.0, second.quantity, 0.0, True, 2 * MINUTE).wanted
    trader.apply_acceptance(other.number)
    trader.close(2 * MINUTE, flat(90.0), {"BTC-USD": ladder})
    step = trader.open(3 * MINUTE, {"BTC-USD": 90.0})
    (sale,) = trader.apply_end(stop.number, "cancelled").wanted
    assert (sale.type, sale.reason, sale.quantity) == ("market", "time_limit", first.quantity)
    assert other.number not in [done.number for done in step.done]


def test_too_little_for_the_venue_is_watched_here() -> None:
    account = Account(1_000.0, exits=Exits(stop_loss=0.1), rules=(Rules(min_notional=900.0),))
    trader, step = holding(account, **STOPS)
    assert step.wanted == []
    assert stopped(trader) == 90.0


def test_without_a_stop_the_take_profit_rests_from_the_purchase_on() -> None:
    trader, step = holding(Account(1_000.0, exits=Exits(take_profit=0.2)))
    (offer,) = step.wanted
    assert (offer.type, offer.limit, offer.quantity) == ("limit", 120.0, 10.0)
    assert trader.working() == [offer]
    assert not trader.levels()
    trader.close(MINUTE, flat(), {"BTC-USD": SignalRow(exit=True)})
    step = trader.open(2 * MINUTE, {"BTC-USD": 100.0})
    assert not step.wanted
    (sale,) = trader.apply_end(offer.number, "cancelled").wanted
    assert (sale.type, sale.reason, sale.quantity) == ("market", "exit_signal", 10.0)


def test_a_rung_sells_where_it_says_and_buys_again() -> None:
    ladder = SignalRow(ladder=(np.array([90.0]), np.array([100.0])))
    trader, step = holding(Account(1_000.0), "lots", ladder)
    (offer,) = step.wanted
    assert (offer.side, offer.limit) == ("sell", 100.0)
    assert not trader.close(MINUTE, flat(95.0), {"BTC-USD": ladder}).wanted
    trader.apply_fill(offer.number, 100.0, offer.quantity, 0.0, True, 2 * MINUTE)
    (again,) = trader.close(2 * MINUTE, flat(99.0), {"BTC-USD": ladder}).wanted
    assert (again.side, again.limit, again.reason) == ("buy", 90.0, "ladder")


def test_cash_is_spent_once() -> None:
    """An entry in the place of another goes out when the venue says that the first one is over; if that was filled, not at all."""
    for late in (False, True):
        trader = Trader(Account(1_000.0), ["BTC-USD"], MINUTE, "single", external=True)
        (first,) = trader.close(0, flat(), {"BTC-USD": SignalRow(entry=True, entry_limit=90.0)}).wanted
        step = trader.close(MINUTE, flat(), {"BTC-USD": SignalRow(entry=True, entry_limit=95.0)})
        assert not step.wanted
        assert [done.number for done in step.done] == [first.number]
        if late:
            trader.apply_fill(first.number, 90.0, first.quantity, 0.0, True, MINUTE)
            assert trader.positions()["BTC-USD"] == first.quantity
        wanted = trader.apply_end(first.number, "filled" if late else "cancelled").wanted
        assert [order.limit for order in wanted] == ([] if late else [95.0])


def test_what_comes_after_the_strategy_wanted_out_is_sold() -> None:
    trader = Trader(Account(1_000.0), ["BTC-USD"], MINUTE, "single", external=True)
    (first,) = trader.close(0, flat(), {"BTC-USD": SignalRow(entry=True, entry_limit=90.0)}).wanted
    trader.close(MINUTE, flat(), {"BTC-USD": SignalRow(exit=True)})
    (sale,) = trader.apply_fill(first.number, 90.0, first.quantity, 0.0, True, MINUTE).wanted
    assert (sale.side, sale.type, sale.quantity) == ("sell", "market", first.quantity)


def test_entries_wait_for_exits_on_their_way() -> None:
    account = Account(1_000.0, rules=(Rules(), Rules()))
    trader = Trader(account, ["BTC-USD", "ETH-USD"], MINUTE, "single", external=True, reserve=0.0)
    both = flat() | {"ETH-USD": OHLCV(10.0, 10.0, 10.0, 10.0, 1.0)}
    trader.close(0, both, {"BTC-USD": SignalRow(entry=True)})
    opens = {"BTC-USD": 100.0, "ETH-USD": 10.0}
    trader.open(MINUTE, opens)
    (entry,) = trader.entries(opens).wanted
    trader.apply_fill(entry.number, 100.0, 10.0, 0.0, False, MINUTE)
    trader.close(MINUTE, both, {"BTC-USD": SignalRow(exit=True), "ETH-USD": SignalRow(entry=True)})
    (sale,) = trader.open(2 * MINUTE, opens).wanted
    assert not trader.entries(opens).wanted
    trader.apply_fill(sale.number, 100.0, 10.0, 0.0, False, MINUTE)
    (entry,) = trader.entries(opens).wanted
    assert (entry.symbol, entry.quantity) == ("ETH-USD", 100.0)


def test_a_fee_in_base_is_not_there_to_be_sold() -> None:
    account = Account(1_000.0, rules=(Rules(lot=0.01),), fees=Fees(0.001, 0.001))
    trader = Trader(account, ["BTC-USD"], MINUTE, "single", external=True)
    trader.close(0, flat(), {"BTC-USD": SignalRow(entry=True)})
    trader.open(MINUTE, {"BTC-USD": 100.0})
    (entry,) = trader.entries({"BTC-USD": 100.0}).wanted
    trader.apply_fill(entry.number, 100.0, entry.quantity, 0.0, False, MINUTE, fee_base=0.001 * entry.quantity)
    held = trader.positions()["BTC-USD"]
    assert held == pytest.approx(0.999 * entry.quantity)
    (sale,) = trader.sell_all().wanted
    assert held - 0.01 < sale.quantity <= held
    trader.apply_fill(sale.number, 100.0, sale.quantity, 0.0, False, MINUTE)
    assert trader.positions()["BTC-USD"] == pytest.approx(held - sale.quantity)  # crumbs, which keep no place
    trader.close(MINUTE, flat(), {"BTC-USD": SignalRow(entry=True)})
    assert preview_open(trader, {"BTC-USD": 100.0}).wanted


def test_a_watched_stop_entry_becomes_a_market_order() -> None:
    trader = Trader(Account(1_000.0), ["BTC-USD"], MINUTE, "single", external=True)
    assert not trader.close(0, flat(), {"BTC-USD": SignalRow(entry=True, entry_stop=110.0)}).wanted
    (level,) = trader.levels()
    assert level.take == 110.0
    (entry,) = trader.apply_price("BTC-USD", 112.0, MINUTE).wanted
    assert (entry.type, entry.side) == ("market", "buy")
    assert entry.quantity * 112.0 * (1 + trader.reserve) <= 1_000.0 + 1e-9


def test_a_number_that_never_was_is_not_found() -> None:
    trader = Trader(Account(1_000.0), ["BTC-USD"], MINUTE, "single", external=True)
    with pytest.raises(NotFound, match="no order 7"):
        trader.apply_fill(7, 1.0, 1.0, 0.0, True, 0)
