"""An exit that was refused, by us or by the venue, stays wanted until it is sold: ever more seldom, never twice."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from engine.live import Refusal, SignalRow, Step, Trader
from engine.live.held_orders import HOUR, MOST_TRIES
from engine.types import Account, Exits, Rules
from tests.engine.driving import reloaded
from tests.engine.test_live_venue import MINUTE, STOPS, flat, holding

HALVES = Rules(lot=0.001, market_max_quantity=4.0)
LASTING = {"BTC-USD": "It takes no such order."}


def leaving(account: Account | None = None, row: SignalRow | None = None) -> tuple[Trader, Any]:
    """A trader whose strategy wants out, and its sale."""
    trader, _ = holding(account or Account(1_000.0))
    trader.close(MINUTE, flat(), {"BTC-USD": row or SignalRow(exit=True)})
    (sale,) = trader.open(2 * MINUTE, {"BTC-USD": 99.0}).wanted
    return trader, sale


def refused(kind: str, time: int) -> Refusal:
    return Refusal(kind, "-1", LASTING["BTC-USD"], time)


@pytest.mark.parametrize("row", [SignalRow(exit=True), SignalRow(target=0.0)])
def test_an_exit_of_the_strategy_that_we_block_is_wanted_at_the_next_price(row: SignalRow) -> None:
    """Its signal came once, and does not come again."""
    trader, sale = leaving(row=row)
    trader.block(sale.number)
    trader.close(2 * MINUTE, flat(98.0), {})
    (again,) = trader.open(3 * MINUTE, {"BTC-USD": 97.0}).wanted
    assert (again.side, again.quantity, again.reason) == ("sell", sale.quantity, sale.reason)
    assert again.number > sale.number
    trader.block(again.number)
    assert trader.apply_price("BTC-USD", 96.0, 3 * MINUTE).wanted == []  # the second time, not before two seconds
    (third,) = reloaded(trader).apply_price("BTC-USD", 96.0, 3 * MINUTE + 2_000).wanted
    assert third.quantity == sale.quantity


def test_a_limit_of_the_strategy_that_the_venue_refuses_is_wanted_again_unless_somebody_cancelled_it() -> None:
    trader, _ = holding(Account(1_000.0))
    (offer,) = trader.close(MINUTE, flat(), {"BTC-USD": SignalRow(exit=True, exit_limit=130.0)}).wanted
    trader.apply_end(offer.number, "rejected", refused("passing", MINUTE))
    (again,) = trader.retry_exits(MINUTE + 1).wanted
    assert (again.type, again.limit, again.quantity) == ("limit", 130.0, offer.quantity)
    trader.apply_end(again.number, "cancelled")
    assert trader.working() == []


def test_a_sale_that_the_venue_refuses_for_good_is_tried_twelve_times_an_hour() -> None:
    """Whatever prices come: today it would be sent again with each of them."""
    trader, sale = leaving()
    step, times = Step(wanted=[sale]), []
    for time in range(2 * MINUTE, 2 * MINUTE + 3 * HOUR, 1_000):
        for one in step.wanted:
            times.append(time)
            trader.apply_end(one.number, "rejected", refused("lasting", time))
        step = trader.apply_price("BTC-USD", 90.0 + time % 7_000 / 1_000, time)
        step = step if step.wanted else trader.retry_exits(time, {"BTC-USD"} if time % 90_000 == 0 else ())
    assert len(times) >= 3 * MOST_TRIES - 3
    assert all(later - first >= HOUR for first, later in zip(times, times[MOST_TRIES:], strict=False))


@pytest.mark.parametrize("wish", [{"exit": True}, {"target": 0.0}, {"exit": True, "exit_limit": 130.0}])
def test_an_exit_that_the_strategy_wants_anew_at_each_candle_waits_as_the_one_before(wish: dict[str, Any]) -> None:
    """Each candle's is another order to the engine, and the same one to the venue."""
    trader, _ = holding(Account(1_000.0))
    times = []
    for minute in range(1, 181):
        now, limit = minute * MINUTE, {"exit_limit": wish["exit_limit"] + minute % 3} if "exit_limit" in wish else {}
        steps = [trader.close(now, flat(), {"BTC-USD": SignalRow(**wish | limit)})]
        trader = reloaded(trader)
        steps += [trader.open(now + MINUTE, {"BTC-USD": 99.0}), trader.retry_exits(now + MINUTE)]
        for one in [one for step in steps for one in step.wanted if one.side == "sell"]:
            times.append(now)
            trader.apply_end(one.number, "rejected", refused("lasting", now + MINUTE))
        assert minute < 5 or trader.blocked_exits()["BTC-USD"].cause == LASTING["BTC-USD"]
    assert len(times) >= 2 * MOST_TRIES
    assert all(later - first >= HOUR for first, later in zip(times, times[MOST_TRIES:], strict=False))


def test_what_may_have_gone_is_tried_at_once_and_a_blocked_exit_says_why() -> None:
    trader, sale = leaving()
    now = 2 * MINUTE
    trader.apply_end(sale.number, "rejected", refused("lasting", now))
    assert trader.blocked_exits() == {}  # it may have been a moment's
    (again,) = trader.retry_exits(now + 5_000).wanted
    trader.apply_end(again.number, "rejected", refused("lasting", now + 5_000))
    (blocked,) = trader.blocked_exits().values()
    assert (blocked.symbol, blocked.cause) == ("BTC-USD", LASTING["BTC-USD"])
    assert trader.retry_exits(now + 20_000).wanted == []
    (third,) = trader.retry_exits(now + 20_000, {"BTC-USD"}).wanted
    assert trader.blocked_exits() != {}  # on its way, which it was before
    trader.apply_fill(third.number, 90.0, 1.0, 0.0, False, now + 21_000)
    assert (trader.blocked_exits(), trader.has_held_exits()) == ({}, False)


@pytest.mark.parametrize("days", [1, -1])
def test_a_clock_that_jumps_keeps_no_exit_waiting_and_sends_none_without_end(days: int) -> None:
    """It is put ahead, or back, by a day while the venue refuses the exit for good, and then it is right again."""
    trader, sale = leaving()
    step, times = Step(wanted=[sale]), []
    for second in range(2 * 3_600):
        now = 30 * 24 * HOUR + 1_000 * second + (days * 24 * HOUR if 600 <= second < 1_200 else 0)
        for one in step.wanted:
            times.append(second)
            trader.apply_end(one.number, "rejected", refused("lasting", now))
        step = trader.retry_exits(now)
    assert max(later - first for first, later in pairwise(times)) <= 900
    assert 12 <= len(times) <= 36


def test_refusals_that_pass_are_tried_ever_more_seldom_and_told_in_the_end() -> None:
    trader, sale = leaving()
    step, times, told = Step(wanted=[sale]), [], []
    for time in range(2 * MINUTE, 2 * MINUTE + HOUR, 500):
        for one in step.wanted:
            times.append(time)
            trader.apply_end(one.number, "rejected", refused("passing", time))
            told.append(bool(trader.blocked_exits()))
        step = trader.apply_price("BTC-USD", 99.0, time)
    waits = [later - first for first, later in pairwise(times)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (500, 300_500)
    assert told == [False] * 5 + [True] * (len(told) - 5)


def test_a_take_profit_that_the_venue_refuses_is_not_offered_again_with_every_step() -> None:
    trader, step = holding(Account(1_000.0, exits=Exits(take_profit=0.2)))
    sent = 0
    for minute in range(1, 240):
        for one in step.wanted:
            sent += 1
            trader.apply_end(one.number, "rejected", refused("lasting", minute * MINUTE))
        assert [round(level.take, 9) for level in trader.levels()] == [120.0]  # it is watched here
        step = trader.close(minute * MINUTE, flat(100.0 + minute % 2), {"BTC-USD": SignalRow()})
        step = step if step.wanted else trader.retry_exits(minute * MINUTE + 1)
    assert 40 <= sent <= 4 * MOST_TRIES


def taken_and_cancelled(trader: Trader, step: Step, now: int) -> list[Any]:
    """The venue takes each order that goes out, and somebody else cancels it there. Returns them, and theirs that come of it."""
    out = []
    while step.wanted:
        (one,) = step.wanted
        out.append(one)
        trader.apply_acceptance(one.number)
        step = trader.apply_end(one.number, "cancelled", Refusal("passing", "", "Somebody cancelled it.", now))
    return out


def test_a_take_profit_that_somebody_else_cancels_rests_again_twelve_times_an_hour() -> None:
    """Another desk on the account, or a person at the venue. The price is watched here meanwhile."""
    trader, step = holding(Account(1_000.0, exits=Exits(take_profit=0.2)))
    times = []
    for now in range(MINUTE, MINUTE + 3 * HOUR, 1_000):
        times += [now] * len(taken_and_cancelled(trader, step, now))
        assert [round(level.take, 9) for level in trader.levels()] == [120.0]
        step = trader.retry_exits(now)
        if now % HOUR == 0:
            trader = reloaded(trader)
    assert len(times) >= 18
    assert all(later - first >= HOUR for first, later in zip(times, times[MOST_TRIES:], strict=False))
    (blocked,) = trader.blocked_exits().values()
    assert (blocked.cause, blocked.cancelled) == ("Somebody cancelled it.", len(times))
    assert now < blocked.next_try <= now + 600_000
    (sale,) = trader.apply_price("BTC-USD", 121.0, now).wanted
    assert (sale.type, sale.limit) == ("limit", 120.0)
    trader.apply_fill(sale.number, 121.0, sale.quantity, 0.0, True, now)
    assert (trader.positions(), trader.blocked_exits(), trader.working()) == ({"BTC-USD": 0.0}, {}, [])


def test_what_others_cancelled_counts_until_it_has_stood_for_an_hour() -> None:
    trader, step = holding(Account(1_000.0, exits=Exits(take_profit=0.2)))
    now = MINUTE
    for seconds in (1, 5, 60):
        assert len(taken_and_cancelled(trader, step, now)) == 1
        assert trader.retry_exits(now + 1_000 * seconds - 1).wanted == []
        now += 1_000 * seconds
        step = trader.retry_exits(now)
    (offer,) = step.wanted
    trader.apply_acceptance(offer.number)
    trader.retry_exits(now + HOUR)
    assert trader.blocked_exits() != {}
    trader.retry_exits(now + HOUR + 1)
    assert (trader.blocked_exits(), trader.has_held_exits()) == ({}, False)


def test_take_profits_of_a_grid_that_others_cancel_share_twelve_tries_and_sell_at_their_price() -> None:
    trader, rungs = on_twenty_rungs()
    now, there = MINUTE, []
    for rung in rungs:
        there += trader.apply_fill(rung.number, rung.limit, rung.quantity, 0.0, True, now).wanted
    for one in there:
        trader.apply_acceptance(one.number)
    for one in there:  # all at once, by hand
        trader.apply_end(one.number, "cancelled", Refusal("passing", "", "", now))
    again = wanted_within(trader, now, now + HOUR)
    assert len(again) == MOST_TRIES
    sold = trader.apply_price("BTC-USD", 101.0, now + HOUR).wanted
    assert len(again) + len(sold) == len(there)


def test_exits_of_a_grid_that_are_new_wait_with_those_that_the_venue_refuses() -> None:
    """Twenty rungs are bought, one a minute: a first try of each exit would come on top of the twelve."""
    trader, rungs = on_twenty_rungs()
    times = []
    for minute, rung in enumerate(rungs, 1):
        now = minute * MINUTE
        step = trader.apply_fill(rung.number, rung.limit or 0.0, rung.quantity, 0.0, True, now)
        for second in range(0, 60_000, 5_000):
            for one in step.wanted:
                assert one.side == "sell"
                times.append(now + second)
                trader.apply_end(one.number, "rejected", refused("lasting", now + second))
            step = trader.retry_exits(now + second + 1)
    assert len(times) == MOST_TRIES
    offers = wanted_within(trader, now, now + 2 * HOUR)
    for offer in offers:
        trader.apply_acceptance(offer.number)
    offers += wanted_within(trader, now + 2 * HOUR, now + 3 * HOUR)
    assert len({offer.limit for offer in offers}) == len(offers) == len(rungs)  # each goes out in its turn


def on_twenty_rungs() -> tuple[Trader, list[Any]]:
    """A trader with a grid, and its purchases."""
    ladder = SignalRow(ladder=(np.arange(99.0, 79.0, -1.0), np.arange(100.0, 80.0, -1.0)))
    trader = Trader(Account(10_000.0), ["BTC-USD"], MINUTE, "lots", external=True, reserve=0.0)
    rungs = trader.close(0, flat(), {"BTC-USD": ladder}).wanted
    assert len(rungs) == 20
    return trader, rungs


@settings(max_examples=40, deadline=None)
@given(kinds=some.lists(some.sampled_from(["passing", "lasting"]), min_size=1, max_size=30))
@example(kinds=["passing"] * 20 + ["lasting"])
@example(kinds=["lasting"] * 9 + ["passing"] * 10 + ["lasting"])
def test_exits_refused_for_now_and_then_for_good_are_refused_for_good_twelve_times_an_hour(kinds: list[str]) -> None:
    """Those of a grid wait together and go out together, each refused for another reason the last time."""
    trader, rungs = on_twenty_rungs()
    times = []
    for minute in range(120):
        now, kind = (1 + minute) * MINUTE, kinds[min(minute, len(kinds) - 1)]
        fill = rungs.pop(0) if rungs else None
        step = trader.apply_fill(fill.number, fill.limit, fill.quantity, 0.0, True, now) if fill else trader.retry_exits(now)
        for one in step.wanted:
            times += [now] if kind == "lasting" else []
            trader.apply_end(one.number, "rejected", refused(kind, now))
    assert all(later - first >= HOUR for first, later in zip(times, times[MOST_TRIES:], strict=False))


def wanted_within(trader: Trader, start: int, end: int) -> list[Any]:
    """What goes out between two times, looked at once a minute."""
    return [one for now in range(start, end, MINUTE) for one in trader.retry_exits(now).wanted]


def test_a_stop_that_we_block_rests_later_and_is_watched_here_meanwhile() -> None:
    trader, step = holding(Account(1_000.0, exits=Exits(stop_loss=0.1)), **STOPS)
    (stop,) = step.wanted
    trader.block(stop.number)
    assert [round(level.stop, 9) for level in trader.levels()] == [90.0]
    (again,) = trader.retry_exits(MINUTE + 1).wanted
    assert (again.type, again.stop) == ("stop_limit", stop.stop)


WORDS = some.sampled_from(["sell", "part", "expire", "block", "refuse", "pass", "wait", "minutes", "reload", "price"])


@given(words=some.lists(WORDS, max_size=40), parts=some.booleans())
def test_whatever_refuses_an_exit_it_is_wanted_until_it_is_sold_and_never_sold_twice(words: list[str], parts: bool) -> None:
    rules = HALVES if parts else Rules(lot=0.001)
    venue = OneSale(*leaving(Account(1_000.0, rules=(rules,))), rules)
    for word in words:
        venue.play(word)
        venue.check()
    for _ in range(60):  # in the end the venue takes everything
        venue.play("minutes")
        venue.play("sell")
        venue.check()
    assert venue.sold == pytest.approx(venue.owned)
    assert (venue.trader.working(), venue.trader.has_held_exits()) == ([], False)


class OneSale:
    """A venue that has one order at a time of a trader that sells all it has."""

    def __init__(self, trader: Trader, sale: Any, rules: Rules) -> None:
        self.trader, self.rules, self.owned, self.sold = trader, rules, trader.positions()["BTC-USD"], 0.0
        self.time, self.out = 2 * MINUTE, [sale]

    def play(self, word: str) -> None:
        self.time += {"wait": 3_000, "minutes": 301_000}.get(word, 10)
        if word == "reload":
            self.trader = reloaded(self.trader)
            self.trader.take_rules({"BTC-USD": self.rules})
        elif word in ("wait", "minutes"):
            self.take(self.trader.retry_exits(self.time))
        elif word == "price":
            self.take(self.trader.apply_price("BTC-USD", 95.0, self.time))
        elif self.out:
            self.end(word, self.out.pop())

    def end(self, word: str, order: Any) -> None:
        number, kinds = order.number, {"refuse": "lasting", "pass": "passing"}
        if word in ("sell", "part"):
            quantity = order.quantity if word == "sell" else max(0.001, round(order.quantity / 3, 3))
            self.sold += quantity
            self.take(self.trader.apply_fill(number, 95.0, quantity, 0.0, False, self.time))
            if quantity < order.quantity:
                self.take(self.trader.apply_end(number, "cancelled"))
        elif word == "block":
            self.take(self.trader.block(number, refused("desk", self.time)))
        else:
            status = "expired" if word == "expire" else "rejected"
            self.take(self.trader.apply_end(number, status, refused(kinds.get(word, "passing"), self.time)))

    def take(self, step: Step) -> None:
        self.out += step.wanted

    def check(self) -> None:
        assert len(self.out) <= 1
        assert self.sold + sum(one.quantity for one in self.out) <= self.owned + 1e-9
        wanted = [one for one in self.trader.working() if one.side == "sell"]
        assert len(wanted) == (self.sold < self.owned - 5e-4)
