"""Returns against examples that others have published, and what must hold whatever was paid in and out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from trading.portfolio.returns import (
    Step,
    chain_growth,
    deepest_fall,
    list_falls,
    money_weighted,
    owner_flows,
    solve_rate,
    step_growth,
    time_weighted,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
PUBLISHED: dict[float, list[tuple[str, float]]] = {
    # support.microsoft.com, XIRR function
    0.373362535: [
        ("2008-01-01", -10_000),
        ("2008-03-01", 2_750),
        ("2008-10-30", 4_250),
        ("2009-02-15", 3_250),
        ("2009-04-01", 2_750),
    ],
    # wiki.openoffice.org, How Tos, Calc: XIRR function ("approximately 0.124")
    0.124: [("2008-02-05", -2_750), ("2008-07-05", 1_000), ("2009-01-05", 2_000)],
    # docs.rs, crate xirr; not in order of time
    0.1635371584432641: [("2015-06-11", -1_000), ("2015-07-21", -9_000), ("2018-06-10", 20_000), ("2015-10-17", -3_000)],
    # ExcelFinancialFunctions, issue 27: Newton's method from 10 % finds nothing
    -0.990247691899517: [("2020-07-03", -177_900_000), ("2021-02-25", 8_799_805.85)],
}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def steps_of(*rows: tuple[float, float], every: timedelta = timedelta(days=1)) -> list[Step]:
    """(value, flow) a day."""
    return [Step(START + every * number, Decimal(str(value)), Decimal(str(flow))) for number, (value, flow) in enumerate(rows)]


@pytest.mark.parametrize("rate", PUBLISHED)
def test_published_examples_of_xirr(rate: float) -> None:
    found = solve_rate([(moment(day), Decimal(str(amount))) for day, amount in PUBLISHED[rate]])
    assert found.yearly == pytest.approx(rate, abs=5e-4 if rate == 0.124 else 1e-8)


def test_the_published_example_of_a_time_weighted_return() -> None:
    """FinCal for R, twrr(ev=c(120, 260), bv=c(100, 240), cfr=c(2, 4)) is 0.1584472 a period: from 100 to 120 with 2 taken out, then
    from 240, which 120 were paid in for, to 260 with 4 taken out."""
    found = time_weighted(steps_of((100, 0), (120, -2), (240, 120), (260, -4)))
    assert found.value is not None
    assert (1 + found.value) ** 0.5 - 1 == pytest.approx(0.1584472, abs=1e-7)


def test_a_value_before_and_after_a_deposit_makes_it_exact() -> None:
    """patrickdh/htn-challenge on GitHub: 100; 15 paid in, 120 after it; 10 paid in, 127 after it. The first day made 5 %."""
    found = time_weighted(steps_of((100, 0), (105, 0), (120, 15)))
    assert found.value == pytest.approx(0.05)
    found = time_weighted(steps_of((100, 0), (105, 0), (120, 15), (117, 0), (127, 10)))
    assert found.value == pytest.approx(1.05 * 0.975 - 1)


def test_paying_in_and_out_earns_nothing() -> None:
    steps = steps_of((100, 0), (1100, 1000), (600, -500), (0, -600), (0, 0), (250, 250))
    assert chain_growth(steps) == [1.0] * 6
    assert time_weighted(steps).value == 0
    assert money_weighted(steps).value == pytest.approx(0, abs=1e-9)


def test_a_large_deposit_into_a_small_base_makes_no_large_return() -> None:
    assert step_growth(*steps_of((1, 0), (1101, 1000))) == pytest.approx(1101 / 1001)
    assert step_growth(*steps_of((1000, 0), (101, -999))) == pytest.approx(1.1)


def test_the_two_returns_tell_apart_the_work_and_the_timing() -> None:
    """Half lost on little, then a tenth made on much: the work lost, the owner gained."""
    steps = steps_of((100, 0), (50, 0), (5050, 5000), (5555, 0), every=timedelta(days=10))
    assert time_weighted(steps).value == pytest.approx(-0.45)
    made = money_weighted(steps).value
    assert made is not None
    assert made > 0


def test_a_rate_a_year_needs_a_month() -> None:
    month = steps_of((100, 0), (101, 0), every=timedelta(days=30))
    assert time_weighted(month).yearly == pytest.approx(1.01 ** (365 / 30) - 1)
    assert money_weighted(month).yearly == pytest.approx(1.01 ** (365 / 30) - 1)
    day = steps_of((100, 0), (101, 0))
    assert (time_weighted(day).yearly, money_weighted(day).yearly) == (None, None)


@pytest.mark.parametrize(
    ("flows", "why"),
    [
        ([], "There was no money in this span."),
        ([0, 0], "There was no money in this span."),
        ([-100, -20], "Nothing came back or is left."),
        ([100, 20], "Nothing was paid in."),
        # A year apart: at 10 % and at 20 % alike they come to nothing, as do at none those after them.
        ([-1000, 2300, -1320], "2 rates fit what was paid in and out."),
        ([1000, -100, 1000], "No rate fits what was paid in and out."),
    ],
)
def test_what_is_no_rate_is_said(flows: list[int], why: str) -> None:
    found = solve_rate([(START + timedelta(days=365 * year), Decimal(amount)) for year, amount in enumerate(flows)])
    assert (found.value, found.yearly, found.why) == (None, None, why)


def test_an_empty_history_has_no_return_and_no_fall() -> None:
    assert time_weighted([]).why == time_weighted(steps_of((0, 0), (0, 0))).why == "There was no money in this span."
    assert (money_weighted([]).value, deepest_fall([]), list_falls([])) == (None, None, [])


def test_the_deepest_fall_is_that_of_the_growth_and_not_of_the_money() -> None:
    fall = deepest_fall(steps_of((100, 0), (120, 0), (20, -100), (18, 0), (1018, 1000), (900, 0)))
    assert fall is not None
    assert fall.depth == pytest.approx(0.9 * 900 / 1018 - 1)
    assert ((fall.peak_at - START).days, (fall.low_at - START).days) == (1, 5)


amounts = some.decimals(min_value=1, max_value=10**6, places=2)
growths = some.lists(some.floats(0.5, 2), min_size=1, max_size=8)
flows = some.lists(some.decimals(min_value=-(10**4), max_value=10**4, places=2), min_size=8, max_size=8)


def grow(start: Decimal, factors: list[float], paid: list[Decimal]) -> list[Step]:
    """A day's growth, and then what was paid, valued before it and after."""
    steps = [Step(START, start)]
    for number, (factor, flow) in enumerate(zip(factors, paid, strict=False), 1):
        at = START + timedelta(days=number)
        grown = steps[-1].value * Decimal(factor)
        flow = max(flow, -grown)
        steps += [Step(at, grown), Step(at, grown + flow, flow)]
    return steps


@given(amounts, growths, flows)
def test_the_time_weighted_return_is_that_of_the_growth_whatever_was_paid(
    start: Decimal, factors: list[float], paid: list[Decimal]
) -> None:
    steps = grow(start, factors, paid)
    assume(all(one.value > 1 for one in steps))
    *_, whole = accumulate(factors, lambda one, other: one * other)
    assert chain_growth(steps)[-1] == pytest.approx(whole, rel=1e-9)


@given(amounts, growths, flows)
def test_at_the_money_weighted_rate_all_payments_come_to_nothing(start: Decimal, factors: list[float], paid: list[Decimal]) -> None:
    steps = grow(start, factors, paid)
    found = money_weighted(steps)
    assert (found.value is None) == bool(found.why)
    if found.value is None:
        return
    payments = [(one.at, float(flow)) for one, flow in zip(steps, owner_flows(steps), strict=True) if flow]
    last, span = payments[-1][0], payments[-1][0] - payments[0][0]
    grown = [amount * (1 + found.value) ** ((last - at) / span) for at, amount in payments]
    assert sum(grown) == pytest.approx(0, abs=1e-6 * sum(map(abs, grown)))


@given(amounts, some.floats(0.5, 2), some.integers(2, 9))
def test_without_payments_both_returns_are_the_same(start: Decimal, factor: float, days: int) -> None:
    steps = grow(start, [factor] * days, [Decimal(0)] * days)
    assert time_weighted(steps).value == pytest.approx(factor**days - 1, rel=1e-6, abs=1e-9)
    assert money_weighted(steps).value == pytest.approx(factor**days - 1, rel=1e-6, abs=1e-9)


@given(amounts, growths, flows, some.integers(1, 1000))
def test_returns_are_those_of_any_other_currency_at_a_fixed_price(
    start: Decimal, factors: list[float], paid: list[Decimal], price: int
) -> None:
    steps = grow(start, factors, paid)
    dearer = [Step(one.at, one.value * price, one.flow * price) for one in steps]
    assert chain_growth(dearer) == pytest.approx(chain_growth(steps))


@given(some.lists(some.floats(0.1, 10), min_size=1, max_size=20))
def test_no_fall_is_above_its_peak_or_below_everything(index: list[float]) -> None:
    falls = list_falls(index)
    assert all(-1 <= one <= 0 for one in falls)
    assert falls[0] == 0
