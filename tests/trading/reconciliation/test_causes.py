"""Each difference is taken apart into rows that sum to it, and no row is used twice."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.exchanges.base import Balance
from trading.reconciliation.causes import Cause, EvidenceRow, Part, explain_differences
from trading.reconciliation.compare import About, OwnSide, RestingOrder, VenueSide, compare_sides

ASSETS = ("BTC", "ETH", "USDT", "BNB")
amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=8).filter(bool)
legs = st.dictionaries(st.sampled_from(ASSETS), amounts, min_size=1, max_size=3)
cases = st.lists(st.tuples(st.sampled_from(Cause), legs), max_size=12)


def make_rows(drawn: list[tuple[Cause, dict[str, Decimal]]]) -> list[EvidenceRow]:
    return [EvidenceRow(f"row:{place}", cause, some) for place, (cause, some) in enumerate(drawn)]


def row(name: str, cause: Cause, **some: str) -> EvidenceRow:
    return EvidenceRow(name, cause, {asset: Decimal(amount) for asset, amount in some.items()})


def explain(rows: list[EvidenceRow], **some: str) -> dict[str, list[Part]]:
    return explain_differences({asset: Decimal(amount) for asset, amount in some.items()}, rows)


def name_parts(parts: list[Part]) -> list[tuple[str, str]]:
    return [(str(part.cause), f"{part.amount:f}") for part in parts]


@given(cases, st.dictionaries(st.sampled_from(ASSETS), amounts))
def test_parts_sum_to_the_difference_and_no_row_is_used_twice(
    drawn: list[tuple[Cause, dict[str, Decimal]]], differences: dict[str, Decimal]
) -> None:
    rows = make_rows(drawn)
    found = explain_differences(differences, rows)
    assert found.keys() == differences.keys()
    for asset, parts in found.items():
        assert sum(part.amount for part in parts) == differences[asset]
        used = Counter(one.key for part in parts for one in part.rows)
        assert all(count == 1 for count in used.values())
        for part in parts:
            assert not part.rows or part.amount == sum(one.legs[asset] for one in part.rows)


@given(cases)
def test_what_is_missing_and_nothing_else_leaves_no_rest(drawn: list[tuple[Cause, dict[str, Decimal]]]) -> None:
    rows = make_rows(drawn)
    differences = {asset: sum((one.legs.get(asset, Decimal(0)) for one in rows), Decimal(0)) for asset in ASSETS}
    found = explain_differences({asset: amount for asset, amount in differences.items() if amount}, rows)
    assert all(part.rows for parts in found.values() for part in parts)


@given(cases, st.sets(st.integers(0, 11)))
def test_rows_that_the_venue_has_not_counted_yet_are_left_out(
    drawn: list[tuple[Cause, dict[str, Decimal]]], pending: set[int]
) -> None:
    """Of all ways to leave rows out, one that leaves no rest is found where there is one."""
    rows = make_rows(drawn)
    counted = [one for place, one in enumerate(rows) if place not in pending]
    differences = {asset: sum((one.legs.get(asset, Decimal(0)) for one in counted), Decimal(0)) for asset in ASSETS}
    found = explain_differences({asset: amount for asset, amount in differences.items() if amount}, rows)
    assert all(abs(part.amount) <= Decimal("1e-8") for parts in found.values() for part in parts if not part.rows)


def test_a_deposit_beside_something_unknown_is_named() -> None:
    found = explain([row("movement:1", Cause.MOVEMENT, USDT="100")], USDT="105")
    assert name_parts(found["USDT"]) == [("movement", "100"), ("unknown", "5")]


def test_a_deposit_that_has_not_arrived_explains_nothing() -> None:
    found = explain([row("movement:1", Cause.MOVEMENT, USDT="100")], USDT="-50")
    assert name_parts(found["USDT"]) == [("unknown", "-50")]


def test_a_fill_explains_both_of_its_assets_once() -> None:
    rows = [row("fill:1", Cause.FILL_MISSED, BTC="0.999", USDT="-30000"), row("movement:1", Cause.MOVEMENT, USDT="500")]
    found = explain(rows, BTC="0.999", USDT="-29500")
    assert name_parts(found["BTC"]) == [("fill_missed", "0.999")]
    assert name_parts(found["USDT"]) == [("fill_missed", "-30000"), ("movement", "500")]


@pytest.mark.parametrize(("amount", "cause"), [("0.00000001", "rounding"), ("-0.000000009", "rounding"), ("0.0000001", "unknown")])
def test_what_is_smaller_than_venues_count_is_rounding(amount: str, cause: str) -> None:
    assert [part.cause for part in explain([], BTC=amount)["BTC"]] == [cause]


def test_many_rows_are_explained_at_once() -> None:
    rows = [row(f"fill:{place}", Cause.FILL_MISSED, BTC="0.1", USDT=f"-{place + 1}") for place in range(2_000)]
    found = explain(rows, BTC="200", USDT=f"-{sum(range(2_001))}")
    assert name_parts(found["BTC"]) == [("fill_missed", "200.0")]


def own(**some: str) -> OwnSide:
    return OwnSide({asset: Decimal(amount) for asset, amount in some.items()})


def holding(**some: str) -> dict[str, Balance]:
    return {asset: Balance(asset, Decimal(amount), Decimal(0)) for asset, amount in some.items()}


def test_sides_that_agree_do_not_differ() -> None:
    assert compare_sides(own(BTC="1", USDT="0"), VenueSide(holding(BTC="1.000"), [])) == []


def test_an_asset_of_one_side_only_differs() -> None:
    found = compare_sides(own(BTC="1"), VenueSide(holding(ETH="2"), []))
    assert [(one.asset, one.amount) for one in found] == [("BTC", Decimal(-1)), ("ETH", Decimal(2))]


def resting(name: str, client_id: str = "", side: str = "sell") -> RestingOrder:
    return RestingOrder(name, client_id, "BTC-USDT", side, Decimal("0.5"), Decimal(100))


def test_orders_of_one_side_only_differ_by_what_they_hold() -> None:
    ours = OwnSide({"BTC": Decimal(1)}, [resting("1", "a"), resting("2", "b", "buy")], {"c": "BTC-USDT"})
    venue = VenueSide({"BTC": Balance("BTC", Decimal(0), Decimal(1))}, [resting("1", "a"), resting("3", "c"), resting("9", "z")])
    found = [one for one in compare_sides(ours, venue) if one.about == About.ORDER]
    assert [(one.name, one.asset, one.amount) for one in found] == [("9", "BTC", Decimal("0.5")), ("2", "USDT", Decimal(-50))]


def test_what_the_venue_holds_for_no_order_differs() -> None:
    venue = VenueSide({"BTC": Balance("BTC", Decimal(0), Decimal(1))}, [resting("1", "a")])
    found = compare_sides(OwnSide({"BTC": Decimal(1)}, [resting("1", "a")]), venue)
    assert [(one.about, one.amount) for one in found] == [(About.HELD, Decimal("0.5"))]


def test_the_fee_that_a_venue_sets_aside_beside_a_purchase_is_no_difference() -> None:
    order = resting("1", "a", "buy")
    venue = VenueSide({"USDT": Balance("USDT", Decimal(0), Decimal("50.3"))}, [order])
    assert compare_sides(OwnSide({"USDT": Decimal("50.3")}, [order]), venue) == []


def test_a_list_of_orders_that_is_not_whole_says_nothing() -> None:
    ours = OwnSide({"BTC": Decimal(1)}, [resting("1", "a")])
    assert compare_sides(ours, VenueSide({"BTC": Balance("BTC", Decimal(0), Decimal(1))}, None)) == []


def test_bots_that_hold_more_than_the_account_has_are_told_once() -> None:
    ours = OwnSide({"BTC": Decimal(1)}, positions={"BTC": Decimal("1.5")})
    assert [one.about for one in compare_sides(ours, VenueSide(holding(BTC="1"), []))] == [About.POSITION]
    assert [one.about for one in compare_sides(ours, VenueSide(holding(BTC="0.9"), []))] == [About.BALANCE]
