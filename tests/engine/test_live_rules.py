"""A trader at a venue keeps the venue's rules before it sends: exits in parts, entries cut and said, stops where there is room."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from engine.live import SignalRow, Trader
from engine.types import Account, Exits, Fees, Rules, Sizing
from tests.engine.driving import reloaded
from tests.engine.test_live_venue import MINUTE, STOPS, flat, holding

HALVES = Rules(lot=0.001, market_max_quantity=4.0)


def limited(rules: Rules, **more: Any) -> Account:
    return Account(1_000.0, rules=(rules,), **more)


def held(rules: Rules, **more: Any) -> Trader:
    """A trader with 10 BTC, at whose venue these rules came into force since."""
    trader, _ = holding(Account(1_000.0, **more))
    trader.take_rules({"BTC-USD": rules})
    return trader


def test_an_exit_above_the_maximum_is_sold_in_parts_one_after_the_other() -> None:
    trader = held(HALVES)
    step, parts = trader.sell_all(), []
    while step.wanted:
        (sale,) = step.wanted
        parts.append(round(sale.quantity, 9))
        assert [one.side for one in trader.working()] == ["sell"]
        trader = again(trader, HALVES)
        step = trader.apply_fill(sale.number, 100.0, sale.quantity, 0.0, False, MINUTE)
    assert parts == [4.0, 4.0, 2.0]
    assert (trader.positions(), trader.working()) == ({"BTC-USD": 0.0}, [])


def again(trader: Trader, rules: Rules) -> Trader:
    """As another process loads it."""
    other = reloaded(trader)
    other.take_rules({"BTC-USD": rules})
    return other


def test_the_rest_of_a_part_that_did_not_sell_stays_wanted() -> None:
    trader = held(HALVES)
    (sale,) = trader.sell_all().wanted
    trader.apply_fill(sale.number, 100.0, 1.5, 0.0, False, MINUTE)
    trader.apply_end(sale.number, "expired")
    (again,) = trader.apply_price("BTC-USD", 99.0, MINUTE).wanted
    assert again.quantity == 4.0
    (last,) = trader.apply_fill(again.number, 99.0, 4.0, 0.0, False, MINUTE).wanted
    assert last.quantity == 4.0
    (rest,) = trader.apply_fill(last.number, 99.0, 4.0, 0.0, False, MINUTE).wanted
    assert rest.quantity == pytest.approx(0.5)


def test_the_last_part_is_not_too_little_for_the_venue() -> None:
    trader = held(replace(HALVES, market_max_quantity=9.5, min_quantity=1.0))
    (sale,) = trader.sell_all().wanted
    (rest,) = trader.apply_fill(sale.number, 100.0, sale.quantity, 0.0, False, MINUTE).wanted
    assert 1.0 <= rest.quantity <= sale.quantity <= 9.5
    assert sale.quantity + rest.quantity == pytest.approx(10.0)


@given(most=some.integers(600, 12_000), fills=some.lists(some.floats(0.0, 1.0), min_size=4, max_size=40))
def test_in_whatever_parts_no_more_is_sold_than_is_held_and_it_is_wanted_until_it_is(most: int, fills: list[float]) -> None:
    rules = Rules(lot=0.001, max_quantity=most / 1_000)
    trader, sold = held(rules), 0.0
    step = trader.sell_all()
    for share in fills:
        if not step.wanted:
            step = trader.apply_price("BTC-USD", 100.0, MINUTE)
        if not step.wanted:
            break
        (sale,) = step.wanted
        assert sale.quantity <= most / 1_000 + 1e-9
        part = sale.quantity if share > 0.5 else round(sale.quantity * share, 3)
        if part:
            step = trader.apply_fill(sale.number, 100.0, part, 0.0, False, MINUTE)
            sold += part
        if part < sale.quantity:
            step = trader.apply_end(sale.number, "expired")
        assert sold <= 10.0 + 1e-9
        assert bool(trader.working()) == (sold < 10.0 - 5e-4)


def test_an_entry_above_the_maximum_is_cut_to_it_and_says_so() -> None:
    trader = Trader(limited(HALVES), ["BTC-USD"], MINUTE, "single", external=True, reserve=0.0)
    trader.close(0, flat(), {"BTC-USD": SignalRow(entry=True)})
    trader.open(MINUTE, {"BTC-USD": 100.0})
    step = trader.entries({"BTC-USD": 100.0})
    (entry,) = step.wanted
    assert entry.quantity == 4.0
    ((status, refusal, quantity, number),) = [(one.status, one.refusal, one.order.quantity, one.number) for one in step.done]
    assert (status, refusal, round(quantity, 9)) == ("refused", "above_maximum", 6.0)
    assert number != entry.number
    assert trader.free == pytest.approx(600.0)
    after = trader.apply_fill(entry.number, 100.0, 4.0, 0.0, False, MINUTE)
    assert (after.wanted, trader.working(), trader.positions()) == ([], [], {"BTC-USD": 4.0})


@given(
    rules=some.builds(
        Rules,
        lot=some.sampled_from([0.0, 0.001, 0.5]),
        max_quantity=some.sampled_from([0.0, 3.0, 7.7]),
        market_max_quantity=some.sampled_from([0.0, 4.0]),
        max_notional=some.sampled_from([0.0, 333.0, 800.0]),
        max_notional_market=some.booleans(),
        max_position=some.sampled_from([0.0, 2.0, 8.0]),
    ),
    limit=some.sampled_from([None, 90.0]),
    taker=some.sampled_from([0.0, 0.001]),
)
def test_every_driver_asks_for_the_same(rules: Rules, limit: float | None, taker: float) -> None:
    account = limited(rules, fees=Fees(0.0, taker))
    asked = []
    for external in (False, True):
        trader = Trader(account, ["BTC-USD"], MINUTE, "single", external=external, reserve=0.0)
        steps = [trader.close(0, flat(), {"BTC-USD": SignalRow(entry=True, entry_limit=limit or float("nan"))})]
        steps += [trader.open(MINUTE, {"BTC-USD": 100.0})]
        steps += [trader.entries({"BTC-USD": 100.0})] if external else []
        wanted = [(one.type, one.limit, one.quantity) for step in steps for one in step.wanted]
        asked.append((wanted, [(one.refusal, one.order.quantity) for step in steps for one in step.done if one.refusal]))
    assert asked[0] == asked[1]
    assert len(asked[0][0]) == 1


def test_an_entry_leaves_the_account_no_more_than_it_may_have() -> None:
    account = limited(Rules(lot=0.001, max_position=4.0), sizing=Sizing("fixed", 300.0))
    trader = Trader(account, ["BTC-USD"], MINUTE, "lots", external=True, reserve=0.0)
    for at, expected in ((0, [3.0]), (1, [1.0]), (2, [])):
        trader.close(2 * at * MINUTE, flat(), {"BTC-USD": SignalRow(entry=True)})
        trader.open((2 * at + 1) * MINUTE, {"BTC-USD": 100.0})
        step = trader.entries({"BTC-USD": 100.0})
        assert [one.quantity for one in step.wanted] == expected
        assert [one.refusal for one in step.done] == (["above_maximum"] if at else [])
        for one in step.wanted:
            trader.apply_fill(one.number, 100.0, one.quantity, 0.0, False, MINUTE)
        trader.close((2 * at + 1) * MINUTE, flat(), {})
    assert trader.positions() == {"BTC-USD": 4.0}
    assert trader.free == pytest.approx(600.0)


def test_a_take_profit_above_the_maximum_rests_in_parts() -> None:
    trader, step = holding(limited(Rules(lot=0.001, max_quantity=20.0), exits=Exits(take_profit=0.2)))
    (whole,) = step.wanted
    assert whole.quantity == 10.0
    trader.take_rules({"BTC-USD": Rules(lot=0.001, max_quantity=6.0)})
    step = trader.close(MINUTE, flat(), {"BTC-USD": SignalRow()})
    assert [one.number for one in step.done] == [whole.number]
    (first,) = trader.apply_end(whole.number, "cancelled").wanted
    assert (first.type, first.quantity) == ("limit", 6.0)
    (second,) = trader.apply_fill(first.number, 120.0, 6.0, 0.0, True, MINUTE).wanted
    assert second.type == "limit"
    assert second.quantity == pytest.approx(4.0)


def test_a_stop_for_which_the_venue_has_no_room_is_watched_here() -> None:
    """One of two lots has its stop there; the other one's is here until there is room."""
    account = limited(Rules(lot=0.001, max_stops=1), exits=Exits(stop_loss=0.1), sizing=Sizing("fixed", 300.0))
    trader, step = holding(account, "lots", **STOPS)
    (first,) = step.wanted
    trader.apply_acceptance(first.number)
    trader.close(MINUTE, flat(), {"BTC-USD": SignalRow(entry=True)})
    trader.open(2 * MINUTE, {"BTC-USD": 100.0})
    (entry,) = trader.entries({"BTC-USD": 100.0}).wanted
    assert trader.apply_fill(entry.number, 100.0, 3.0, 0.0, False, 2 * MINUTE).wanted == []
    assert sorted(round(level.stop, 9) for level in trader.levels()) == [89.1, 90.0]
    (second,) = trader.apply_fill(first.number, 90.0, 3.0, 0.0, False, 2 * MINUTE).wanted
    assert (second.type, second.quantity) == ("stop_limit", 3.0)


def test_a_stop_that_one_order_cannot_sell_is_watched_here_for_all_of_the_lot() -> None:
    trader, step = holding(limited(Rules(lot=0.001, max_quantity=20.0), exits=Exits(stop_loss=0.1)), **STOPS)
    (stop,) = step.wanted
    trader.apply_end(stop.number, "cancelled")
    trader, _ = holding(limited(Rules(), exits=Exits(stop_loss=0.1)))
    trader.take_rules({"BTC-USD": HALVES})
    trader.rest_stops(["BTC-USD"])
    trader.take_rules({"BTC-USD": replace(HALVES, max_quantity=4.0)})
    assert trader.close(MINUTE, flat(), {"BTC-USD": SignalRow()}).wanted == []
    assert [round(level.stop, 9) for level in trader.levels()] == [90.0]


def test_a_take_profit_too_far_away_for_the_venue_is_watched_here_until_it_is_near() -> None:
    trader, step = holding(limited(Rules(sell_up=1.5), exits=Exits(take_profit=0.8)))
    assert step.wanted == []
    assert [round(level.take, 9) for level in trader.levels()] == [180.0]
    (offer,) = trader.close(MINUTE, flat(130.0), {"BTC-USD": SignalRow()}).wanted
    assert (offer.type, round(offer.limit or 0.0, 9)) == ("limit", 180.0)
    assert trader.levels() == []
    assert trader.close(2 * MINUTE, flat(100.0), {"BTC-USD": SignalRow()}).done == []  # it stays: the venue has taken it
